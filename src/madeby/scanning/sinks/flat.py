"""The flat row that tables hold: one column a plain fact, signals as JSON."""

from __future__ import annotations

import json

from madeby.schema import Result

COLUMNS: dict[str, type] = {
    "schema": int,
    "source": str,
    "status": str,
    "verdict": str,
    "probability": float,
    "reason": str,
    "error_code": str,
    "error_message": str,
    "format": str,
    "width": int,
    "height": int,
    "bytes": int,
    "sha256": str,
    "jpeg_quality": int,
    "chroma_subsampling": str,
    "perceptual_hash": str,
    "model": str,
    "model_version": str,
    "model_sha256": str,
    "signals": str,
    "warnings": str,
    "decode_ms": float,
    "provenance_ms": float,
    "detector_ms": float,
}
"""Columns of the table, in order, with their type; every one but schema, source and status may be null."""

Cell = str | float | int | None


def flat_row(result: Result) -> dict[str, Cell]:
    """One result as a row of :data:`COLUMNS`; signals and warnings become JSON arrays."""
    picture, model, error = result.picture, result.model, result.error
    row: dict[str, Cell] = dict.fromkeys(COLUMNS)
    row.update(source=result.source, status=result.status, probability=result.probability, reason=result.reason)
    row["schema"] = result.schema_version
    row.update({f"{stage}_ms": spent for stage, spent in result.timing_ms.model_dump().items()})
    row["signals"] = json.dumps([signal.model_dump(mode="json") for signal in result.signals], ensure_ascii=False)
    row["warnings"] = json.dumps(list(result.warnings), ensure_ascii=False)
    if result.verdict is not None:
        row["verdict"] = result.verdict.value
    if error is not None:
        row.update(error_code=error.code.value, error_message=error.message)
    if picture is not None:
        row.update(picture.model_dump())
    if model is not None:
        row.update(model=model.name, model_version=model.version, model_sha256=model.sha256)
    return row
