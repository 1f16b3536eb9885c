"""From a manifest to decoded pictures, with every reason to stop found before training starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from madeby.datasets.cache import CacheFailure, build_cache
from madeby.datasets.manifest import manifest_sha256, read_manifest, usable
from madeby.errors import DataError
from madeby.training.auxiliary import NONE, UNKNOWN, auxiliary_classes
from madeby.training.batches import Examples, Indices
from madeby.training.recipe import Recipe

DecodeProgress = Callable[[str, int, int], None]
"""Called with what is decoded, how many pictures are done, and how many there are."""


@dataclass(frozen=True)
class ManifestParts:
    """The usable rows that a run trains and validates on."""

    path: Path
    sha256: str
    train: pl.DataFrame
    validation: pl.DataFrame


@dataclass(frozen=True)
class TrainingData:
    """Decoded training and validation pictures; ``failures`` lists the files that could no longer be read."""

    train: Examples
    validation: Examples
    failures: tuple[CacheFailure, ...]


def read_parts(manifest: Path) -> ManifestParts:
    """Read the manifest's training and validation rows and check that one can learn from them.

    Raises:
        DataError: no training or validation split, or only one label in either.
    """
    table = usable(read_manifest(manifest))
    parts = []
    for split, remedy in (("train", "import the data set again"), ("val", "cut one with `madeby data split`")):
        rows = table.filter(pl.col("split") == split)
        if rows.is_empty():
            raise DataError(f"{manifest} has no usable pictures in the {split!r} split: {remedy}")
        labels = rows["label"].unique().to_list()
        if len(labels) < 2:
            raise DataError(
                f"{manifest}: the {split!r} split holds only {labels[0]!r} pictures; both labels are needed"
            )
        parts.append(rows)
    return ManifestParts(manifest, manifest_sha256(table), parts[0], parts[1])


def decode_parts(
    parts: ManifestParts, recipe: Recipe, *, folder: Path | None = None, progress: DecodeProgress | None = None
) -> TrainingData:
    """Decode both splits once into arrays, memory-mapped files where a folder is given.

    Validation pictures become exactly the views that the bundle will declare, so that the figures by epoch are
    what the finished detector reaches. Training tiles may be larger than the views, for random crops.

    Raises:
        DataError: nothing could be decoded, a label is lost by it, or what the recipe learns beside it is not there.
    """
    side = max(recipe.tile, recipe.size)
    learns_more = recipe.auxiliary != NONE
    classes = auxiliary_classes(parts.train, recipe.auxiliary) if learns_more else None
    train, train_failures = _decoded(parts.train, recipe, side, recipe.tiles, "training", folder, progress, classes)
    validation, validation_failures = _decoded(
        parts.validation, recipe, recipe.size, recipe.preprocessing.crops, "validation", folder, progress
    )
    for examples, split in ((train, "train"), (validation, "val")):
        if len(np.unique(examples.labels)) < 2:
            raise DataError(f"{parts.path}: so many pictures of {split!r} cannot be read that a label is lost")
    return TrainingData(train, validation, train_failures + validation_failures)


def _decoded(
    rows: pl.DataFrame,
    recipe: Recipe,
    side: int,
    tiles: int,
    what: str,
    folder: Path | None,
    progress: DecodeProgress | None,
    classes: Indices | None = None,
) -> tuple[Examples, tuple[CacheFailure, ...]]:
    def report(done: int, count: int) -> None:
        if progress is not None:
            progress(what, done, count)

    cache = build_cache(rows, recipe.view, side, tiles, folder=folder, progress=report)
    labels = (rows["label"] == "ai").to_numpy().astype(np.int8)
    _, collections = np.unique(rows["collection"].fill_null("").to_numpy().astype(str), return_inverse=True)
    _, picture = np.unique(cache.row, return_inverse=True)
    examples = Examples(
        pixels=cache.pixels,
        labels=labels[cache.row],
        picture=picture.astype(np.int64),
        collection=collections.astype(np.int64)[cache.row],
        auxiliary=np.full(len(cache.row), UNKNOWN) if classes is None else classes[cache.row],
    )
    return examples, cache.failures
