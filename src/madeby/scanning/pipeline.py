"""The one function that answers about a picture; every engine and every face runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from madeby.detector.detector import Detector, Reading
from madeby.errors import ErrorCode, PictureError
from madeby.pictures.decode import Picture, decode
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import printable, read
from madeby.provenance import ReadingOptions, read_provenance
from madeby.schema import ErrorInfo, Result, Signal, Timing
from madeby.verdict import decide

Returned = TypeVar("Returned")


@dataclass(frozen=True, eq=False)
class Examined:
    """A result and what it came from; no ``picture`` where none could be read, no ``reading`` where no detector ran."""

    result: Result
    picture: Picture | None = None
    reading: Reading | None = None


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
        return self.examine(source).result

    def answer_bytes(self, data: bytes, source: str) -> Result:
        """Answer about a picture already in memory; ``source`` is the name it goes by."""
        return self.examine_bytes(data, source).result

    def examine(self, source: str) -> Examined:
        """As :meth:`answer`, keeping the decoded picture and the detector's reading."""
        return self._guarded(printable(source), lambda: read(source, self.limits, self.fetch_policy))

    def examine_bytes(self, data: bytes, source: str) -> Examined:
        """As :meth:`answer_bytes`, keeping the decoded picture and the detector's reading."""
        return self._guarded(printable(source), lambda: data)

    def _guarded(self, source: str, load: Callable[[], bytes]) -> Examined:
        try:
            return self._examine(load(), source)
        except PictureError as error:
            return Examined(failed(source, error.code, error.message))
        except Exception as error:  # a defect of ours must not take a batch of thousands down
            message = f"unexpected {type(error).__name__}: {error}; please report it"
            return Examined(failed(source, ErrorCode.INTERNAL, message))

    def _examine(self, data: bytes, source: str) -> Examined:
        picture, decode_ms = _timed(lambda: decode(data, self.limits))
        signals: tuple[Signal, ...] = ()
        provenance_ms = detector_ms = reading = None
        outside: list[str] = []
        if self.provenance:
            signals, provenance_ms = _timed(lambda: read_provenance(picture, self.reading))
        if self.detector is not None:
            detector = self.detector
            reading, detector_ms = _timed(lambda: detector.read(picture.pixels))
            signals = (detector.signal(reading), *signals)
            outside = detector.out_of_domain(picture.pixels)
        decision = decide(
            signals,
            probability=reading.probability if reading else None,
            thresholds=self.detector.bundle.spec.thresholds if self.detector else None,
            out_of_domain=outside,
        )
        result = Result(
            source=source,
            picture=picture.facts,
            verdict=decision.verdict,
            probability=reading.probability if reading else None,
            reason=decision.reason,
            signals=signals,
            warnings=(*picture.warnings, *decision.warnings),
            model=self.detector.bundle.info if self.detector else None,
            timing_ms=Timing(decode=decode_ms, provenance=provenance_ms, detector=detector_ms),
        )
        return Examined(result, picture, reading)


def failed(source: str, code: ErrorCode, message: str) -> Result:
    """The result of a picture that could not be answered about."""
    return Result(source=source, status="error", error=ErrorInfo(code=code, message=message), reason=message)


def _timed(work: Callable[[], Returned]) -> tuple[Returned, float]:
    start = time.perf_counter()
    value = work()
    return value, round((time.perf_counter() - start) * 1000, 2)
