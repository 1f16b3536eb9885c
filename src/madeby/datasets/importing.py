"""From a data set on disk to a manifest: every file is read once, none is moved, renamed or deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from madeby.datasets.atomic import check_writable
from madeby.datasets.loaders import LoaderOptions, loader_entry
from madeby.datasets.manifest import (
    COLUMNS,
    PUBLISHED,
    ManifestCounts,
    manifest_counts,
    write_manifest,
)
from madeby.datasets.names import LabelChoice
from madeby.datasets.parallel import in_order
from madeby.datasets.selection import Take, selected
from madeby.datasets.split import assign_splits, check_shares
from madeby.errors import DataError, ErrorCode, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.limits import Limits
from madeby.schema import PictureFacts

Progress = Callable[[int, int], None]

MEASURED = ("width", "height", "format", "jpeg_quality", "bytes", "sha256", "perceptual_hash")


@dataclass(frozen=True)
class Problem:
    """A file that cannot be used, and why (``code: message``)."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImportSummary:
    """What an import wrote: counts of usable pictures, the files left out, and what the loader remarked."""

    manifest: Path
    counts: ManifestCounts
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)


def data_import(
    loader: str,
    path: Path | None = None,
    *,
    output: Path,
    labels: Mapping[str, LabelChoice] | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    root: Path | None = None,
    fraction: float | None = None,
    per_class: int | None = None,
    take: Take = "random",
    validation: float = 0.1,
    test: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Read a labelled data set and write its manifest.

    Files that cannot be read stay in the manifest with their ``problem``, without a split.

    Args:
        loader: the data set's layout, one of ``loader_names()``.
        path: where it lies; the loaders of published data sets can do without and download it.
        output: the manifest to write, Parquet or CSV by its suffix.
        labels: the data set's own names, where they are not understood by themselves.
        path_column: column of the paths (loader ``table``).
        label_column: column of the labels (loader ``table``).
        root: folder that relative paths start from (loader ``table``).
        fraction: share of each class folder to take, 0..1.
        per_class: at most that many pictures of each label in each published split.
        take: whether these are a seeded draw or the first of the sorted listing.
        validation: share of the training pictures for ``val`` where none is published, 0..1.
        test: share for ``test`` where none is published; by default 0.1 if nothing is published, else 0.
        seed: of the draw and the split.
        threads: how many read at once, by default one a processor.
        limits: bytes and pixels above which a picture is refused.
        progress: called with (files read, files in all).

    Raises:
        DataError: the data set is not as the loader expects or cannot be split, none of its files can be read, or
            the manifest cannot be written.
    """
    started = time.perf_counter()
    check_shares(validation, test or 0.0)
    check_writable(output)
    options = LoaderOptions(labels or {}, path_column, label_column, root)
    listing = loader_entry(loader).load(path, options)
    table = selected(listing.table, fraction=fraction, per_class=per_class, take=take, seed=seed)
    table = table.rename({"split": PUBLISHED})
    table = _with_facts(table, limits or Limits(), threads, progress)
    if table["problem"].null_count() == 0:
        first = table.row(0, named=True)
        raise DataError(f"none of the {len(table)} files can be read; the first, {first['path']}: {first['problem']}")
    table = assign_splits(table, validation=validation, test=test, seed=seed, column=PUBLISHED)
    extras = [name for name in table.columns if name not in COLUMNS]
    table = table.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items()).with_columns(table.select(extras))
    write_manifest(table, output)
    broken = table.filter(pl.col("problem").is_not_null()).select("path", "problem")
    return ImportSummary(
        manifest=output,
        counts=manifest_counts(table),
        problems=tuple(Problem(*row) for row in broken.iter_rows()),
        notes=listing.notes,
        seconds=time.perf_counter() - started,
    )


def _with_facts(table: pl.DataFrame, limits: Limits, threads: int | None, progress: Progress | None) -> pl.DataFrame:
    """The listing with the measured columns and ``problem``."""
    paths = table["path"].to_list()
    columns: dict[str, list[object]] = {name: [] for name in (*MEASURED, "problem")}
    for done, found in enumerate(in_order(partial(_facts, limits=limits), paths, threads), start=1):
        problem = found if isinstance(found, str) else None
        columns["problem"].append(problem)
        for name in MEASURED:
            columns[name].append(None if problem else getattr(found, name))
        if progress is not None:
            progress(done, len(paths))
    return table.with_columns(pl.Series(name, values, COLUMNS[name]) for name, values in columns.items())


def _facts(path: str, *, limits: Limits) -> PictureFacts | str:
    """A file's facts, or why it cannot be used."""
    try:
        file = Path(path)
        if not file.is_file():
            code = ErrorCode.UNSUPPORTED if file.exists() else ErrorCode.NOT_FOUND
            return f"{code}: {'not a file' if file.exists() else 'no such file'}"
        limits.check_bytes(file.stat().st_size)
        return decode(file.read_bytes(), limits).facts
    except PictureError as error:
        return f"{error.code}: {error.message}"
    except OSError as error:
        return f"{ErrorCode.NOT_PERMITTED}: {error.strerror or error}"
