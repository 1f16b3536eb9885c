"""Labels for results that have none, and new places for pictures that moved: a join with a manifest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath

import polars as pl

from madeby.errors import DataError

SUFFIX_PARTS = (3, 2, 1)
"""Trailing parts of a path, longest first, by which a moved picture is recognised."""


@dataclass(frozen=True)
class Joined:
    """The results with the manifest's label, path and further columns, and what did not go as it should."""

    table: pl.DataFrame
    notes: tuple[str, ...]


def joined(table: pl.DataFrame, manifest: pl.DataFrame, data: Path) -> Joined:
    """Find each result's row in the manifest: by path, by checksum, or by the end of its path if that is unique.

    The manifest's label and path win; results without a row keep what they have.

    Args:
        table: ``path``, ``label``, ``probability`` and whatever else the results hold.
        manifest: its usable rows.
        data: where the manifest lies, for messages.

    Raises:
        DataError: not one result stands in the manifest.
    """
    manifest = manifest.unique("path", keep="first", maintain_order=True)
    rows = _matches(table, manifest)
    known = [row is not None for row in rows]
    if not any(known):
        raise DataError(
            f"none of the {len(table):,} pictures stands in {data}, by path, checksum or file name: "
            "is it the manifest of other pictures?"
        )
    notes = []
    if not all(known):
        notes.append(f"{known.count(False):,} of {len(known):,} pictures stand nowhere in {data.name}")
    added = [name for name in manifest.columns if name not in ("path", "label")]
    found = manifest.select("path", "label", *added).with_row_index("row")
    keyed = table.with_columns(pl.Series("row", rows, pl.UInt32))
    both = keyed.join(found, on="row", how="left", maintain_order="left", suffix="_manifest")
    moved = both.filter(pl.col("path_manifest").is_not_null() & (pl.col("path_manifest") != pl.col("path")))
    if len(moved):
        notes.append(f"{len(moved):,} pictures were found at other places, where {data.name} says they are")
    contrary = both.filter(pl.col("label_manifest") != pl.col("label"))
    if len(contrary):
        notes.append(f"{len(contrary):,} labels differ from those in {data.name}, which are used")
    taken = [name for name in manifest.columns if name in table.columns]
    merged = both.with_columns(pl.coalesce(f"{name}_manifest", name).alias(name) for name in taken)
    return Joined(merged.drop("row", *(f"{name}_manifest" for name in taken)), tuple(notes))


def _matches(table: pl.DataFrame, manifest: pl.DataFrame) -> list[int | None]:
    """The manifest's row for each result, null where there is none."""
    paths = manifest["path"].to_list()
    by_path = {path: row for row, path in enumerate(paths)}
    rows: list[int | None] = [by_path.get(path) for path in table["path"]]
    if "sha256" in table.columns:
        checksums = manifest["sha256"].to_list()
        by_checksum = {checksum: row for row, checksum in enumerate(checksums) if checksum is not None}
        rows = [
            by_checksum.get(checksum) if row is None else row
            for row, checksum in zip(rows, table["sha256"].to_list(), strict=True)
        ]
    for parts in SUFFIX_PARTS:
        if None not in rows:
            break
        by_end = _unique_ends(paths, parts)
        ends = _unique_ends(table["path"].to_list(), parts)
        here = {row: end for end, row in ends.items()}
        rows = [by_end.get(here[at]) if row is None and at in here else row for at, row in enumerate(rows)]
    return rows


def _unique_ends(paths: list[str], parts: int) -> dict[str, int]:
    """The last parts of each path to its row, for those that no other path shares."""
    ends = ["/".join(PurePath(path).parts[-parts:]) for path in paths]
    often = Counter(ends)
    return {end: row for row, end in enumerate(ends) if often[end] == 1}
