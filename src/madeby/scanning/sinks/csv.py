"""Results as CSV, for spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path

from madeby.errors import MadebyError
from madeby.scanning.sinks.flat import COLUMNS, flat_row
from madeby.schema import Result

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvSink:
    """Writes one row a result, UTF-8 with a header."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` anew.

        Raises:
            MadebyError: the file cannot be written.
        """
        try:
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise MadebyError(f"cannot write {path}: {error.strerror or error}") from None
        self._writer = csv.DictWriter(self._file, list(COLUMNS))
        self._writer.writeheader()

    def write(self, result: Result) -> None:
        """Write one row. Text that a spreadsheet would run as a formula is quoted with an apostrophe."""
        row = flat_row(result)
        for name, value in row.items():
            if isinstance(value, str) and value.startswith(FORMULA_STARTS):
                row[name] = "'" + value
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def abort(self) -> None:
        """Finish the file with the rows it has: each was whole when it was written."""
        self._file.close()
