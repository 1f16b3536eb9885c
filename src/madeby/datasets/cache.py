"""Pictures decoded once into one array, so that training reads pixels and never a file.

With a folder the array is a memory-mapped file that later runs and other processes reuse; its name is a
fingerprint of the pictures' contents and the settings, so a stale one is never picked up.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.datasets.parallel import in_order
from madeby.detector.bundle import Preprocessing
from madeby.detector.views import views_of
from madeby.errors import DataError, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.limits import Limits

Pixels = npt.NDArray[np.uint8]
View = Literal["resize", "crops"]
Progress = Callable[[int, int], None]

FORMAT = 1
"""Raised when the same pictures and settings would give other pixels."""

SPARE_BYTES = 256 << 20
"""Left free on the disk beside what the cache needs."""


@dataclass(frozen=True)
class CacheFailure:
    """A picture of the table that is not in the cache, and why."""

    row: int
    path: str
    reason: str


@dataclass(frozen=True)
class PictureCache:
    """Decoded pictures ready for training.

    ``pixels`` is (n, side, side, 3) uint8 sRGB, read-only. ``row`` is (n,) int64: the row of the table that
    each entry belongs to, ascending; with ``crops`` several entries share a row. Failed rows have no entry.
    """

    pixels: Pixels
    row: npt.NDArray[np.int64]
    failures: tuple[CacheFailure, ...]
    reused: bool = False

    def __len__(self) -> int:
        return len(self.row)


def build_cache(
    table: pl.DataFrame,
    view: View,
    side: int,
    tiles: int = 1,
    *,
    folder: Path | None = None,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> PictureCache:
    """Decode the pictures of a table into one array.

    Args:
        table: a manifest's usable rows; the entries' ``row`` counts its rows from 0.
        view: ``resize`` for the whole picture, ``crops`` for native-resolution squares.
        side: width and height of an entry, pixels.
        tiles: with ``crops``, at most that many squares a picture, spread over it.
        folder: where to keep the array between runs; without one it lives in memory.
        threads: how many decode at once, by default one a processor.
        limits: bytes and pixels above which a picture is refused.
        progress: called with (pictures done, pictures in all).

    Raises:
        DataError: not one picture could be decoded, or the folder lacks the space.
    """
    tiles = tiles if view == "crops" else 1
    preprocessing = Preprocessing(view=view, size=side, crops=tiles)
    hashes: list[str] = table["sha256"].to_list()
    if folder is not None:
        pixels_path = folder / f"{_key(hashes, view, side, tiles)}.pixels"
        cached = _opened(pixels_path, side)
        if cached is not None:
            return cached

    cut = partial(_views, preprocessing=preprocessing, limits=limits or Limits())
    jobs = list(zip(table["path"].to_list(), hashes, strict=True))
    rows: list[int] = []
    failures: list[CacheFailure] = []

    def decoded(keep: Callable[[Pixels], object]) -> None:
        for row, outcome in enumerate(in_order(cut, jobs, threads)):
            if isinstance(outcome, str):
                failures.append(CacheFailure(row, jobs[row][0], outcome))
            else:
                keep(outcome)
                rows.extend([row] * len(outcome))
            if progress is not None:
                progress(row + 1, len(jobs))
        if not rows:
            first = f": {failures[0].path}: {failures[0].reason}" if failures else ""
            raise DataError(f"none of the {len(jobs)} pictures could be decoded{first}")

    most = len(jobs) * tiles
    if folder is None:
        try:
            # Reserved, not touched: entries that stay unused cost no memory.
            pixels = np.empty((most, side, side, 3), np.uint8)
        except MemoryError:
            gigabytes = most * side * side * 3 / 1e9
            raise DataError(f"{gigabytes:.1f} GB of decoded pictures exceed the memory: give a cache folder") from None

        def keep_in_memory(views: Pixels) -> None:
            pixels[len(rows) : len(rows) + len(views)] = views

        decoded(keep_in_memory)
        pixels = pixels[: len(rows)]
        pixels.flags.writeable = False
        return PictureCache(pixels, np.asarray(rows, np.int64), tuple(failures))

    _check_space(folder, most * side * side * 3)
    with written_atomically(pixels_path) as temporary, temporary.open("wb") as file:
        decoded(partial(_append, file))
    with written_atomically(_index_path(pixels_path)) as temporary:
        temporary.write_text(json.dumps({"rows": rows, "complete": not failures}), encoding="utf-8")
    return PictureCache(_mapped(pixels_path, len(rows), side), np.asarray(rows, np.int64), tuple(failures))


def _views(job: tuple[str, str | None], *, preprocessing: Preprocessing, limits: Limits) -> Pixels | str:
    """The views of one picture, or the reason why there are none."""
    path, sha256 = job
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return f"cannot be read any more: {error.strerror or error}"
    try:
        picture = decode(data, limits, perceptual_hash=False)
    except PictureError as error:
        return f"{error.code}: {error.message}"
    if sha256 is not None and picture.facts.sha256 != sha256:
        return "has changed since it was imported: import the data set again"
    return views_of(picture.pixels, preprocessing)


def _append(file: BinaryIO, views: Pixels) -> None:
    file.write(np.ascontiguousarray(views).data)


def _key(hashes: list[str], view: View, side: int, tiles: int) -> str:
    settings = f"{FORMAT} {view} {side} {tiles}"
    return hashlib.sha256("\n".join((settings, *(value or "" for value in hashes))).encode()).hexdigest()[:24]


def _index_path(pixels_path: Path) -> Path:
    return pixels_path.with_suffix(".json")


def _opened(pixels_path: Path, side: int) -> PictureCache | None:
    """The cache that an earlier run left; None where there is none or pictures were missing from it."""
    try:
        index = json.loads(_index_path(pixels_path).read_bytes())
        rows, complete = np.asarray(index["rows"], np.int64), index["complete"]
        size = pixels_path.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not complete or size != len(rows) * side * side * 3:
        return None
    return PictureCache(_mapped(pixels_path, len(rows), side), rows, (), reused=True)


def _mapped(pixels_path: Path, count: int, side: int) -> Pixels:
    return np.memmap(pixels_path, np.uint8, mode="r", shape=(count, side, side, 3))


def _check_space(folder: Path, needed: int) -> None:
    nearest = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    free = shutil.disk_usage(nearest).free
    if free < needed + SPARE_BYTES:
        raise DataError(
            f"the cache of decoded pictures needs up to {needed / 1e9:.1f} GB in {folder}, "
            f"{free / 1e9:.1f} GB are free: choose a folder on a larger disk, a smaller size or fewer tiles"
        )
