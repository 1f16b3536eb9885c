"""Results as one Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from madeby.errors import MadebyError, MissingExtraError
from madeby.scanning.sinks.flat import COLUMNS, Cell, flat_row
from madeby.schema import Result

ROWS_A_GROUP = 5_000


class ParquetSink:
    """Writes the flat rows in groups; the file appears under its name only when it is whole."""

    def __init__(self, path: Path, *, ahead: Mapping[str, type] | None = None) -> None:
        """Start a file beside ``path``; ``ahead`` are columns of the caller's own, before those of the result.

        Raises:
            MissingExtraError: pyarrow is not installed.
            MadebyError: ``path`` cannot be written, or is something else than a file.
        """
        if path.exists() and not path.is_file():
            raise MadebyError(f"cannot write {path}: it is not a file")
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise MissingExtraError("a Parquet table", "parquet") from None
        types = {str: pa.string(), float: pa.float64(), int: pa.int64()}
        self._pa: Any = pa
        self._schema = pa.schema([(name, types[kind]) for name, kind in {**(ahead or {}), **COLUMNS}.items()])
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        try:
            self._writer: Any = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        except OSError as error:
            raise MadebyError(f"cannot write {path}: {error.strerror or error}") from None
        self._rows: list[dict[str, Cell]] = []

    def write(self, result: Result, ahead: Mapping[str, Cell] | None = None) -> None:
        """Take one result, and the caller's own values beside it."""
        self._rows.append({**flat_row(result), **(ahead or {})})
        if len(self._rows) >= ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is held and give the file its name."""
        self._flush()
        self._writer.close()
        self._partial.replace(self._path)

    def abort(self) -> None:
        """Leave no file behind, and an older one as it was."""
        self._writer.close()
        self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()
