"""Fetches pictures from object stores while earlier ones are answered about: to wait for a network takes no core."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from madeby.errors import PictureError
from madeby.pictures.limits import Limits
from madeby.pictures.object_stores import FIRST_BYTES, in_object_store, read_if_small
from madeby.pictures.sources.unit import SourceUnit

if TYPE_CHECKING:
    from concurrent.futures import Future

REQUESTS_AT_ONCE = 12
BYTES_AHEAD = 128 << 20
"""What may be in memory ahead of its turn; a single picture always may."""


def read_ahead(units: Iterable[SourceUnit], limits: Limits = Limits()) -> Iterator[SourceUnit]:
    """The same units in the same order, those in object stores with their bytes.

    A picture of more than a few MiB is left to be read when its turn comes, so that memory is bounded whatever the
    sizes. From the first unit in an object store on, units are drawn in a thread of their own: what is ready is given
    even while the source (a pipe, say) has nothing new to offer.

    Args:
        units: what :func:`~madeby.pictures.sources.expand` gives.
        limits: pictures with more bytes are refused.
    """
    drawn = iter(units)
    for unit in drawn:
        if in_object_store(unit.name):
            yield from _read_ahead(chain((unit,), drawn), limits)
        else:
            yield unit


def _read_ahead(units: Iterable[SourceUnit], limits: Limits) -> Iterator[SourceUnit]:
    from concurrent.futures import ThreadPoolExecutor

    ahead: queue.SimpleQueue[tuple[Future[SourceUnit], int] | BaseException | None] = queue.SimpleQueue()
    room = _Room(BYTES_AHEAD)
    pool = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="madeby-read-ahead")

    def draw() -> None:
        try:
            for unit in units:
                size = len(unit.data) if unit.data is not None else FIRST_BYTES
                if not room.take(size):
                    return
                ahead.put((pool.submit(_fetched, unit, limits), size))
            ahead.put(None)
        except BaseException as error:  # handed to the reader's thread, which raises it
            ahead.put(error)

    threading.Thread(target=draw, name="madeby-sources", daemon=True).start()
    try:
        while (first := ahead.get()) is not None:
            if isinstance(first, BaseException):
                raise first
            future, size = first
            unit = future.result()
            room.give_back(size)
            yield unit
    finally:
        room.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _fetched(unit: SourceUnit, limits: Limits) -> SourceUnit:
    if unit.data is not None or unit.problem is not None or not in_object_store(unit.name):
        return unit
    try:
        data = read_if_small(unit.name, limits)
    except PictureError as problem:
        return SourceUnit.broken(unit.name, problem.code, problem.message)
    return unit if data is None else SourceUnit(unit.name, data)


class _Room:
    """Bytes that may be taken until others are given back."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, size: int) -> bool:
        """Wait until there is room, or nothing else is taken; False once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._taken or self._taken + size <= self._size)
            self._taken += size
            return not self._closed

    def give_back(self, size: int) -> None:
        with self._changed:
            self._taken -= size
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
