"""The pictures of a benchmark: splits of manifests, thinned out evenly where a limit is given."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from madeby.datasets.manifest import manifest_sha256, read_manifest, usable
from madeby.datasets.names import split_of
from madeby.datasets.selection import of_split
from madeby.errors import DataError
from madeby.evaluation.benchmarking.record import DataInfo

NEEDED = ("path", "label")
KEY = "key"


@dataclass(frozen=True)
class DataSet:
    """The chosen rows of a manifest; column ``key`` tells pictures apart by their contents where those are known."""

    info: DataInfo
    rows: pl.DataFrame


@dataclass(frozen=True)
class Wanted:
    """One picture to be asked about, whatever data sets it stands in."""

    key: str
    path: str

    def seed(self, seed: int) -> int:
        """Of the chance in degradations: the same for a picture in any selection."""
        return zlib.crc32(f"{seed} {self.key}".encode())


def open_data(named: str | Path, split: str, limit: int | None, seed: int) -> DataSet:
    """Read a manifest and choose its pictures.

    Args:
        named: the manifest, ``FILE`` or ``FILE:SPLIT``.
        split: where none is named; a manifest that knows no splits is taken whole.
        limit: most pictures of each label of each collection, a seeded draw.
        seed: of the draw.

    Raises:
        DataError: the manifest cannot be used, or has no such split.
    """
    path, own_split = _with_split(str(named))
    table = usable(read_manifest(path, NEEDED))
    split = own_split or split
    if own_split is None and table["split"].null_count() == table.height:
        split = "all"
    rows = of_split(table, split, path).unique("path", maintain_order=True)
    rows = rows.with_columns(pl.coalesce("sha256", "path").alias(KEY))
    chosen = rows if limit is None else _drawn(rows, limit, seed)
    labels = chosen["label"]
    info = DataInfo(
        name=path.stem,
        split=split,
        manifest_sha256=manifest_sha256(table),
        listed=rows.height,
        human=int((labels == "human").sum()),
        ai=int((labels == "ai").sum()),
        limit=limit,
    )
    return DataSet(info, chosen)


def open_all(data: Sequence[str | Path], split: str, limit: int | None, seed: int) -> list[DataSet]:
    """Open several manifests; names that two share are told apart by their splits or numbers.

    Raises:
        DataError: as :func:`open_data`, or there is none.
    """
    if not data:
        raise DataError("there is nothing to measure on: name a manifest")
    opened: list[DataSet] = []
    for named in data:
        one = open_data(named, split, limit, seed)
        name, taken = one.info.name, {other.info.name for other in opened}
        if name in taken:
            name = f"{name}-{one.info.split}"
        while name in taken:
            name += "-again"
        opened.append(DataSet(one.info.model_copy(update={"name": name}), one.rows))
    return opened


def wanted_of(data: Sequence[DataSet]) -> list[Wanted]:
    """Every picture of the data sets, once."""
    found: dict[str, Wanted] = {}
    for one in data:
        for key, path in one.rows.select(KEY, "path").iter_rows():
            found.setdefault(key, Wanted(key, path))
    return list(found.values())


def _with_split(named: str) -> tuple[Path, str | None]:
    before, colon, after = named.rpartition(":")
    if colon and before and (after == "all" or split_of(after) is not None) and not Path(named).exists():
        return Path(before), after
    return Path(named), None


def _drawn(rows: pl.DataFrame, limit: int, seed: int) -> pl.DataFrame:
    """At most ``limit`` rows of each label of each collection; another seed draws others, more rows do not."""
    salt = seed.to_bytes(16, "little", signed=True)
    order = [hashlib.blake2b(key.encode(), salt=salt, digest_size=12).hexdigest() for key in rows[KEY]]
    within = [pl.col("collection").fill_null(""), "label"]
    ranked = rows.with_columns(pl.Series("_order", order, pl.String)).with_columns(
        pl.col("_order").rank("ordinal").over(within)
    )
    return ranked.filter(pl.col("_order") <= limit).drop("_order")
