"""The engine for one machine: a few threads that draw units, answer about them, and hand over results."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from madeby.pictures.sources import SourceUnit

Answer = TypeVar("Answer")

RESULTS_AHEAD = 64
"""Results that may wait for their turn or their reader; units are drawn no further ahead."""


def run_local(
    units: Iterable[SourceUnit], answer: Callable[[SourceUnit], Answer], *, workers: int, ordered: bool = True
) -> Generator[Answer]:
    """Answer about each unit, ``workers`` at a time.

    Memory is bounded whatever the number of units: each worker holds one, and draws the next when it is done. A
    result is given as soon as it is ready, even while the units (a pipe, say) have nothing new to offer.

    Args:
        units: what to answer about; drawn by one worker at a time.
        answer: gives the result of one unit and never raises; called by all workers at once.
        workers: how many.
        ordered: give results in the order of the units, else as they are ready.
    """
    early: dict[int, Answer] = {}
    wanted = 0
    places = threading.Semaphore(RESULTS_AHEAD)
    numbered = _answered(units, answer, workers, places)
    try:
        for number, result in numbered:
            if not ordered:
                yield result
                places.release()
                continue
            early[number] = result
            while wanted in early:
                yield early.pop(wanted)
                places.release()
                wanted += 1
    finally:
        numbered.close()


def _answered(
    units: Iterable[SourceUnit],
    answer: Callable[[SourceUnit], Answer],
    workers: int,
    places: threading.Semaphore,
) -> Generator[tuple[int, Answer]]:
    """Results as they are ready, with their units' numbers; one of ``places`` is taken for each."""
    numbered = enumerate(units)
    ready: queue.SimpleQueue[tuple[int, Answer] | BaseException | None] = queue.SimpleQueue()
    drawing, stopped = threading.Lock(), threading.Event()
    answering = [threading.Lock() for _ in range(workers)]

    def work(mine: threading.Lock) -> None:
        try:
            while True:
                with drawing:
                    places.acquire()
                    if stopped.is_set():
                        return
                    number, unit = next(numbered)
                with mine:
                    if stopped.is_set():
                        return
                    ready.put((number, answer(unit)))
        except StopIteration:
            places.release()
            ready.put(None)
        except BaseException as error:  # handed to the caller's thread, which raises it
            ready.put(error)

    for mine in answering:
        threading.Thread(target=work, args=(mine,), name="madeby-scan", daemon=True).start()
    at_work = workers
    try:
        while at_work:
            item = ready.get()
            if item is None:
                at_work -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        stopped.set()
        places.release(workers)
        # A worker that waits for a pipe is left behind; one that is answering is waited for, as the interpreter
        # must not end under native code.
        for mine in answering:
            with mine:  # given back at once: a worker that had just drawn a unit waits for it, to see that all is over
                pass
