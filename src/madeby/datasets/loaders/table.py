"""A table of paths and labels: CSV, TSV or Parquet, as competitions and hubs publish them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from madeby.datasets.loaders.registry import LISTED, Listing, LoaderOptions, register_loader
from madeby.datasets.manifest import COLUMNS, PUBLISHED
from madeby.datasets.names import LabelChoice, check_used, chosen, label_of, split_of
from madeby.errors import DataError

PATH_NAMES = ("path", "file_name", "filename", "file", "file_path", "filepath", "image_path", "image", "img", "picture")
LABEL_NAMES = ("label", "class", "target", "labels", "truth", "y")


@register_loader(
    "table",
    description="CSV, TSV or Parquet with a column of paths and one of labels (0/1, real/fake, human/ai, ...)",
    options=("labels", "path_column", "label_column", "root"),
)
def load(path: Path | None, options: LoaderOptions) -> Listing:
    """List the pictures of a table; relative paths start from ``root`` or the table's own folder.

    ``split``, ``generator``, ``collection`` and ``group`` are taken over where present; other columns follow as
    extras unless they are called like one of the manifest's own, which the import measures itself.

    Raises:
        DataError: the table cannot be read, a column is not found, or a label or split is not understood.
    """
    if path is None:
        raise DataError("the loader table needs the PATH of a CSV, TSV or Parquet file")
    raw = read_table(path)
    return listing_of(raw, path.name, options.root or path.parent, options)


def read_table(path: Path) -> pl.DataFrame:
    """Read CSV, TSV or Parquet by the file's suffix; text columns stay text.

    Raises:
        DataError: the file is missing, of another kind or damaged.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}" if not path.exists() else f"{path} is a folder, not a table")
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pl.read_parquet(path)
        if suffix in (".csv", ".tsv", ".txt"):
            return pl.read_csv(path, separator="," if suffix == ".csv" else "\t", infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as a table: {reason}") from None
    raise DataError(f"{path} is not called .csv, .tsv or .parquet: rename it to what it is")


def listing_of(raw: pl.DataFrame, name: str, root: Path, options: LoaderOptions) -> Listing:
    """Turn a table as published into a listing.

    Raises:
        DataError: see :func:`load`.
    """
    path_column = _column(raw, name, options.path_column, PATH_NAMES, "path")
    label_column = _column(raw, name, options.label_column, LABEL_NAMES, "label")
    check_used(options.labels, _texts(raw[label_column]), f"column {label_column} of {name}")
    labels = _mapped_labels(raw[label_column], options, name)
    base = str(root.resolve())
    columns = {
        "path": pl.Series(
            [None if text is None else _absolute(base, text) for text in raw[path_column].cast(pl.String)],
            dtype=pl.String,
        ),
        "label": labels,
        "split": _mapped_splits(raw["split"], name) if "split" in raw.columns else None,
    }
    for carried in ("generator", "collection", "group"):
        columns[carried] = raw[carried].cast(pl.String) if carried in raw.columns else None
    table = pl.DataFrame(
        [
            pl.Series(column, columns[column], kind)
            if columns[column] is not None
            else pl.Series(column, [None] * len(raw), kind)
            for column, kind in LISTED.items()
        ]
    )
    taken = {*COLUMNS, PUBLISHED, path_column, label_column, ""}
    table = table.with_columns(raw[extra] for extra in raw.columns if extra not in taken)
    empty = table["path"].null_count()
    notes = [f"left out {empty} rows of {name} without a path"] if empty else []
    skipped = int((labels == "skip").sum())
    if skipped:
        notes.append(f"left out {skipped} rows of {name}, as asked")
    table = table.filter(pl.col("path").is_not_null() & (pl.col("label") != "skip"))
    if len(table) and not any(map(os.path.exists, table["path"])):
        raise DataError(
            f"none of the {len(table)} pictures of {name} is below {base}; the first would be {table['path'][0]}: "
            "say with --root where the paths start"
        )
    return Listing(table, tuple(notes))


def _column(raw: pl.DataFrame, name: str, given: str | None, usual: tuple[str, ...], what: str) -> str:
    """The column the user named, or else the first with a usual name in any case."""
    if given is not None:
        if given in raw.columns:
            return given
        raise DataError(f"{name} has no column {given!r}; it has {', '.join(raw.columns)}")
    by_lower = {column.strip().lower(): column for column in reversed(raw.columns)}
    for candidate in usual:
        if candidate in by_lower:
            return by_lower[candidate]
    raise DataError(
        f"cannot tell which column of {name} holds the {what}; it has {', '.join(raw.columns)}: use --{what}-column"
    )


def _texts(values: pl.Series) -> list[str]:
    """The distinct values as text, so that numbers, booleans and words are compared alike."""
    return [str(value) for value in values.unique(maintain_order=True).drop_nulls()]


def _mapped_labels(values: pl.Series, options: LoaderOptions, name: str) -> pl.Series:
    meaning: dict[str, LabelChoice] = {}
    for text in _texts(values):
        choice = chosen(options.labels, text) or label_of(text)
        if choice is not None:
            meaning[text] = choice
    _all_understood(values, meaning, f"label in column {values.name} of {name}", "--label NAME=human, =ai or =skip")
    if values.null_count():
        raise DataError(f"{values.null_count()} rows of {name} have no label in column {values.name}")
    return pl.Series([str(meaning[str(value)]) for value in values], dtype=pl.String)


def _mapped_splits(values: pl.Series, name: str) -> pl.Series:
    meaning = {text: split for text in _texts(values) if (split := split_of(text)) is not None}
    _all_understood(values, meaning, f"split in {name}", "train, val or test")
    return pl.Series([None if value is None else meaning[str(value)] for value in values], dtype=pl.String)


def _all_understood(values: pl.Series, understood: Iterable[str], what: str, use: str) -> None:
    unknown = sorted(set(_texts(values)) - set(understood))
    if unknown:
        shown = ", ".join(repr(text) for text in unknown[:8]) + (", ..." if len(unknown) > 8 else "")
        raise DataError(f"unknown {what}: {shown}; use {use}")


def _absolute(base: str, text: str) -> str:
    return os.path.normpath(os.path.join(base, text.strip()))  # noqa: PTH118 - text, for 100,000 rows
