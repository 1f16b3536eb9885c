"""The history as files: CSV, JSON lines, Parquet, and feedback as a table to learn from. All are streamed."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import madeby
from madeby.schema import Label, Result
from madeby.web.history.store import KeptPicture
from madeby.web.record import Record

CHUNK_BYTES = 64 * 1024

RECORD_COLUMNS = {"id": str, "created": str, "feedback": str, "feedback_note": str, "feedback_created": str}
"""Columns that tables have ahead of the result's own; the last three are null without feedback."""

LEARNING_COLUMNS = ("path", "label", "generator", "id", "note", "spoken")
ANSWER_COLUMNS = ("source", "sha256", "verdict", "probability", "model", "model_version")


class ExportFormat(StrEnum):
    """What the history can be exported as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """The registered media type; JSON lines have none yet."""
        types = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
        return types.get(self.value, "application/vnd.apache.parquet")


def exported(records: Iterable[Record], form: ExportFormat) -> Iterator[bytes]:
    """The records as a file, in pieces.

    JSON lines hold whole records; tables hold :data:`RECORD_COLUMNS` and the columns that ``scan --csv`` writes.

    Raises:
        MissingExtraError: Parquet, and pyarrow is not installed. Raised at the first piece.
    """
    if form == ExportFormat.CSV:
        return _csv(records)
    return _json_lines(records) if form == ExportFormat.JSONL else _parquet(records)


def learning_table(labelled: Iterable[tuple[Record, KeptPicture]], root: Path | None = None) -> Iterator[bytes]:
    """What people said as a CSV that ``madeby data import table`` takes as it is.

    ``label`` is the person's word and ``generator`` the one that the picture's own metadata names, if the word is
    ``ai``. ``path`` is absolute, or relative to ``root`` where one is given.
    """
    buffer = io.StringIO()
    sink = madeby.CsvSink(buffer, ahead=LEARNING_COLUMNS, columns=ANSWER_COLUMNS)
    for record, picture in labelled:
        said = record.feedback
        if said is None:
            continue
        path = picture.path if root is None else picture.path.relative_to(root)
        generator = _generator(record.result) if said.label == Label.AI else None
        own = {"path": str(path), "label": said.label.value, "generator": generator}
        sink.write(record.result, own | {"id": record.id, "note": said.note, "spoken": said.created.isoformat()})
        yield from _drained(buffer)
    yield from _drained(buffer, at_least=1)


def _csv(records: Iterable[Record]) -> Iterator[bytes]:
    buffer = io.StringIO()
    sink = madeby.CsvSink(buffer, ahead=RECORD_COLUMNS)
    for record in records:
        sink.write(record.result, _own_cells(record))
        yield from _drained(buffer)
    yield from _drained(buffer, at_least=1)


def _json_lines(records: Iterable[Record]) -> Iterator[bytes]:
    buffer = io.StringIO()
    for record in records:
        buffer.write(record.to_json() + "\n")
        yield from _drained(buffer)
    yield from _drained(buffer, at_least=1)


def _parquet(records: Iterable[Record]) -> Iterator[bytes]:
    """Parquet ends with its index, so the file is made first; it is compressed and lies on the disk meanwhile."""
    with tempfile.TemporaryDirectory(prefix="madeby-") as folder:
        path = Path(folder) / "export.parquet"
        sink = madeby.ParquetSink(path, ahead=RECORD_COLUMNS)
        try:
            for record in records:
                sink.write(record.result, _own_cells(record))
        except BaseException:
            sink.abort()
            raise
        sink.close()
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece


def _own_cells(record: Record) -> dict[str, str | None]:
    said = record.feedback
    return {
        "id": record.id,
        "created": record.created.isoformat(),
        "feedback": said.label.value if said else None,
        "feedback_note": said.note if said else None,
        "feedback_created": said.created.isoformat() if said else None,
    }


def _generator(result: Result) -> str | None:
    """The tool that the generator's metadata in the picture names."""
    details = (signal.detail for signal in result.signals if signal.name == "generator")
    return next((str(detail["tool"]) for detail in details if detail.get("tool")), None)


def _drained(buffer: io.StringIO, at_least: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Take out what a buffer holds, once it is enough to be sent."""
    if buffer.tell() >= at_least:
        yield buffer.getvalue().encode("utf-8", "backslashreplace")
        buffer.seek(0)
        buffer.truncate()
