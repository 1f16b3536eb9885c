"""Results as CSV, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from madeby.errors import MadebyError
from madeby.scanning.sinks.flat import COLUMNS, Cell, flat_row
from madeby.schema import Result

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvSink:
    """Writes one row a result, with a header."""

    def __init__(
        self, to: Path | TextIO, *, ahead: Iterable[str] = (), columns: Iterable[str] = tuple(COLUMNS)
    ) -> None:
        """Begin the table.

        Args:
            to: a file that is written anew in UTF-8, or an open text stream, which stays its owner's to close.
            ahead: columns of the caller's own, before those of the result.
            columns: which of the result's columns, by default all.

        Raises:
            MadebyError: the file cannot be written.
        """
        self._ours = isinstance(to, Path)
        self._file = _opened(to) if isinstance(to, Path) else to
        self._writer = csv.DictWriter(self._file, [*ahead, *columns], extrasaction="ignore")
        self._writer.writeheader()

    def write(self, result: Result, ahead: Mapping[str, Cell] | None = None) -> None:
        """Write one row. Text that a spreadsheet would run as a formula is quoted with an apostrophe."""
        row = {**flat_row(result), **(ahead or {})}
        for name, value in row.items():
            if isinstance(value, str) and value.startswith(FORMULA_STARTS):
                row[name] = "'" + value
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._ours:
            self._file.close()

    def abort(self) -> None:
        """Finish the file with the rows it has: each was whole when it was written."""
        self.close()


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise MadebyError(f"cannot write {path}: {error.strerror or error}") from None
