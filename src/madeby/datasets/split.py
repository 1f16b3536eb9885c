"""Cutting a data set into training, validation and test pictures.

Published splits are kept. What is missing is cut out of the training pictures: stratified by label,
collection and generator, the same for every order of the rows, groups and identical files kept on one side.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from madeby.datasets.manifest import (
    PUBLISHED,
    SPLITS,
    ManifestCounts,
    manifest_counts,
    read_manifest,
    usable,
    write_manifest,
)
from madeby.errors import DataError

DEFAULT_TEST = 0.1
"""Share of the pictures that becomes the test split where nothing was published."""

Cell = tuple[str, str, str]  # label, collection, generator


@dataclass(frozen=True)
class _Unit:
    """Pictures that stay together, as indices into the table's rows."""

    rows: tuple[int, ...]
    cells: Counter[Cell]
    order: bytes  # the seeded place in the draw

    @cached_property
    def labels(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for (label, _, _), count in self.cells.items():
            counts[label] += count
        return counts


def data_split(
    manifest: Path,
    output: Path,
    *,
    validation: float = 0.1,
    test: float | None = None,
    seed: int = 0,
    keep_published: bool = True,
) -> ManifestCounts:
    """Split a manifest again and write it to ``output`` (which may be the same file).

    Args:
        manifest: the manifest to read.
        output: where to write the result.
        validation: share of the training pictures that becomes ``val`` where none is published, 0..1.
        test: share that becomes ``test`` where none is published; by default :data:`DEFAULT_TEST` where
            nothing at all is published and 0 otherwise.
        seed: another seed draws other pictures.
        keep_published: false cuts all splits afresh, from all pictures.

    Raises:
        DataError: the manifest cannot be used or the shares cannot be cut from it.
    """
    table = read_manifest(manifest)
    column = (PUBLISHED if PUBLISHED in table.columns else "split") if keep_published else None
    result = assign_splits(table, validation=validation, test=test, seed=seed, column=column)
    write_manifest(result, output)
    return manifest_counts(result)


def assign_splits(
    table: pl.DataFrame,
    *,
    validation: float = 0.1,
    test: float | None = None,
    seed: int = 0,
    column: str | None = "split",
) -> pl.DataFrame:
    """Fill the ``split`` column of a manifest; rows with a problem get none.

    Pictures whose published split (``column``) is known keep it; the others count as training pictures. A
    ``val`` or ``test`` that nobody published is cut out of the training pictures: per label exactly the
    rounded share (at least one picture), spread over collections and generators in proportion. Rows that
    share a ``group`` or a ``sha256`` are drawn together; counts then come as near as the groups allow.

    Args:
        table: a manifest.
        validation: share of the training pictures for ``val``, 0..1.
        test: share of the training pictures for ``test``; None is :data:`DEFAULT_TEST` where nothing is
            published and 0 otherwise.
        seed: another seed draws other pictures; the order of the rows never matters.
        column: the column that holds the published splits; None where nothing published shall count.

    Raises:
        DataError: the shares are impossible, or a label has all its pictures in one group.
    """
    good = usable(table.with_row_index("_row"))
    published: list[str | None] = good[column].to_list() if column else [None] * len(good)
    if test is None:
        test = 0.0 if any(published) else DEFAULT_TEST
    check_shares(validation, test)

    units = _units(good, seed)
    splits: list[str] = [split or "train" for split in published]
    for unit in units:
        known = {published[row] for row in unit.rows} - {None}
        if known and len(unit.rows) > 1:
            follow = next(split for split in SPLITS if split in known)
            for row in unit.rows:
                splits[row] = published[row] or follow

    pool = [unit for unit in units if all(splits[row] == "train" for row in unit.rows)]
    # Shares are of all training pictures, those included that are tied to another split and cannot be drawn.
    size = Counter(label for label, split in zip(good["label"], splits, strict=True) if split == "train")
    for name, share in (("test", test), ("val", validation)):
        if share == 0 or name in published:
            continue
        drawn = _draw(pool, share, size, name)
        for unit in drawn:
            for row in unit.rows:
                splits[row] = name
        taken = {unit.rows for unit in drawn}
        pool = [unit for unit in pool if unit.rows not in taken]

    filled: list[str | None] = [None] * len(table)
    for row, split in zip(good["_row"], splits, strict=True):
        filled[row] = split
    return table.with_columns(pl.Series("split", filled, pl.String))


def check_shares(validation: float, test: float) -> None:
    """Make sure that the shares can be cut.

    Raises:
        DataError: a share lies outside 0..1, or both together exceed all pictures.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 <= share <= 1:
            raise DataError(f"the {name} share must lie between 0 and 1, not {share:g}")
    if validation + test > 1:
        raise DataError(f"validation {validation:g} and test {test:g} are together more than all pictures")


def _units(table: pl.DataFrame, seed: int) -> list[_Unit]:
    """Rows that share a group or identical bytes, joined; in the order of a seeded draw."""
    paths, hashes, groups = (table[name].to_list() for name in ("path", "sha256", "group"))
    cells: list[Cell] = list(table.select(pl.col("label"), pl.col("collection", "generator").fill_null("")).iter_rows())
    joined = _joined(len(table), hashes, groups)
    salt = seed.to_bytes(16, "little", signed=True)
    units = []
    for rows in joined:
        key = min(hashes[row] or paths[row] for row in rows)
        order = hashlib.blake2b(key.encode(), salt=salt, digest_size=16).digest()
        units.append(_Unit(tuple(rows), Counter(cells[row] for row in rows), order))
    return sorted(units, key=lambda unit: unit.order)


def _joined(count: int, *keys: Sequence[str | None]) -> Iterable[list[int]]:
    """Indices 0..count-1 joined where any of the ``keys`` agree (union-find); null never agrees."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for column in keys:
        first: dict[str, int] = {}
        for row, key in enumerate(column):
            if key is not None and first.setdefault(key, row) != row:
                parent[root(row)] = root(first[key])
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row in range(count):
        members[root(row)].append(row)
    return members.values()


def _draw(pool: Sequence[_Unit], share: float, size: Counter[str], name: str) -> list[_Unit]:
    """Units that together hold ``share`` of each label's ``size``, as nearly as the units allow."""
    available: Counter[Cell] = Counter()
    for unit in pool:
        available.update(unit.cells)
    left = {label: min(_target(count, share), sum(_of(label, available).values())) for label, count in size.items()}
    quota = dict.fromkeys(available, 0)
    for label, target in left.items():
        quota |= _proportional(target, _of(label, available))

    drawn: list[_Unit] = []
    skipped = list(pool)
    # First by the quota of each cell; what groups leave open is then filled by label alone.
    for limits in (quota, None):
        rest = []
        for unit in skipped:
            fits_label = all(left[label] >= count for label, count in unit.labels.items())
            fits_cell = limits is None or all(limits[cell] >= count for cell, count in unit.cells.items())
            if not (fits_label and fits_cell):
                rest.append(unit)
                continue
            drawn.append(unit)
            for cell, count in unit.cells.items():
                left[cell[0]] -= count
                quota[cell] -= count
        skipped = rest
    return drawn + _smallest_for_missing_labels(drawn, skipped, left, name)


def _smallest_for_missing_labels(
    drawn: Sequence[_Unit], skipped: Sequence[_Unit], left: dict[str, int], name: str
) -> list[_Unit]:
    """One group more for each label that has no picture because all its groups exceed the share."""
    added: list[_Unit] = []
    for label in left:
        if any(label in unit.labels for unit in (*drawn, *added)):
            continue
        candidates = [unit for unit in skipped if label in unit.labels and unit not in added]
        if len(candidates) < 2:
            raise DataError(
                f"no {name} split can be cut: the pictures labelled {label} are a single one, identical or "
                f"all of one group; add pictures, or cut no {name} split (share 0)"
            )
        added.append(min(candidates, key=lambda unit: len(unit.rows)))
    return added


def _of(label: str, sizes: Mapping[Cell, int]) -> dict[Cell, int]:
    return {cell: size for cell, size in sizes.items() if cell[0] == label}


def _target(count: int, share: float) -> int:
    """Pictures to draw: the rounded share, but one at least, and one at least left over."""
    if share == 1:
        return count
    return min(max(round(count * share), 1), count - 1)


def _proportional(target: int, sizes: dict[Cell, int]) -> dict[Cell, int]:
    """``target`` spread over cells in proportion to their sizes, by largest remainders."""
    total = sum(sizes.values())
    if total == 0:
        return {}
    exact = {cell: target * size / total for cell, size in sizes.items()}
    shares = {cell: min(int(value), sizes[cell]) for cell, value in exact.items()}
    open_places = target - sum(shares.values())
    by_remainder = sorted(sizes, key=lambda cell: (shares[cell] - exact[cell], cell))
    for cell in by_remainder[:open_places]:
        shares[cell] += 1
    return shares
