"""Results as a folder of Parquet files, for scans that are too long to lose."""

from __future__ import annotations

import time
from pathlib import Path

from madeby.errors import MadebyError, needing_extra
from madeby.scanning.answered import Answered
from madeby.scanning.sinks.parquet import ParquetSink
from madeby.scanning.sinks.parts import parts_folder
from madeby.schema import Result

ROWS_A_PART = 10_000
SECONDS_A_PART = 60.0


class ParquetFolderSink:
    """Writes ``part-00000.parquet`` and so on, each of which appears when it is whole and is never touched again.

    A part is closed after so many rows or seconds; a kill loses no more than the one under way, which
    ``resume`` answers anew. ``answered`` is what the folder held when it was opened.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        resume: bool = False,
        rows_a_part: int = ROWS_A_PART,
        seconds_a_part: float = SECONDS_A_PART,
    ) -> None:
        """Begin in an empty or new folder, or go on behind the parts that are there if ``resume``.

        ``folder`` may be an address in an object store, ``s3://bucket/results``.

        Raises:
            MissingExtraError: pyarrow is not installed.
            MadebyError: the folder cannot be written, or holds results and ``resume`` is not set.
        """
        with needing_extra("a Parquet table", "parquet"):
            import pyarrow  # noqa: F401 - missed here, before the work, and not at the first part
        self.answered = Answered()
        self._folder, self._rows_a_part, self._seconds_a_part = parts_folder(folder), rows_a_part, seconds_a_part
        self._part: ParquetSink | None = None
        self._rows, self._begun, self._number = 0, 0.0, 0
        parts = self._folder.numbers()
        if parts and not resume:
            where = self._folder.where()
            raise MadebyError(f"{where} holds results already; go on with --resume, or name another folder")
        for number in parts:
            self._go_on(number)
            self._number = number + 1

    def write(self, result: Result) -> None:
        """Take one result."""
        if self._part is None:
            self._part = ParquetSink(self._folder.place_for(self._number))
            self._rows, self._begun = 0, time.monotonic()
        self._part.write(result)
        self._rows += 1
        if self._rows >= self._rows_a_part or time.monotonic() - self._begun >= self._seconds_a_part:
            self.close()

    def close(self) -> None:
        """Give the part under way its name."""
        if self._part is not None:
            self._part.close()
            self._part = None
            self._folder.keep(self._number)
            self._number += 1

    def abort(self) -> None:
        """Keep the results so far: each is whole."""
        self.close()

    def _go_on(self, number: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with self._folder.open(number) as file, pq.ParquetFile(file) as part:
                for batch in part.iter_batches(columns=["source", "status", "model_sha256"]):
                    for row in batch.to_pylist():
                        self.answered.add(row["source"], (row["model_sha256"] or "") if row["status"] == "ok" else None)
        except (OSError, KeyError, pa.ArrowException) as error:
            said = f"part-{number:05}.parquet in {self._folder.where()} is no part of such results: {error}"
            raise MadebyError(f"cannot resume: {said}") from None
