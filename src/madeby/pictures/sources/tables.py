"""Pictures that a table names or holds: one column of paths, web addresses or bytes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from madeby.errors import ErrorCode, MissingExtraError, PictureError, needing_extra
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources.names import SCHEME, file_name, printable
from madeby.pictures.sources.reading import open_file
from madeby.pictures.sources.unit import SourceUnit
from madeby.pictures.web_files import in_web

if TYPE_CHECKING:
    import pyarrow as pa

CSV_SUFFIXES = {".csv": ",", ".tsv": "\t"}
PARQUET_SUFFIXES = (".parquet", ".pq")
COLUMN_NAMES = frozenset(
    (
        *("path", "file_name", "filename", "file", "file_path", "filepath", "image_path"),
        *("image", "img", "picture", "url", "image_url"),
    )
)
"""What a column of pictures is usually called, in lower case."""

_ROWS_AT_ONCE = 16
_BUFFER_BYTES = 1 << 20

Cell = str | bytes | None


def is_table(name: str) -> bool:
    """Whether a file's name is that of a table which is read."""
    return file_name(name).lower().endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES))


def pictures_in_table(
    path: str, column: str | None = None, limits: Limits = Limits(), policy: FetchPolicy = FetchPolicy()
) -> Iterator[SourceUnit]:
    """The picture of each row, in order; rows count from 0.

    Args:
        path: a CSV or TSV with a header, or a Parquet file.
        column: which column names or holds the pictures: paths, from the table's own folder on; web addresses; or,
            in Parquet, bytes, alone or with a path in a struct of ``bytes`` and ``path``. None takes the only
            column of bytes, else the only one with one of :data:`COLUMN_NAMES`, else the only one there is.
        limits: cells with more bytes are refused.
        policy: which web addresses are allowed, where the table has one. Its paths are addresses as links on a page
            are: none leads to a file of this machine.
    """
    is_parquet = file_name(path).lower().endswith(PARQUET_SUFFIXES)
    row = -1
    try:
        with open_file(path, policy, seekable=is_parquet) as file:
            cells = _parquet_cells if is_parquet else _csv_cells
            for row, cell in enumerate(cells(path, file, column)):
                yield _unit(f"{path}#{row}", cell, path, limits)
    except PictureError as problem:
        yield SourceUnit.broken(path, problem.code, problem.message)
    except MissingExtraError as problem:
        yield SourceUnit.broken(path, ErrorCode.UNSUPPORTED, str(problem))
    except Exception as problem:  # tables report damage in every type there is
        reason = (str(problem) or type(problem).__name__).splitlines()[0]
        said = f"{printable(path)} is damaged or no table ({reason}); {row + 1:,} of its rows were read"
        yield SourceUnit.broken(path, ErrorCode.UNREADABLE, said)
    else:
        if row < 0:
            yield SourceUnit.broken(path, ErrorCode.NOT_FOUND, f"the table {printable(path)} has no rows")


def _unit(name: str, cell: Cell, table: str, limits: Limits) -> SourceUnit:
    if not cell:
        return SourceUnit.broken(name, ErrorCode.NOT_FOUND, "the row names no picture")
    if isinstance(cell, bytes):
        try:
            limits.check_bytes(len(cell))
        except PictureError as problem:
            return SourceUnit.broken(name, problem.code, problem.message)
        return SourceUnit(name, cell)
    if SCHEME.match(cell):
        return SourceUnit(cell)
    if in_web(table):
        return SourceUnit(urljoin(table, cell))
    return SourceUnit(os.path.join(os.path.dirname(table), cell))  # noqa: PTH118, PTH120 - once a row: paths are slow


def _csv_cells(path: str, file: Any, column: str | None) -> Iterator[Cell]:
    separator = CSV_SUFFIXES[PurePath(file_name(path)).suffix.lower()]
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        rows = csv.reader(text, delimiter=separator)
        header = next(rows, [])
        place = header.index(_chosen(path, header, [], column))
        for row in rows:
            if row:
                yield row[place] if place < len(row) else None


def _parquet_cells(path: str, file: Any, column: str | None) -> Iterator[Cell]:
    with needing_extra("reading Parquet tables", "parquet"):
        import pyarrow.parquet as pq
    # Read through a buffer and a few rows at a time: cells may hold whole pictures.
    table = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    schema = table.schema_arrow
    with_bytes = [field.name for field in schema if _holds_bytes(field.type)]
    name = _chosen(path, schema.names, with_bytes, column)
    for batch in table.iter_batches(_ROWS_AT_ONCE, columns=[name], use_threads=False):
        for value in batch.column(0).to_pylist():
            cell = (value.get("bytes") or value.get("path")) if isinstance(value, dict) else value
            if cell is not None and not isinstance(cell, str | bytes):
                said = f"column {name} of {printable(path)} holds neither paths nor bytes; name another with --column"
                raise PictureError(ErrorCode.UNSUPPORTED, said)
            yield cell


def _holds_bytes(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(at).name == "bytes" for at in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _chosen(path: str, columns: list[str], with_bytes: list[str], wanted: str | None) -> str:
    there = f"{printable(path)} has the columns {', '.join(columns) or '(none)'}"
    if wanted is not None:
        if wanted not in columns:
            raise PictureError(ErrorCode.UNSUPPORTED, f"{there}; none is called {wanted}: name one with --column")
        return wanted
    for candidates in (with_bytes, [name for name in columns if name.lower() in COLUMN_NAMES], columns):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            break
    raise PictureError(ErrorCode.UNSUPPORTED, f"{there}; say which one names the pictures: --column NAME")
