"""Results as folders of text files: JSON lines, or CSV tables each with a header."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from madeby.scanning.answered import Answered
from madeby.scanning.sinks.csv import CsvSink, count_rows
from madeby.scanning.sinks.flat import COLUMNS
from madeby.scanning.sinks.folder import FolderSink
from madeby.scanning.sinks.jsonl import JsonLinesFile, count_line


class JsonLinesFolderSink(FolderSink):
    """Writes ``part-00000.jsonl`` and so on; see :class:`FolderSink`."""

    suffix = ".jsonl"

    def _begin(self, path: Path) -> JsonLinesFile:
        return JsonLinesFile(path)

    def _count(self, part: BinaryIO, answered: Answered) -> None:
        for line in part:
            count_line(line, answered)


class CsvFolderSink(FolderSink):
    """Writes ``part-00000.csv`` and so on; see :class:`FolderSink`."""

    suffix = ".csv"

    def _begin(self, path: Path) -> CsvSink:
        return CsvSink(path)

    def _count(self, part: BinaryIO, answered: Answered) -> None:
        with io.TextIOWrapper(part, encoding="utf-8", newline="") as text:
            count_rows(text, list(COLUMNS), answered)
