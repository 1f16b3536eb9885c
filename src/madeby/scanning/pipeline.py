"""The one function that answers about a picture; every engine and every face runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from madeby.detector.detector import Detector
from madeby.errors import ErrorCode, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import printable, read
from madeby.provenance import ReadingOptions, read_provenance
from madeby.schema import ErrorInfo, Result, Signal, Timing
from madeby.verdict import decide

Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Pipeline:
    """What to do with each picture: immutable, so that threads share one.

    ``detector`` is None where the pixels are not to be judged.
    """

    detector: Detector | None
    provenance: bool = True
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    limits: Limits = field(default_factory=Limits)
    fetch_policy: FetchPolicy = field(default_factory=FetchPolicy)

    def answer(self, source: str) -> Result:
        """Read a source (a path or a URL) and answer about it; what goes wrong becomes the result's error."""
        return self._guarded(printable(source), lambda: read(source, self.limits, self.fetch_policy))

    def answer_bytes(self, data: bytes, source: str) -> Result:
        """Answer about a picture already in memory; ``source`` is the name it goes by."""
        return self._guarded(printable(source), lambda: data)

    def _guarded(self, source: str, load: Callable[[], bytes]) -> Result:
        try:
            return self._answer(load(), source)
        except PictureError as error:
            return failed(source, error.code, error.message)
        except Exception as error:  # a defect of ours must not take a batch of thousands down
            return failed(source, ErrorCode.INTERNAL, f"unexpected {type(error).__name__}: {error}; please report it")

    def _answer(self, data: bytes, source: str) -> Result:
        picture, decode_ms = _timed(lambda: decode(data, self.limits))
        signals: tuple[Signal, ...] = ()
        provenance_ms = detector_ms = probability = None
        outside: list[str] = []
        if self.provenance:
            signals, provenance_ms = _timed(lambda: read_provenance(picture, self.reading))
        if self.detector is not None:
            detector = self.detector
            reading, detector_ms = _timed(lambda: detector.read(picture.pixels))
            signals = (detector.signal(reading), *signals)
            probability = reading.probability
            outside = detector.out_of_domain(picture.pixels)
        decision = decide(
            signals,
            probability=probability,
            thresholds=self.detector.bundle.spec.thresholds if self.detector else None,
            out_of_domain=outside,
        )
        return Result(
            source=source,
            picture=picture.facts,
            verdict=decision.verdict,
            probability=probability,
            reason=decision.reason,
            signals=signals,
            warnings=(*picture.warnings, *decision.warnings),
            model=self.detector.bundle.info if self.detector else None,
            timing_ms=Timing(decode=decode_ms, provenance=provenance_ms, detector=detector_ms),
        )


def failed(source: str, code: ErrorCode, message: str) -> Result:
    """The result of a picture that could not be answered about."""
    return Result(source=source, status="error", error=ErrorInfo(code=code, message=message), reason=message)


def _timed(work: Callable[[], Returned]) -> tuple[Returned, float]:
    start = time.perf_counter()
    value = work()
    return value, round((time.perf_counter() - start) * 1000, 2)
