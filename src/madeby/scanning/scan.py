"""The verb ``scan``: from what a person names to a stream of results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit, expand, printable
from madeby.provenance import ReadingOptions
from madeby.scanning.answered import Answered
from madeby.scanning.answering import Answering
from madeby.scanning.local import run_local
from madeby.scanning.pipeline import Pipeline
from madeby.schema import Result


def scan_with(
    bundle: Bundle | None,
    sources: Iterable[str | Path],
    *,
    provenance: bool = True,
    reading: ReadingOptions | None = None,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    standard_input: Iterable[str] | None = None,
    column: str | None = None,
    answered: Answered | None = None,
) -> Iterator[Result]:
    """Answer about every picture that the sources name; see :func:`madeby.scan`, which finds the bundle."""
    named = [str(source) for source in sources]
    # One picture alone takes all cores; of several under way each takes one, so that none waits for another.
    if len(named) == 1 and (named[0].startswith(("http://", "https://")) or Path(named[0]).is_file()):
        workers = 1
    workers = workers or os.cpu_count() or 1
    threads = 0 if workers == 1 else 1
    limits = limits or Limits()
    pipeline = Pipeline(
        detector=Detector(bundle, threads=threads) if bundle else None,
        provenance=provenance,
        reading=reading or ReadingOptions(),
        limits=limits,
        fetch_policy=FetchPolicy(allow_private=allow_private, max_bytes=limits.max_bytes),
    )
    units = expand(named, standard_input=standard_input, column=column, limits=limits)
    if answered is not None:
        answered.check_model(bundle.info.sha256 if bundle else "")
        units = _not_in(answered, units)
    return run_local(units, Answering(pipeline), workers=workers)


def _not_in(answered: Answered, units: Iterator[SourceUnit]) -> Iterator[SourceUnit]:
    return (unit for unit in units if not answered.take(printable(unit.name)))
