"""One pass over the pictures of a manifest: everything the checks need, small enough to keep for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image

from madeby.datasets.audit.container_facts import ContainerFacts, container_facts
from madeby.datasets.manifest import LABELS, usable
from madeby.datasets.parallel import in_order
from madeby.errors import DataError, ErrorCode, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.limits import Limits
from madeby.pictures.perceptual_hash import perceptual_hash

Progress = Callable[[int, int], None]
Pixels = npt.NDArray[np.uint8]

THUMBNAIL = 16
"""Side of the thumbnails, pixels: enough to tell look-alikes from likenesses, 92 MB for 120,000 pictures."""

COLOURS = 24
"""Side of the grid of untouched pixels that colour statistics are computed from."""

_ENOUGH = 256  # a larger picture is thinned out to about this many pixels a side before it is averaged


class Job(NamedTuple):
    """One row to read: its path, the facts its manifest claims, and whether shortcut tests need it."""

    path: str
    sha256: str | None
    perceptual_hash: str | None
    sampled: bool


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of one picture. ``contrast`` is the standard deviation of its luminance, 0..127.5."""

    sha256: str
    pixels_hash: str
    perceptual_hash: str
    width: int
    height: int
    contrast: float
    constant: bool
    thumbnail: Pixels
    colours: Pixels | None = None
    facts: ContainerFacts | None = None


