"""The engine for one machine: a pool of threads, results in the order of the sources, bounded memory."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from madeby.pictures.sources import SourceUnit
from madeby.schema import Result


def run_local(
    units: Iterable[SourceUnit], answer: Callable[[SourceUnit], Result], *, workers: int | None = None
) -> Iterator[Result]:
    """Answer about each unit, in order, ``workers`` at a time (one a core if None).

    Units are drawn only a little ahead of the results, so that memory does not grow with their number. They
    are drawn in a thread of their own: a result is given as soon as it is ready, even while the sources (a
    pipe, say) have nothing new to offer.
    """
    workers = workers or os.cpu_count() or 1
    answers: queue.SimpleQueue[Future[Result] | None] = queue.SimpleQueue()
    places = threading.Semaphore(2 * workers)
    stopped = threading.Event()

    def feed(pool: ThreadPoolExecutor) -> None:
        try:
            for unit in units:
                places.acquire()
                if stopped.is_set():
                    return
                answers.put(pool.submit(answer, unit))
            answers.put(None)
        except BaseException as error:  # handed to the caller's thread, which raises it
            broken: Future[Result] = Future()
            broken.set_exception(error)
            answers.put(broken)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="madeby-scan")
    feeder = threading.Thread(target=feed, args=(pool,), name="madeby-sources", daemon=True)
    feeder.start()
    try:
        while (coming := answers.get()) is not None:
            result = coming.result()
            places.release()
            yield result
    finally:
        stopped.set()
        places.release()
        pool.shutdown(wait=False, cancel_futures=True)
