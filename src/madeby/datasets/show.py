"""Looking at a data set before trusting it: examples of each class with their sizes, and counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.datasets.manifest import (
    LABELS,
    ManifestCounts,
    check_files,
    manifest_counts,
    read_manifest,
    usable,
)
from madeby.errors import DataError, PictureError
from madeby.pictures.decode import decode
from madeby.plots.sheet import Tile, picture_sheet

SIZE_STEPS = (64, 256, 512, 1024, 2048)
"""Upper ends (exclusive) of the size classes, pixels of the longer side."""


@dataclass(frozen=True)
class Tally:
    """Usable pictures of one kind, by label."""

    name: str
    human: int
    ai: int


@dataclass(frozen=True)
class SheetSummary:
    """The contact sheet that was drawn, and what the manifest holds.

    ``formats`` are ordered by count, ``sizes`` from small to large. Where these differ by label, a detector can
    tell the classes apart without looking at what made them.
    """

    sheet: Path
    shown: int
    counts: ManifestCounts
    formats: tuple[Tally, ...]
    sizes: tuple[Tally, ...]


def data_show(manifest: Path, *, output: Path, per_class: int = 12, seed: int = 0) -> SheetSummary:
    """Draw a contact sheet of examples per class, each captioned with its size, and count what there is.

    Args:
        manifest: the manifest to show.
        output: the PNG to write.
        per_class: examples of each class.
        seed: another seed draws other examples.

    Raises:
        DataError: the manifest cannot be used, or none of its pictures can be read any more.
    """
    if per_class < 1:
        raise DataError(f"at least 1 example per class is needed, not {per_class}")
    everything = read_manifest(manifest)
    table, counts = usable(everything), manifest_counts(everything)
    rows = []
    for label in LABELS:
        of_label = table.filter(pl.col("label") == label)
        tiles = _examples(of_label, per_class, seed)
        rows.append((f"{label} · {len(of_label):,} pictures", tiles))
    shown = sum(len(tiles) for _, tiles in rows)
    if shown == 0:
        check_files(table)
        raise DataError(f"{manifest} holds no picture that can be shown")
    with written_atomically(output) as temporary:
        picture_sheet(rows, temporary, title=f"{manifest.name}: {counts.total:,} pictures")
    return SheetSummary(output, shown, counts, formats=_formats(table), sizes=_sizes(table))


def _examples(table: pl.DataFrame, count: int, seed: int) -> list[Tile]:
    """Up to ``count`` seeded examples; pictures that can no longer be read are passed over."""
    tiles: list[Tile] = []
    for row in _drawn(table, seed):
        try:
            pixels = decode(Path(row["path"]).read_bytes(), perceptual_hash=False).pixels
        except (OSError, PictureError):
            continue
        size = f"{row['width']} × {row['height']} {row['format']}"
        tiles.append(Tile(pixels, f"{size}\n{row['generator']}" if row["generator"] else size))
        if len(tiles) == count:
            break
    return tiles


def _drawn(table: pl.DataFrame, seed: int) -> Iterator[dict[str, Any]]:
    salt = seed.to_bytes(16, "little", signed=True)
    order = [
        hashlib.blake2b(name.encode(), salt=salt, digest_size=8).digest()
        for name in (sha256 or path for sha256, path in table.select("sha256", "path").iter_rows())
    ]
    return table.with_columns(pl.Series("_order", order, pl.Binary)).sort("_order", "path").iter_rows(named=True)


def _formats(table: pl.DataFrame) -> tuple[Tally, ...]:
    counted = _tallies(table.select(pl.col("format").fill_null("unknown").alias("kind"), "label"))
    return tuple(sorted(counted, key=lambda tally: (-tally.human - tally.ai, tally.name)))


def _sizes(table: pl.DataFrame) -> tuple[Tally, ...]:
    names = [f"< {SIZE_STEPS[0]}"]
    names += [f"{low} to {high - 1}" for low, high in pairwise(SIZE_STEPS)]
    names.append(f"≥ {SIZE_STEPS[-1]}")
    side = pl.max_horizontal("width", "height")
    step = pl.sum_horizontal(side >= limit for limit in SIZE_STEPS)
    steps = table.select(step.alias("step"), "label")
    kinds = pl.Series("kind", [names[at] for at in steps["step"]], pl.String)
    counted = _tallies(pl.DataFrame([kinds, steps["label"]]))
    return tuple(sorted(counted, key=lambda tally: names.index(tally.name)))


def _tallies(kinds: pl.DataFrame) -> list[Tally]:
    counted = kinds.group_by("kind").agg(
        (pl.col("label") == "human").sum().alias("human"), (pl.col("label") == "ai").sum().alias("ai")
    )
    return [Tally(*row) for row in counted.iter_rows()]
