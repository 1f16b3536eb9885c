"""Results as a folder of Parquet files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from madeby.errors import needing_extra
from madeby.scanning.answered import Answered, Cuts, thresholds_in
from madeby.scanning.sinks.folder import FolderSink
from madeby.scanning.sinks.parquet import ParquetSink


class ParquetFolderSink(FolderSink):
    """Writes ``part-00000.parquet`` and so on; see :class:`FolderSink`."""

    suffix = ".parquet"

    def _prepare(self) -> None:
        with needing_extra("a Parquet table", "parquet"):
            import pyarrow  # noqa: F401 - missed here, before the work, and not at the first part

    def _begin(self, path: Path) -> ParquetSink:
        return ParquetSink(path)

    def _count(self, part: BinaryIO, answered: Answered) -> None:
        import pyarrow.parquet as pq

        with pq.ParquetFile(part) as table:
            for batch in table.iter_batches(columns=["source", "status", "model_sha256"]):
                for row in batch.to_pylist():
                    answered.add(row["source"], (row["model_sha256"] or "") if row["status"] == "ok" else None)
            if table.num_row_groups:
                answered.decided_by(_thresholds(table.read_row_group(0, columns=["status", "signals"])))


def _thresholds(rows: Any) -> Cuts | None:
    """Those of the first answer: one scan wrote the whole part."""
    first = next((row["signals"] for row in rows.to_pylist() if row["status"] == "ok"), "[]")
    return thresholds_in(json.loads(first))
