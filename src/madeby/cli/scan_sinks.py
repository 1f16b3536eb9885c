"""Where ``madeby scan`` puts its results: the sinks that its options ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import MadebyError

if TYPE_CHECKING:
    from madeby import FolderSink, SeveralSinks, Sink


def sinks_for(*, jsonl: bool, jsonl_to: str | None, csv: str | None, parquet: str | None, resume: bool) -> SeveralSinks:
    """The sinks asked for; the table on the terminal unless JSON lines take its place.

    Raises:
        MadebyError: one cannot be written, or there is nothing that could be resumed.
    """
    import madeby

    if resume and not (jsonl_to or csv or parquet):
        raise MadebyError("--resume goes on with a file: name it with --jsonl-to, --csv or --parquet FOLDER/")
    sinks: list[Sink] = []
    if jsonl_to is not None:
        sinks.append(_sink(jsonl_to, resume, madeby.JsonLinesFolderSink, madeby.JsonLinesFile))
    if csv is not None:
        sinks.append(_sink(csv, resume, madeby.CsvFolderSink, madeby.CsvSink))
    if parquet is not None:
        sinks.append(_sink(parquet, resume, madeby.ParquetFolderSink, _parquet_file))
    if jsonl:
        sinks.append(madeby.JsonLinesSink(sys.stdout))
    else:
        from madeby.cli.result_table import ResultTable

        sinks.append(ResultTable())
    return madeby.SeveralSinks(sinks)


def _sink(place: str, resume: bool, folder: type[FolderSink], file: Callable[..., Sink]) -> Sink:
    """A folder of parts, one object of a store, or a file of this machine, by how its place is written."""
    import madeby

    in_store = "://" in place
    if place.endswith(("/", "\\")) or (not place.endswith(folder.suffix) if in_store else Path(place).is_dir()):
        return folder(place, resume=resume)
    if not in_store:
        return file(Path(place), resume=resume)
    if resume:
        raise MadebyError(f"{place}: one object cannot be resumed; name a folder, as {place.rpartition('.')[0]}/")
    return madeby.ObjectSink(place, file)


def _parquet_file(path: Path, *, resume: bool = False) -> Sink:
    import madeby

    if resume:
        raise MadebyError(f"{path}: one Parquet file cannot be resumed; name a folder, as {path.with_suffix('')}/")
    return madeby.ParquetSink(path)
