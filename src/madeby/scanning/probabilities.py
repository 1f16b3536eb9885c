"""Probabilities of many pictures, each counted once: what thresholds are set on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from madeby.detector.thresholds import Floats
from madeby.errors import PictureError
from madeby.pictures.sources import SourceUnit, expand, printable
from madeby.pictures.sources.read_ahead import read_ahead
from madeby.scanning.local import run_local
from madeby.scanning.pipeline import Pipeline


@dataclass(frozen=True)
class Read:
    """Calibrated probabilities of some pictures, and what became of the others.

    ``repeated`` counts files that are the same as an earlier one, ``outside`` those that lie outside what the model
    was validated on: their verdict is ``uncertain`` whatever the thresholds. ``unread`` names those that could not be
    read, with the reason. In the order of ``probabilities``, ``sources`` says what each picture is called, by the
    SHA-256 of its bytes, and ``collections`` where it comes from, None where unknown.
    """

    probabilities: Floats
    repeated: int
    outside: int
    unread: tuple[tuple[str, str], ...]
    sources: Mapping[str, str]
    collections: tuple[str | None, ...]

    @property
    def seen(self) -> int:
        """How many files there were."""
        return len(self.probabilities) + self.repeated + self.outside + len(self.unread)

    @property
    def left_out(self) -> str:
        """How many files do not count and why, in words; empty if all do."""
        counts = (
            (self.repeated, "repeated"),
            (self.outside, "outside the model's domain"),
            (len(self.unread), "unreadable"),
        )
        return ", ".join(f"{count:,} {why}" for count, why in counts if count)


def read_all(
    sources: Iterable[str],
    pipeline: Pipeline,
    *,
    workers: int,
    collections: Mapping[str, str] | None = None,
    done: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Read:
    """Read pictures as ``scan`` does.

    Args:
        sources: as for :func:`madeby.scan`.
        pipeline: with a detector.
        workers: pictures at a time.
        collections: where pictures come from, by their sources.
        done: what ``progress`` has counted before.
        progress: called with the number of files done.
    """
    units = read_ahead(expand(list(sources), limits=pipeline.limits, policy=pipeline.fetch_policy), pipeline.limits)
    with contextlib.closing(run_local(units, lambda unit: _answer(pipeline, unit), workers=workers)) as answers:
        return _gathered(answers, collections or {}, done, progress)


@dataclass(frozen=True)
class _Answer:
    """One picture's probability, or why there is none."""

    source: str
    sha256: str = ""
    probability: float | None = None
    outside: bool = False
    problem: str = ""


def _answer(pipeline: Pipeline, unit: SourceUnit) -> _Answer:
    source = printable(unit.name)
    try:
        examined = pipeline.examine_bytes(unit.read(pipeline.limits, pipeline.fetch_policy), unit.name)
    except PictureError as problem:
        return _Answer(source, problem=problem.message)
    if examined.picture is None or examined.reading is None or pipeline.detector is None:
        return _Answer(source, problem=examined.result.reason)
    outside = bool(pipeline.detector.out_of_domain(examined.picture.pixels))
    return _Answer(source, examined.picture.facts.sha256, examined.reading.probability, outside)


def _gathered(
    answers: Iterator[_Answer], collections: Mapping[str, str], done: int, progress: Callable[[int], None] | None
) -> Read:
    counted: dict[str, _Answer] = {}
    outside: set[str] = set()
    unread: list[tuple[str, str]] = []
    repeated = 0
    for number, answer in enumerate(answers, start=done + 1):
        if answer.probability is None:
            unread.append((answer.source, answer.problem))
        elif answer.sha256 in counted or answer.sha256 in outside:
            repeated += 1
        elif answer.outside:
            outside.add(answer.sha256)
        else:
            counted[answer.sha256] = answer
        if progress is not None:
            progress(number)
    return Read(
        np.array([answer.probability for answer in counted.values()], np.float64),
        repeated,
        len(outside),
        tuple(unread),
        {sha256: answer.source for sha256, answer in counted.items()},
        tuple(collections.get(answer.source) for answer in counted.values()),
    )
