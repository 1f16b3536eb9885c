"""The table of a labelled data set: one row a picture, kept as Parquet so that any tool can open it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.errors import DataError
from madeby.schema import Label

COLUMNS: dict[str, pl.DataType] = {
    "path": pl.String(),  # absolute path of the picture's file
    "label": pl.String(),  # "human" or "ai"
    "split": pl.String(),  # "train", "val" or "test"; null where the picture cannot be used
    "generator": pl.String(),  # which model made it; null for human pictures and where unknown
    "collection": pl.String(),  # which collection it came from; null where there is only one
    "group": pl.String(),  # pictures that must stay together in a split; null where none is known
    "width": pl.Int32(),
    "height": pl.Int32(),
    "format": pl.String(),
    "jpeg_quality": pl.Int16(),
    "bytes": pl.Int64(),
    "sha256": pl.String(),
    "perceptual_hash": pl.String(),
    "problem": pl.String(),  # why the picture cannot be used ("code: message"); null where it can
}
"""The columns every manifest has, in order; loaders may add more behind them (``cifar_class``, ``kind``)."""

PUBLISHED = "published_split"
"""Extra column that an import adds: the split the data set's authors published, null where they gave none."""

SPLITS = ("train", "val", "test")
LABELS = tuple(label.value for label in Label)


@dataclass(frozen=True)
class SplitCount:
    """Usable pictures of one split, by label."""

    split: str
    human: int
    ai: int

    @property
    def total(self) -> int:
        """Pictures of both labels."""
        return self.human + self.ai


@dataclass(frozen=True)
class ManifestCounts:
    """What a manifest holds: usable pictures by split and label, and rows that cannot be used."""

    splits: tuple[SplitCount, ...]
    problems: int

    @property
    def human(self) -> int:
        """Usable pictures made by humans, all splits."""
        return sum(split.human for split in self.splits)

    @property
    def ai(self) -> int:
        """Usable pictures made by generative models, all splits."""
        return sum(split.ai for split in self.splits)

    @property
    def total(self) -> int:
        """Usable pictures, all splits."""
        return self.human + self.ai


def write_manifest(table: pl.DataFrame, path: Path) -> None:
    """Write a manifest: Parquet, or CSV where the name ends in ``.csv``. It appears complete or not at all.

    Raises:
        DataError: the table is not a valid manifest or cannot be written there.
    """
    table = _conformed(table, "the table")
    with written_atomically(path) as temporary:
        if path.suffix.lower() == ".csv":
            table.write_csv(temporary)
        else:
            table.write_parquet(temporary)


def read_manifest(path: Path, required: Iterable[str] = tuple(COLUMNS)) -> pl.DataFrame:
    """Read a manifest, Parquet or CSV, with :data:`COLUMNS` first and extra columns behind them.

    Args:
        path: the file.
        required: the columns it must have; others of ours that it lacks are filled with nulls.

    Raises:
        DataError: the file is missing or unreadable, lacks a column, or holds a label or split that is none.
    """
    if not path.is_file():
        raise DataError(f"there is no manifest at {path}: make one with `madeby data import`")
    try:
        is_csv = path.suffix.lower() == ".csv"
        table = pl.read_csv(path, schema_overrides=COLUMNS) if is_csv else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as a manifest (Parquet, or CSV named .csv): {reason}") from None
    must = set(required)
    absent = {name: kind for name, kind in COLUMNS.items() if name not in table.columns and name not in must}
    table = table.with_columns(pl.lit(None, kind).alias(name) for name, kind in absent.items())
    return _conformed(table, str(path))


def usable(table: pl.DataFrame) -> pl.DataFrame:
    """The rows whose picture could be read, in the same order."""
    return table.filter(pl.col("problem").is_null())


def check_files(table: pl.DataFrame) -> None:
    """Make sure that every usable row's file is still where the import found it.

    Raises:
        DataError: files are gone; the message counts them and names the first.
    """
    paths = usable(table)["path"]
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(paths)} pictures are no longer where the manifest says, "
            f"the first is {missing[0]}: put them back or import the data set again"
        )


def learnt_already(table: pl.DataFrame, learnt: Mapping[str, Sequence[str]]) -> list[str]:
    """Splits of a manifest that have been learnt from, of all that have (by fingerprint, as bundles tell).

    A manifest whose pictures have no checksums cannot be known again, nor can one that was changed.
    """
    if table["sha256"].has_nulls():
        return []
    return sorted({*learnt.get(manifest_sha256(table), ())} & {*table["split"].drop_nulls()})


def manifest_sha256(table: pl.DataFrame) -> str:
    """Fingerprint of what a manifest teaches: the usable pictures' contents, labels and splits.

    It does not change when rows are reordered, files move or the manifest is stored in another format.
    """
    rows = usable(table).select(
        pl.concat_str(pl.col("sha256", "label", "split").fill_null(""), separator=" ").alias("row")
    )
    return hashlib.sha256("\n".join(rows["row"].sort()).encode()).hexdigest()


def manifest_counts(table: pl.DataFrame) -> ManifestCounts:
    """Count a manifest's usable pictures by split and label; splits without pictures are left out."""
    good = usable(table)
    counted = {(split, label): count for split, label, count in good.group_by("split", "label").len().iter_rows()}
    splits = tuple(
        SplitCount(split or "none", counted.get((split, "human"), 0), counted.get((split, "ai"), 0))
        for split in (*SPLITS, None)
        if (split, "human") in counted or (split, "ai") in counted
    )
    return ManifestCounts(splits=splits, problems=len(table) - len(good))


def _conformed(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """The table with our columns first and in our types.

    Raises:
        DataError: a column is missing or of another kind, or a label or split is none of ours.
    """
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise DataError(
            f"{name} is not a manifest, it lacks {', '.join(missing)}: "
            "turn a table of paths and labels into one with `madeby data import table`"
        )
    try:
        table = table.with_columns(pl.col(column).cast(kind) for column, kind in COLUMNS.items())
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{name} has a column of the wrong type: {str(error).splitlines()[0]}") from None
    if table["path"].null_count():
        raise DataError(f"{name} has a row without a path")
    _check_values(table["label"], LABELS, name, nullable=False)
    _check_values(table["split"], SPLITS, name, nullable=True)
    extras = [column for column in table.columns if column not in COLUMNS]
    return table.select(*COLUMNS, *extras)


def _check_values(column: pl.Series, allowed: tuple[str, ...], name: str, *, nullable: bool) -> None:
    found = set(column.unique().to_list()) - set(allowed) - ({None} if nullable else set())
    if found:
        shown = ", ".join(repr(value) for value in sorted(found, key=str)[:5])
        raise DataError(f"{name}: column {column.name} holds {shown}; allowed are {', '.join(allowed)}")
