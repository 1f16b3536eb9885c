"""Answers to fill a history with."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from madeby.schema import ModelInfo, PictureFacts, Result, Signal, Strength, Verdict
from madeby.web.record import Record

START = datetime(2026, 1, 1, tzinfo=UTC)


def result(source: str = "a.jpg", probability: float | None = 0.5, data: bytes = b"", **more: object) -> Result:
    values: dict[str, object] = {
        "source": source,
        "picture": PictureFacts(
            format="PNG", width=4, height=3, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        ),
        "verdict": Verdict.UNCERTAIN,
        "probability": probability,
        "reason": "pixel evidence between the thresholds",
        "signals": (Signal(name="detector", strength=Strength.WEAK, reason="crops agree", detail={"logit": 0.0}),),
        "model": ModelInfo(name="m", version="1", sha256="f" * 64),
    }
    return Result(**(values | more))


def record(source: str = "a.jpg", probability: float | None = 0.5, minutes: float = 0.0, **more: object) -> Record:
    return Record(created=START + timedelta(minutes=minutes), result=result(source, probability, **more))
