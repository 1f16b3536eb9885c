"""Where ``madeby scan`` puts its results: the sinks that its options ask for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import MadebyError

if TYPE_CHECKING:
    from madeby import SeveralSinks, Sink


def sinks_for(
    *, jsonl: bool, jsonl_to: Path | None, csv: Path | None, parquet: str | None, resume: bool
) -> SeveralSinks:
    """The sinks asked for; the table on the terminal unless JSON lines take its place.

    Raises:
        MadebyError: one cannot be written, or there is nothing that could be resumed.
    """
    import madeby

    if resume and not (jsonl_to or csv or parquet):
        raise MadebyError("--resume goes on with a file: name it with --jsonl-to, --csv or --parquet FOLDER/")
    sinks: list[Sink] = []
    if jsonl_to is not None:
        sinks.append(madeby.JsonLinesFile(jsonl_to, resume=resume))
    if csv is not None:
        sinks.append(madeby.CsvSink(csv, resume=resume))
    if parquet is not None:
        sinks.append(_parquet_sink(parquet, resume))
    if jsonl:
        sinks.append(madeby.JsonLinesSink(sys.stdout))
    else:
        from madeby.cli.result_table import ResultTable

        sinks.append(ResultTable())
    return madeby.SeveralSinks(sinks)


def _parquet_sink(place: str, resume: bool) -> Sink:
    import madeby

    if "://" in place or place.endswith(("/", "\\")) or Path(place).is_dir():
        return madeby.ParquetFolderSink(place, resume=resume)
    if resume:
        raise MadebyError(f"{place}: one Parquet file cannot be resumed; name a folder, as {place.rpartition('.')[0]}/")
    return madeby.ParquetSink(Path(place))
