"""Asking detectors about pictures: one detector at a time, its degradations in turn, answers kept as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from madeby.datasets.parallel import in_order
from madeby.errors import MadebyError, PictureError
from madeby.evaluation.benchmarking.pictures import Wanted
from madeby.evaluation.benchmarking.record import DetectorInfo, Failure
from madeby.evaluation.benchmarking.scorers.scorer import DetectorFailedError, Entrant, Scorer, Shown
from madeby.evaluation.benchmarking.scores import Answer, ScoreFile
from madeby.evaluation.degrading import Chain
from madeby.pictures.decode import decode
from madeby.pictures.sources import read

Progress = Callable[[int, int], None]
Cell = tuple[str, str]
"""A detector's name and a degradation."""


@dataclass
class Asked:
    """What came of it: scores of each cell by picture, reasons for pictures without one, and who failed."""

    detectors: list[DetectorInfo] = field(default_factory=list)
    scores: dict[Cell, dict[str, float]] = field(default_factory=dict)
    unread: dict[Cell, dict[str, str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


def ask_all(
    entrants: Sequence[Entrant],
    chains: Sequence[Chain],
    wanted: Sequence[Wanted],
    folder: Path,
    *,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Asked:
    """Ask every detector about every picture after every degradation.

    A detector that cannot be had or fails on the way is noted, and the others go on; what it said before is kept for
    a later attempt.

    Args:
        entrants: detectors; each is opened when its turn comes and closed after it.
        chains: degradations.
        wanted: pictures.
        folder: where score files lie; answers found there are not asked for again.
        seed: of the chance in degradations.
        threads: pictures at a time, where a detector can take several; one a core if None.
        progress: called with (answers so far, their count).
    """
    asked = Asked()
    of_each = len(chains) * len(wanted)
    for turn, entrant in enumerate(entrants):
        count = _Count(turn * of_each, len(entrants) * of_each, progress)
        try:
            scorer = entrant.open()
        except MadebyError as error:
            asked.failures.append(Failure(detector=entrant.name, degradation=None, reason=str(error)))
            continue
        with closing(scorer):
            _ask_one(_Turn(entrant.name, scorer, wanted, folder, seed, threads, count), chains, asked)
    if progress is not None:
        progress(len(entrants) * of_each, len(entrants) * of_each)
    return asked


@dataclass
class _Count:
    """Tells now and then how many answers there are."""

    done: int
    total: int
    progress: Progress | None

    def add(self, answers: int) -> None:
        self.done += answers
        if self.progress is not None and (answers > 1 or self.done % 20 == 0):
            self.progress(self.done, self.total)


@dataclass(frozen=True)
class _Turn:
    """One detector's part."""

    name: str
    scorer: Scorer
    wanted: Sequence[Wanted]
    folder: Path
    seed: int
    threads: int | None
    count: _Count

    def answers(self, chain: Chain) -> dict[str, Answer]:
        """What it says about each picture after a chain, kept answers first."""
        with ScoreFile(self.folder, self.name, self.scorer.info.fingerprint, chain.text, self.seed) as file:
            missing = [one for one in self.wanted if one.key not in file.answers]
            self.count.add(len(self.wanted) - len(missing))
            given = in_order(lambda one: self._answer(one, chain), missing, self.scorer.threads or self.threads)
            for one, answer in zip(missing, given, strict=True):
                file.add(one.key, answer)
                self.count.add(1)
            return {one.key: file.answers[one.key] for one in self.wanted}

    def _answer(self, one: Wanted, chain: Chain) -> Answer:
        try:
            pixels = decode(read(one.path), perceptual_hash=False).pixels
            shown = Shown(one.path, chain.apply(pixels, one.seed(self.seed)), changed=bool(chain.steps))
            started = time.perf_counter()
            score = self.scorer.score(shown)
        except PictureError as error:
            return Answer(None, error.message)
        return Answer(score, ms=round((time.perf_counter() - started) * 1000, 2))


def _ask_one(turn: _Turn, chains: Sequence[Chain], asked: Asked) -> None:
    times: list[float] = []
    for chain in chains:
        try:
            answers = turn.answers(chain)
        except DetectorFailedError as error:
            asked.failures.append(Failure(detector=turn.name, degradation=chain.text, reason=str(error)))
            break
        cell = turn.name, chain.text
        unread = {key: answer.error or "" for key, answer in answers.items() if answer.score is None}
        if len(unread) == len(answers):
            reason = f"none of {len(answers)} pictures got a score; the first: {next(iter(unread.values()), '')}"
            asked.failures.append(Failure(detector=turn.name, degradation=chain.text, reason=reason))
            continue
        asked.scores[cell] = {key: answer.score for key, answer in answers.items() if answer.score is not None}
        asked.unread[cell] = unread
        times += [answer.ms for answer in answers.values() if answer.ms is not None]
    median = round(float(np.median(times)), 1) if times else None
    asked.detectors.append(turn.scorer.info.model_copy(update={"name": turn.name, "median_ms": median}))
