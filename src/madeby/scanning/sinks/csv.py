"""Results as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO, cast

from madeby.errors import MadebyError
from madeby.scanning.answered import Answered, thresholds_in
from madeby.scanning.sinks.flat import COLUMNS, Cell, flat_row
from madeby.schema import Result

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_NEEDED = {"source", "status", "model_sha256", "signals"}


class CsvSink:
    """Writes one row a result, with a header.

    ``answered`` is what the table held when it was opened to go on with.
    """

    def __init__(
        self,
        to: Path | TextIO,
        *,
        ahead: Iterable[str] = (),
        columns: Iterable[str] = tuple(COLUMNS),
        resume: bool = False,
    ) -> None:
        """Begin the table.

        Args:
            to: a file that is written anew in UTF-8, or an open text stream, which stays its owner's to close.
            ahead: columns of the caller's own, before those of the result.
            columns: which of the result's columns, by default all.
            resume: go on behind the last whole row of a file that is there already.

        Raises:
            MadebyError: the file cannot be written, or resumed because it is another table.
        """
        names = [*ahead, *columns]
        self.answered = Answered()
        begun = resume and isinstance(to, Path) and _go_on(to, names, self.answered)
        self._ours = isinstance(to, Path)
        self._file = _opened(to, "a" if begun else "w") if isinstance(to, Path) else to
        self._writer = csv.DictWriter(self._file, names, extrasaction="ignore")
        if not begun:
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


class _OtherTableError(ValueError):
    """A table has other columns."""


def count_rows(table: TextIO, names: list[str], answered: Answered) -> None:
    """Count the results in a table with these columns.

    Raises:
        ValueError: it has others, or is none.
    """
    rows = csv.DictReader(table)
    if rows.fieldnames != names or not set(names) >= _NEEDED:
        raise _OtherTableError("it has other columns")
    try:
        for row in rows:
            answered.add(_without_apostrophe(row["source"]), row["model_sha256"] if row["status"] == "ok" else None)
            answered.decided_by(thresholds_in(json.loads(row["signals"])))
    except (csv.Error, KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def _opened(path: Path, mode: str) -> TextIO:
    try:
        return cast(TextIO, path.open(mode, encoding="utf-8", errors="backslashreplace", newline=""))
    except OSError as error:
        raise MadebyError(f"cannot write {path}: {error.strerror or error}") from None


def _go_on(path: Path, names: list[str], answered: Answered) -> bool:
    """Cut off a last row that a kill has torn and count the others; False where there is nothing to go on with."""
    end = at = quotes = 0
    try:
        with path.open("rb") as lines:
            for line in lines:
                at += len(line)
                quotes += line.count(b'"')
                if quotes % 2 == 0 and line.endswith(b"\n"):  # else the line's end stands inside a cell
                    end = at
        if not end:
            _check_torn_header(path, ",".join(names))
            return False
        if end < at:
            os.truncate(path, end)
        with path.open(encoding="utf-8", newline="") as file:
            count_rows(file, names, answered)
    except FileNotFoundError:
        return False
    except _OtherTableError:
        raise MadebyError(f"cannot resume: {path} is not a table of these results; name another file") from None
    except (OSError, ValueError) as error:
        raise MadebyError(f"cannot resume: {path} cannot be read: {error}") from None
    return True


def _check_torn_header(path: Path, header: str) -> None:
    if not header.encode().startswith(path.read_bytes()[: len(header)].rstrip(b"\r")):
        raise MadebyError(f"cannot resume: {path} is not a table of these results; name another file")


def _without_apostrophe(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
