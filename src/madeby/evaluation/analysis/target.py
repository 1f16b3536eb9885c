"""What is to be analysed: an evaluation's predictions, a scan's results or a bare manifest, as one table."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import ValidationError

from madeby.datasets.manifest import COLUMNS, LABELS, PUBLISHED, read_manifest, usable
from madeby.errors import DataError
from madeby.evaluation.analysis.joining import joined
from madeby.evaluation.evaluate import METRICS_FILE, MOST_VALUES, PREDICTIONS_FILE
from madeby.evaluation.predict import PREDICTED
from madeby.scanning.sinks.flat import COLUMNS as SCANNED
from madeby.schema import ModelInfo, Result

Kind = Literal["evaluation", "scan", "manifest"]

JSON_LINES = (".jsonl", ".ndjson", ".json")

NEVER_SHARED = frozenset(
    (*COLUMNS, *PREDICTED, *SCANNED, PUBLISHED, "row")
) - {"generator", "collection"}  # fmt: skip
"""Columns that name, measure or judge single pictures; the others may say what pictures have in common."""


@dataclass(frozen=True)
class Target:
    """The pictures and the detector's answers.

    ``table`` has ``path`` (absolute, or a web address), ``label`` (null: unknown), ``probability`` (null: none) and
    ``shared`` columns, text that pictures can have in common. ``failed`` results were errors. ``notes`` tell what
    was left out or could not be matched.
    """

    kind: Kind
    table: pl.DataFrame
    shared: tuple[str, ...]
    model: ModelInfo | None
    data: str | None
    failed: int
    notes: tuple[str, ...]


def read_target(target: Path, data: Path | None = None) -> Target:
    """Read what an analysis starts from.

    Args:
        target: a folder that ``madeby evaluate`` wrote (or a run with one such folder inside), its
            ``predictions.parquet``, a file that ``madeby scan`` wrote (JSON lines, CSV or Parquet), or a manifest.
        data: a manifest that gives labels, further columns and, where files moved, their new places.

    Raises:
        DataError: nothing there can be analysed; the message says what is missing.
    """
    file = _predictions_in(target) if target.is_dir() else target
    if not file.is_file():
        raise DataError(
            f"there is no {target}: name a folder that `madeby evaluate` wrote, or results of `madeby scan` "
            "(JSON lines, CSV or Parquet)"
        )
    try:
        read = _read_json_lines(file) if file.suffix.lower() in JSON_LINES else _read_table(file)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None
    notes = list(read.notes)
    table = read.table
    if data is not None:
        matched = joined(table, usable(read_manifest(data, required=("path", "label"))), data)
        table, notes = matched.table, [*notes, *matched.notes]
    if table.is_empty():
        raise DataError(f"{file} lists no picture that could be analysed")
    return Target(
        kind=read.kind,
        table=table,
        shared=_shared_columns(table),
        model=read.model or _evaluated_model(file),
        data=str(data) if data is not None else _evaluated_data(file),
        failed=read.failed,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Read:
    """A file's rows before labels are joined."""

    kind: Kind
    table: pl.DataFrame
    model: ModelInfo | None = None
    failed: int = 0
    notes: tuple[str, ...] = ()


def _predictions_in(folder: Path) -> Path:
    """The one evaluation in a folder or in the folders right below it."""
    found = [
        path for path in (folder / PREDICTIONS_FILE, *sorted(folder.glob(f"*/{PREDICTIONS_FILE}"))) if path.is_file()
    ]
    if found and (found[0].parent == folder or len(found) == 1):
        return found[0]
    if found:
        named = ", ".join(str(path.parent) for path in found[:5])
        raise DataError(f"{folder} holds {len(found)} evaluations: name one of {named}")
    raise DataError(
        f"{folder} holds no {PREDICTIONS_FILE}: run `madeby evaluate` first (its folder is what is analysed), "
        "or name a file that `madeby scan` wrote"
    )


