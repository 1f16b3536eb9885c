"""``madeby data align``: both classes in one size and one encoding, so that no file fact tells them apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image

from madeby.datasets.audit.audit import NEEDED
from madeby.datasets.manifest import COLUMNS, ManifestCounts, manifest_counts, read_manifest, usable, write_manifest
from madeby.datasets.parallel import in_order
from madeby.errors import DataError, ErrorCode, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.limits import Limits
from madeby.schema import PictureFacts

Progress = Callable[[int, int], None]
Pixels = npt.NDArray[np.uint8]
AlignView = Literal["crop", "resize"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]

MANIFEST = "manifest.parquet"
ORIGINAL = "original_path"
"""Extra column of the aligned manifest: the picture that each was made from."""

BLOCK = 8
"""Side of a JPEG block; crops start on whole blocks, so that no class shows a shifted grid more than the other."""


@dataclass(frozen=True)
class LeftOut:
    """A picture that has no aligned copy, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class AlignSummary:
    """What aligning wrote: the manifest inside the folder, its counts, and the pictures left out."""

    manifest: Path
    counts: ManifestCounts
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _Setting:
    folder: Path
    size: int
    quality: int
    subsampling: Subsampling
    view: AlignView
    limits: Limits


def data_align(
    manifest: Path,
    output_folder: Path,
    *,
    size: int = 256,
    quality: int = 90,
    subsampling: Subsampling = "4:2:0",
    view: AlignView = "crop",
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> AlignSummary:
    """Write every picture again as a square JPEG of one size, quality and chroma subsampling, without metadata.

    The originals stay as they are. Splits, generators, collections, groups and extra columns are taken over;
    ``original_path`` names the source. What earlier encodings and resizing left in the pixels stays there: this
    levels the files, not their history.

    Args:
        manifest: the manifest to read.
        output_folder: a folder that is new or empty; gets ``human/``, ``ai/`` and ``manifest.parquet``.
        size: side of the pictures, pixels, a multiple of 8.
        quality: of the JPEGs, 1 to 100 (IJG).
        subsampling: of their chroma.
        view: ``crop`` cuts the middle square at native resolution, starting on whole 8-pixel blocks, and leaves
            out smaller pictures; ``resize`` shrinks or enlarges to the size first, then cuts the middle square.
        threads: how many at once, by default one a processor.
        limits: bytes and pixels above which a picture is left out.
        progress: called with (pictures done, pictures in all).

    Raises:
        DataError: the manifest cannot be read, a setting is impossible, the folder is not empty or cannot be
            written to, or no picture could be aligned.
    """
    if size < BLOCK or size % BLOCK:
        raise DataError(f"the size must be a multiple of {BLOCK} pixels, not {size}")
    if not 1 <= quality <= 100:
        raise DataError(f"the JPEG quality must lie between 1 and 100, not {quality}")
    table = usable(read_manifest(manifest, required=NEEDED))
    if table.is_empty():
        raise DataError(f"{manifest} lists no usable picture")
    folder = _prepared(output_folder)
    setting = _Setting(folder, size, quality, subsampling, view, limits or Limits())
    digits = len(str(len(table)))
    # Numbers of the rows as names: nothing in a name tells the classes apart or repeats.
    jobs = [(path, f"{label}/{row:0{digits}}.jpg") for row, (path, label) in enumerate(_sources(table))]
    made: dict[int, PictureFacts] = {}
    left_out = []
    for row, outcome in enumerate(in_order(partial(_aligned, setting=setting), jobs, threads)):
        if isinstance(outcome, str):
            left_out.append(LeftOut(jobs[row][0], outcome))
        else:
            made[row] = outcome
        if progress is not None:
            progress(row + 1, len(jobs))
    if not made:
        raise DataError(
            f"none of the {len(jobs)} pictures could be aligned; the first, {jobs[0][0]}: {left_out[0].reason}"
        )
    result = _manifest(table[list(made)], [str(folder / jobs[row][1]) for row in made], list(made.values()))
    write_manifest(result, folder / MANIFEST)
    return AlignSummary(folder / MANIFEST, manifest_counts(result), tuple(left_out))


def _sources(table: pl.DataFrame) -> list[tuple[str, str]]:
    return list(table.select("path", "label").iter_rows())


def _prepared(folder: Path) -> Path:
    """The folder with its two class folders, absolute; refused unless it is new or empty."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(f"{folder} exists and is not an empty folder: choose a new one, nothing is overwritten")
        for label in ("human", "ai"):
            (folder / label).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write to {folder}: {error.strerror or error}; choose another place") from None
    return folder.resolve()


def _aligned(job: tuple[str, str], *, setting: _Setting) -> PictureFacts | str:
    """The facts of the copy that was written, or why there is none.

    Raises:
        DataError: the copy cannot be written.
    """
    source, name = job
    try:
        setting.limits.check_bytes(Path(source).stat().st_size)
        picture = decode(Path(source).read_bytes(), setting.limits, perceptual_hash=False)
    except PictureError as error:
        return f"{error.code}: {error.message}"
    except FileNotFoundError:
        return f"{ErrorCode.NOT_FOUND}: no such file"
    except OSError as error:
        return f"{ErrorCode.NOT_PERMITTED}: {error.strerror or error}"
    height, width = picture.pixels.shape[:2]
    if setting.view == "crop" and min(height, width) < setting.size:
        return f"too small: {width}x{height} px for a crop of {setting.size}"
    pixels = (
        _cropped(picture.pixels, setting.size) if setting.view == "crop" else _resized(picture.pixels, setting.size)
    )
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=setting.quality, subsampling=setting.subsampling)
    data = buffer.getvalue()
    try:
        (setting.folder / name).write_bytes(data)
    except OSError as error:
        raise DataError(f"cannot write {setting.folder / name}: {error.strerror or error}") from None
    return decode(data).facts


def _cropped(pixels: Pixels, size: int) -> Pixels:
    """The middle square of ``size``, its corner moved up and left onto a whole block."""
    top, left = ((side - size) // 2 // BLOCK * BLOCK for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


def _resized(pixels: Pixels, size: int) -> Pixels:
    """The middle square, resized to ``size``."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    square = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))


def _manifest(table: pl.DataFrame, paths: Sequence[str], facts: Sequence[PictureFacts]) -> pl.DataFrame:
    """The rows with the copies' paths and facts."""
    measured = ("width", "height", "format", "jpeg_quality", "bytes", "sha256", "perceptual_hash")
    return table.with_columns(
        pl.col("path").alias(ORIGINAL),
        pl.Series("path", paths, pl.String),
        *(pl.Series(name, [getattr(fact, name) for fact in facts], COLUMNS[name]) for name in measured),
    )
