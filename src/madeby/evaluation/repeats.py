"""Which pictures of a split a network may have learnt by heart: those that stand, pixel for pixel, in train or val."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.datasets.parallel import in_order
from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.pictures.sources import read

LEARNT_FROM = ("train", "val")
_LOOKS = ("perceptual_hash", "width", "height")
"""Identical pixels agree in all of these, so that only the few rows that do have to be decoded and compared."""


def learnt_by_heart(
    table: pl.DataFrame, rows: pl.DataFrame, *, threads: int | None = None
) -> npt.NDArray[np.bool_] | None:
    """Find the rows whose decoded pixels occur in the splits ``train`` or ``val`` as well.

    Args:
        table: all usable rows of the manifest.
        rows: those that are evaluated, of the same manifest.
        threads: pictures decoded at a time; one a core if None.

    Returns:
        (rows,) bool; None where rows of ``train`` or ``val`` are evaluated themselves, where the manifest has
        neither, or where it lacks the columns that tell.
    """
    if not {"split", *_LOOKS} <= set(table.columns) or rows["split"].is_in(LEARNT_FROM).any():
        return None
    learnt = table.filter(pl.col("split").is_in(LEARNT_FROM))
    if learnt.is_empty() or learnt["perceptual_hash"].null_count() == learnt.height:
        return None
    suspects = rows.with_row_index("row").join(learnt.select(_LOOKS).unique(), on=_LOOKS, how="semi")
    originals = learnt.join(suspects.select(_LOOKS).unique(), on=_LOOKS, how="semi")
    known = set(_pixel_digests(originals["path"].to_list(), threads)) - {None}
    repeated = np.zeros(rows.height, np.bool_)
    for row, digest in zip(suspects["row"], _pixel_digests(suspects["path"].to_list(), threads), strict=True):
        repeated[row] = digest in known
    return repeated


def _pixel_digests(paths: Sequence[str], threads: int | None) -> list[bytes | None]:
    """SHA-256 of each picture's decoded pixels; None where it cannot be read."""

    def digest(path: str) -> bytes | None:
        try:
            pixels = decode(read(path), perceptual_hash=False).pixels
        except PictureError:
            return None
        return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()

    return list(in_order(digest, paths, threads))