def _read_json_lines(file: Path) -> _Read:
    """A scan's results; lines that are none are counted, and an empty or foreign file is refused."""
    rows, failed, damaged, model = [], 0, 0, None
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                result = Result.from_json(line)
            except (ValidationError, ValueError):
                damaged += 1
                continue
            if not result.ok:
                failed += 1
                continue
            model = model or result.model
            rows.append((result.source, result.probability, result.picture.sha256 if result.picture else None))
    if not rows and damaged:
        raise DataError(f"{file} holds no results of `madeby scan --jsonl`: none of its {damaged} lines is one")
    schema = {"path": pl.String, "probability": pl.Float64, "sha256": pl.String}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    notes = (f"{damaged:,} damaged lines of {file.name} were left out",) if damaged else ()
    return _Read("scan", _conformed(table, file), model, failed, notes)


def _read_table(file: Path) -> _Read:
    """Predictions, a scan's table or a manifest, told apart by their columns."""
    try:
        table = pl.read_csv(file, infer_schema_length=None) if file.suffix.lower() == ".csv" else pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{file} cannot be read as a table (Parquet, or CSV named .csv): {reason}") from None
    if "source" in table.columns and "status" in table.columns and "path" not in table.columns:
        good = table.filter(pl.col("status") == "ok")
        # The CSV sink puts an apostrophe before text that a spreadsheet would run.
        plain = good.with_columns(pl.col("source").cast(pl.String).str.replace(r"^'([=+\-@\t\r])", "$1").alias("path"))
        return _Read("scan", _conformed(plain, file), _scanning_model(good), len(table) - len(good))
    if "path" not in table.columns:
        raise DataError(
            f"{file} has no column path (predictions of `madeby evaluate`) or source and status (`madeby scan`); "
            f"it has {', '.join(table.columns[:8])}"
        )
    if "problem" in table.columns:
        table = usable(table)
    return _Read("evaluation" if "probability" in table.columns else "manifest", _conformed(table, file))


def _conformed(table: pl.DataFrame, file: Path) -> pl.DataFrame:
    """The table with absolute paths, one row each, a label column and a probability column."""
    for column, kind in (("label", pl.String), ("probability", pl.Float64)):
        if column not in table.columns:
            table = table.with_columns(pl.lit(None, kind).alias(column))
    try:
        table = table.with_columns(pl.col("path", "label").cast(pl.String), pl.col("probability").cast(pl.Float64))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{file} has a column of the wrong type: {str(error).splitlines()[0]}") from None
    foreign = set(table["label"].drop_nulls().unique().to_list()) - set(LABELS)
    if foreign:
        raise DataError(f"{file}: column label holds {sorted(foreign)[0]!r}; allowed are {', '.join(LABELS)}")
    outside = table.filter(~pl.col("probability").is_between(0, 1))
    if len(outside):
        raise DataError(f"{file}: column probability holds {outside['probability'][0]}; it must lie in 0..1")
    table = table.filter(pl.col("path").is_not_null())
    paths = [path if "://" in path else _absolute(path) for path in table["path"]]
    return table.with_columns(pl.Series("path", paths, pl.String)).unique("path", keep="first", maintain_order=True)


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # resolve() would follow links, and joins go by the names given


def _shared_columns(table: pl.DataFrame) -> tuple[str, ...]:
    """Text columns with at least 2 and at most 60 values that pictures can have in common."""
    return tuple(
        name
        for name, kind in table.schema.items()
        if kind == pl.String and name not in NEVER_SHARED and 2 <= table[name].n_unique() <= MOST_VALUES
    )


def _scanning_model(table: pl.DataFrame) -> ModelInfo | None:
    names = ("model", "model_version", "model_sha256")
    if any(name not in table.columns for name in names):
        return None
    first = table.select(names).drop_nulls().head(1).rows()
    return ModelInfo(name=str(first[0][0]), version=str(first[0][1]), sha256=str(first[0][2])) if first else None


def _evaluated_model(file: Path) -> ModelInfo | None:
    """The model that ``metrics.json`` beside the predictions names."""
    try:
        return ModelInfo.model_validate(_metrics_beside(file)["model"])
    except (KeyError, ValidationError):
        return None


def _evaluated_data(file: Path) -> str | None:
    data = _metrics_beside(file).get("data")
    return data if isinstance(data, str) else None


def _metrics_beside(file: Path) -> dict[str, object]:
    try:
        content = json.loads((file.parent / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if file.name == PREDICTIONS_FILE and isinstance(content, dict) else {}