@dataclass(frozen=True, eq=False)
class Survey:
    """The pictures of a manifest as read.

    ``table`` holds every row of the manifest. The other fields are about ``seen``, the rows that could be read:
    (n,) int64, ascending. ``problems`` maps the others to the reason (``code: message``). ``thumbnails`` is
    (n, 16, 16, 3) uint8. ``sample`` indexes into ``seen`` and has (m, 24, 24, 3) ``colours`` and ``facts``.
    """

    table: pl.DataFrame
    seen: npt.NDArray[np.int64]
    problems: dict[int, str]
    sha256: list[str]
    pixels_hash: list[str]
    hashes: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int32]
    contrast: npt.NDArray[np.float32]
    constant: npt.NDArray[np.bool_]
    thumbnails: Pixels
    sample: npt.NDArray[np.int64]
    colours: Pixels
    facts: tuple[ContainerFacts, ...]

    @property
    def readable(self) -> pl.DataFrame:
        """The rows that could be read, in the order of ``seen``."""
        return self.table[self.seen]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(n,) 0 for human, 1 for ai."""
        return (self.readable["label"] == "ai").cast(pl.Int64).to_numpy()


def survey(
    table: pl.DataFrame,
    *,
    sample: int,
    seed: int,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Read every picture of a manifest once.

    Args:
        table: a manifest; rows with a problem are not read again.
        sample: of how many pictures at most, both labels together, container facts and colours are kept.
        seed: of that draw.
        threads: how many are read at once, by default one a processor.
        limits: bytes and pixels above which a picture is refused.
        progress: called with (pictures read, pictures in all).

    Raises:
        DataError: not one picture can be read.
    """
    known: list[str | None] = table["problem"].to_list()
    problems = {row: problem for row, problem in enumerate(known) if problem is not None}
    rows = [row for row, problem in enumerate(known) if problem is None]
    drawn = _drawn(usable(table)["label"], sample, seed)
    columns = (
        table[rows].select("path", "sha256", "perceptual_hash").with_columns(sampled=pl.Series(drawn, dtype=pl.Boolean))
    )
    jobs = [Job(*values) for values in columns.iter_rows()]

    seen: list[int] = []
    kept: list[Seen] = []
    thumbnails = np.empty((len(jobs), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for done, found in enumerate(in_order(partial(_seen, limits=limits or Limits()), jobs, threads)):
        if isinstance(found, str):
            problems[rows[done]] = found
        else:
            thumbnails[len(seen)] = found.thumbnail
            seen.append(rows[done])
            kept.append(found)
        if progress is not None:
            progress(done + 1, len(jobs))
    if not seen:
        reason = next(iter(problems.items()), None)
        first = f": the first, {table['path'][reason[0]]}: {reason[1]}" if reason else ""
        moved = all(problem.startswith(ErrorCode.NOT_FOUND) for problem in problems.values())
        advice = "; put the pictures back or import the data set again" if moved and problems else ""
        raise DataError(f"none of the {len(table)} pictures of the manifest can be read{first}{advice}")
    return _assembled(table, np.asarray(seen), problems, kept, thumbnails[: len(seen)])


def _assembled(
    table: pl.DataFrame, seen: npt.NDArray[np.int64], problems: dict[int, str], kept: list[Seen], thumbnails: Pixels
) -> Survey:
    sampled = [at for at, one in enumerate(kept) if one.colours is not None]
    return Survey(
        table=table,
        seen=seen,
        problems=problems,
        sha256=[one.sha256 for one in kept],
        pixels_hash=[one.pixels_hash for one in kept],
        hashes=np.asarray([int(one.perceptual_hash, 16) for one in kept], np.uint64),
        sizes=np.asarray([(one.width, one.height) for one in kept], np.int32),
        contrast=np.asarray([one.contrast for one in kept], np.float32),
        constant=np.asarray([one.constant for one in kept], np.bool_),
        thumbnails=thumbnails,
        sample=np.asarray(sampled, np.int64),
        colours=np.asarray([kept[at].colours for at in sampled], np.uint8),
        facts=tuple(one.facts for one in kept if one.facts is not None),
    )


def _drawn(labels: pl.Series, sample: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are in the sample: as many of each label as half the sample, as far as there are any."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), np.bool_)
    rows = {label: np.flatnonzero((labels == label).to_numpy()) for label in LABELS}
    fewest = min(len(found) for found in rows.values())
    for found in rows.values():
        share = max(sample // 2, sample - fewest)
        drawn[generator.permutation(found)[:share]] = True
    return drawn


def _seen(job: Job, *, limits: Limits) -> Seen | str:
    """One picture's record, or why there is none."""
    try:
        file = Path(job.path)
        limits.check_bytes(file.stat().st_size)
        data = file.read_bytes()
    except FileNotFoundError:
        return f"{ErrorCode.NOT_FOUND}: no such file"
    except OSError as error:
        return f"{ErrorCode.NOT_PERMITTED}: {error.strerror or error}"
    except PictureError as error:
        return f"{error.code}: {error.message}"
    try:
        picture = decode(data, limits, perceptual_hash=False)
    except PictureError as error:
        return f"{error.code}: {error.message}"
    pixels, facts = picture.pixels, picture.facts
    claimed = job.perceptual_hash if facts.sha256 == job.sha256 else None
    grid = _grid(pixels)
    return Seen(
        sha256=facts.sha256,
        pixels_hash=_pixels_hash(pixels),
        perceptual_hash=claimed or perceptual_hash(pixels),
        width=facts.width,
        height=facts.height,
        contrast=_contrast(pixels, grid),
        constant=bool((grid == grid[0, 0]).all()) and bool((pixels == pixels[0, 0]).all()),
        thumbnail=_thumbnail(pixels),
        colours=grid if job.sampled else None,
        facts=container_facts(data, facts) if job.sampled else None,
    )


def _pixels_hash(pixels: Pixels) -> str:
    """The same for two files exactly if they decode to the same picture."""
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _contrast(pixels: Pixels, grid: Pixels) -> float:
    """Standard deviation of the luminance; where the grid sees nothing, of every pixel (sparse text, a line)."""
    weights = np.asarray((0.299, 0.587, 0.114), np.float32)
    contrast = float(np.std(grid @ weights))
    return contrast if contrast >= 4 else float(np.std(pixels @ weights))


def _grid(pixels: Pixels) -> Pixels:
    """(24, 24, 3): evenly spaced pixels, untouched; a smaller picture repeats some."""
    height, width = pixels.shape[:2]
    rows = (np.arange(COLOURS) * 2 + 1) * height // (2 * COLOURS)
    columns = (np.arange(COLOURS) * 2 + 1) * width // (2 * COLOURS)
    picked: Pixels = pixels[rows[:, None], columns]
    return picked


def _thumbnail(pixels: Pixels) -> Pixels:
    """(16, 16, 3): the area means of 16 by 16 cells."""
    step = max(1, min(pixels.shape[:2]) // _ENOUGH)
    small = Image.fromarray(pixels[::step, ::step]).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small)
