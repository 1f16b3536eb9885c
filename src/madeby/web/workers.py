"""Threads for what would block the event loop, a bounded number at a time, each with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Returned = TypeVar("Returned")


class Workers:
    """A pool whose queue is the event loop's own: what waits here holds no thread.

    Decoding and inference release Python's lock, and one picture a core is the fastest way through a queue of them:
    a network run on one picture's views at a time already fills a core.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._places = asyncio.Semaphore(count)
        self.busy = 0
        self.waiting = 0

    async def run(self, work: Callable[[], Returned], seconds: float) -> Returned:
        """The result of ``work``, done in a thread; waiting for a thread does not count as its time.

        A thread cannot be stopped: one that takes longer keeps its place until it is done, so that stuck work
        shows as back-pressure and not as ever more threads.

        Raises:
            TimeoutError: it took longer than ``seconds``.
        """
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._done)
        return await asyncio.wait_for(asyncio.shield(future), seconds)

    def _done(self, future: asyncio.Future[Returned]) -> None:
        self.busy -= 1
        self._places.release()
        if not future.cancelled():
            future.exception()  # looked at, so that what nobody waits for any more is not reported as lost

    def close(self) -> None:
        """Let go of the threads; work that has begun is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)
