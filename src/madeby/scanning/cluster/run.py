"""Runs a scan on a Ray cluster: hands out batches, takes the answers, and gives anew what was lost."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

from madeby.errors import ErrorCode, MadebyError
from madeby.pictures.sources import SourceUnit, printable
from madeby.scanning.cluster.answerer import Setup
from madeby.scanning.cluster.connection import connected, last_line
from madeby.scanning.cluster.drawing import Drawing
from madeby.scanning.cluster.options import RayCluster
from madeby.scanning.cluster.pool import Answered, Batch, Began, Event, Pool
from madeby.scanning.pipeline import failed
from madeby.schema import Result

RESULTS_AHEAD = 50_000
"""Results that may wait for their turn."""

SECONDS_A_BATCH = 1.0
BATCHES_A_SECOND = 32
"""A batch takes about a second, longer where there are so many actors that handing out would take this machine long."""

UNITS_A_BATCH = 256

DEATHS_AT_MOST = 3
"""Actors that may be lost over one picture before it is answered for with an error."""


def run_on_ray(
    units: Iterator[SourceUnit], setup: Setup, cluster: RayCluster, *, cores: int, ordered: bool = True
) -> Generator[Result]:
    """Answer about every unit with actors of a cluster.

    Every unit has exactly one result, whatever actors and machines are lost meanwhile: what was with them is given to
    others. A picture that takes one actor after another down is answered for with an error.

    Args:
        units: what to answer about; drawn on this machine.
        setup: what every actor needs.
        cluster: where, and how many actors.
        cores: of this machine, for a cluster that is begun on it.
        ordered: give results in the order of the units, else as they are ready.

    Raises:
        MissingExtraError: Ray is not installed; at the call.
        MadebyError: the cluster cannot be reached, or could never hold one actor, at the call; or actors cannot begin.
    """
    results = _results(units, setup, cluster, cores, ordered)
    next(results)  # what cannot begin is told of at the call
    return cast(Generator[Result], results)


def _results(
    units: Iterator[SourceUnit], setup: Setup, cluster: RayCluster, cores: int, ordered: bool
) -> Generator[Result | None]:
    with connected(cluster, cores) as ray:
        yield None
        try:
            yield from _Work(ray, units, setup, cluster, ordered=ordered).results()
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise MadebyError(f"the Ray cluster was lost: {last_line(error)}; go on with --resume") from None


class _Work:
    """What is to be done, what is under way, and what has to be done again."""

    def __init__(
        self, ray: Any, units: Iterator[SourceUnit], setup: Setup, cluster: RayCluster, *, ordered: bool
    ) -> None:
        self._ray, self._ordered = ray, ordered
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._pool = Pool(ray, cluster, setup, self._events.put)
        self._drawing = Drawing(
            units, setup.pipeline.limits, shared_files=cluster.shared_files, changed=lambda: self._events.put(None)
        )
        self._again: deque[Batch] = deque()
        self._given = 0
        self._early: dict[int, Result] = {}
        self._wanted = 0
        self._seconds: float | None = None  # that a picture takes, as far as is known

    def results(self) -> Iterator[Result]:
        """The results; in the end, however it comes, no actor is left."""
        with closing(self._pool), closing(self._drawing):
            for number, result in self._numbered():
                if not self._ordered:
                    yield result
                    continue
                self._early[number] = result
                while self._wanted in self._early:
                    yield self._early.pop(self._wanted)
                    self._wanted += 1

    def _numbered(self) -> Iterator[tuple[int, Result]]:
        """Results as they come, with their units' numbers."""
        while True:
            if not self._ray.is_initialized():
                raise ConnectionError("the connection has ended")
            self._hand_out()
            ending = self._drawing.over and not self._again
            if ending and not self._pool.busy:
                self._drawing.check()
                return
            wanting = bool(self._again) or (self._drawing.waiting and self._may_go_on())
            self._pool.fit(wanting=wanting, ending=ending)
            try:
                event = self._events.get(timeout=1.0)  # seconds: idle actors are dismissed when nothing happens
            except queue.Empty:
                continue
            if isinstance(event, Began):
                self._pool.has_begun(event)
            elif isinstance(event, Answered):
                yield from self._taken(event)

    def _hand_out(self) -> None:
        """Give batches to all actors that can take one."""
        while self._again:  # each alone with an actor: should that be lost too, it is known over what
            actor = self._pool.free(alone=True)
            if actor is None:
                return
            self._pool.give(actor, self._again.popleft(), alone=True)
        while self._may_go_on() and (actor := self._pool.free()):
            units = self._drawing.take(self._batch_size())
            if not units:
                return
            self._pool.give(actor, self._batch(self._given, units))
            self._given += len(units)

    def _may_go_on(self) -> bool:
        return not self._ordered or self._given - self._wanted < RESULTS_AHEAD

    def _batch_size(self) -> int:
        if self._seconds is None:
            return 1
        seconds = max(SECONDS_A_BATCH, self._pool.size / BATCHES_A_SECOND)
        return max(1, min(UNITS_A_BATCH, int(seconds / max(self._seconds, 1e-6))))

    def _batch(self, first: int, units: tuple[SourceUnit, ...], deaths: int = 0) -> Batch:
        return Batch(first, tuple(unit.name for unit in units), self._ray.put(units), deaths)

    def _taken(self, event: Answered) -> Iterator[tuple[int, Result]]:
        answers = self._pool.has_answered(event)
        if isinstance(answers, BaseException):
            yield from self._lost(event.batch, answers)
            return
        seconds = answers.seconds / len(answers.results)
        self._seconds = seconds if self._seconds is None else (self._seconds + seconds) / 2
        yield from enumerate(answers.results, event.batch.first)

    def _lost(self, batch: Batch, error: BaseException) -> Iterator[tuple[int, Result]]:
        """Do a batch again; one that takes actors down comes apart, until the picture that does it is known."""
        deaths = batch.deaths + 1
        single = len(batch.names) == 1
        if deaths < (DEATHS_AT_MOST if single else 2):
            self._again.append(replace(batch, deaths=deaths))
        elif not single:
            units = self._ray.get(batch.units)
            self._again.extend(self._batch(batch.first + at, (unit,), deaths=1) for at, unit in enumerate(units))
        else:
            message = (
                f"the process that examined it was lost {deaths} times ({last_line(error)}); "
                "it may take more memory than there is, else please report it"
            )
            yield batch.first, failed(printable(batch.names[0]), ErrorCode.INTERNAL, message)
