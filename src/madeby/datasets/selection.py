"""Taking a part of a data set: a share of every class folder, or so many pictures of every class."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath
from typing import Literal

import polars as pl

from madeby.datasets.manifest import SPLITS
from madeby.datasets.names import split_of
from madeby.errors import DataError

Take = Literal["random", "first"]


def selected(
    table: pl.DataFrame,
    *,
    fraction: float | None = None,
    per_class: int | None = None,
    take: Take = "random",
    seed: int = 0,
) -> pl.DataFrame:
    """The part of a listing that is asked for, in the listing's order.

    Args:
        table: a listing.
        fraction: the rounded share of each folder's pictures of each label, and of each published split; more
            than 0, at most 1.
        per_class: then at most that many pictures of each label in each published split.
        take: ``random`` for a seeded draw that does not depend on where the data set lies, or ``first`` for the
            beginning of each folder's sorted listing.
        seed: another seed draws other pictures.

    Raises:
        DataError: a share or limit is impossible.
    """
    if fraction is not None and not 0 < fraction <= 1:
        raise DataError(f"the fraction must lie above 0 and at most at 1, not {fraction:g}")
    if per_class is not None and per_class < 1:
        raise DataError(f"at least 1 picture per class is needed, not {per_class}")
    if fraction is None and per_class is None:
        return table
    paths = table["path"].to_list()
    table = table.with_row_index("_row").with_columns(
        pl.Series("_folder", [str(PurePath(path).parent) for path in paths], pl.String),
        pl.Series("_order", paths if take == "first" else _drawn(paths, seed), pl.String),
    )
    if fraction is not None:
        within = ["split", "label", "_folder"]
        # Rounded half up: half of 5 is 3.
        share = (pl.len().over(within) * fraction + 0.5).floor()
        table = table.filter(pl.col("_order").rank("ordinal").over(within) <= share)
    if per_class is not None:
        table = table.filter(pl.col("_order").rank("ordinal").over("split", "label") <= per_class)
    return table.sort("_row").drop("_row", "_folder", "_order")


def of_split(table: pl.DataFrame, split: str, data: Path) -> pl.DataFrame:
    """The rows of one split, in any usual spelling, or of ``all``.

    Raises:
        DataError: there is no such split, or nothing in it; the message says which splits have pictures.
    """
    if split == "all":
        rows = table
    else:
        named = split_of(split)
        if named is None:
            raise DataError(f"no split is called {split!r}; there are {', '.join(SPLITS)} and all")
        rows = table.filter(pl.col("split") == named)
    if rows.is_empty():
        present = ", ".join(sorted(table["split"].drop_nulls().unique().to_list())) or "none"
        raise DataError(f"{data} has no usable pictures in the split {split!r}; splits that have: {present}")
    return rows


def _drawn(paths: list[str], seed: int) -> list[str]:
    """A place in the draw for each path; only what lies below the common folder counts."""
    common = _common_length(paths)
    salt = seed.to_bytes(16, "little", signed=True)
    return [hashlib.blake2b(path[common:].encode(), salt=salt, digest_size=16).hexdigest() for path in paths]


def _common_length(paths: list[str]) -> int:
    first, last = min(paths, default=""), max(paths, default="")
    length = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first.rfind("/", 0, length) + 1
