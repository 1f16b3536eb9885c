"""Draws units on this machine, with the bytes of what only this machine can read, until actors take them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from madeby.errors import PictureError
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit
from madeby.pictures.sources.names import SCHEME

UNITS_AHEAD = 1024
BYTES_AHEAD = 64 << 20
"""What may be drawn ahead of the actors; a single picture always may."""

BYTES_A_BATCH = 8 << 20
_IN_THIS_PROCESS = "memory://"


class Drawing:
    """Units ahead of the actors, drawn by a thread of its own: a pipe that has nothing to offer holds up nobody.

    Files of this machine are read here; addresses of the web and of object stores are left to the actors.
    """

    def __init__(
        self, units: Iterator[SourceUnit], limits: Limits, *, shared_files: bool, changed: Callable[[], None]
    ) -> None:
        """Begin to draw.

        Args:
            units: what :func:`~madeby.pictures.sources.expand` gives.
            limits: pictures with more bytes are refused.
            shared_files: leave files to the actors too.
            changed: called, from the thread, when there is something to take again and when there is no more.
        """
        self._units, self._limits, self._shared_files, self._changed = units, limits, shared_files, changed
        self._drawn: deque[SourceUnit] = deque()
        self._bytes = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._room = threading.Condition()
        threading.Thread(target=self._draw, name="madeby-sources", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether there is something to take."""
        return bool(self._drawn)

    @property
    def over(self) -> bool:
        """Whether everything has been taken and nothing will come."""
        with self._room:
            return self._ended and not self._drawn

    def check(self) -> None:
        """Raise what the source raised, if that is why nothing more comes."""
        if self._error is not None:
            raise self._error

    def take(self, most: int) -> tuple[SourceUnit, ...]:
        """As many units as are there, up to ``most`` and to 8 MiB but for a single larger one; never waits."""
        taken: list[SourceUnit] = []
        size = 0
        with self._room:
            while self._drawn and len(taken) < most:
                more = _bytes_of(self._drawn[0])
                if taken and size + more > BYTES_A_BATCH:
                    break
                taken.append(self._drawn.popleft())
                size += more
            self._bytes -= size
            self._room.notify()
        return tuple(taken)

    def close(self) -> None:
        """Draw no more. The thread ends with the unit that it is drawing."""
        with self._room:
            self._closed = True
            self._room.notify()

    def _draw(self) -> None:
        try:
            for unit in self._units:
                if not self._add(self._with_bytes(unit)):
                    return
        except BaseException as error:  # handed to the reader's thread, which raises it
            self._error = error
        with self._room:
            self._ended = True
        self._changed()

    def _add(self, unit: SourceUnit) -> bool:
        with self._room:
            self._room.wait_for(lambda: self._closed or (len(self._drawn) < UNITS_AHEAD and self._bytes < BYTES_AHEAD))
            if self._closed:
                return False
            self._drawn.append(unit)
            self._bytes += _bytes_of(unit)
            was_empty = len(self._drawn) == 1
        if was_empty:
            self._changed()
        return True

    def _with_bytes(self, unit: SourceUnit) -> SourceUnit:
        if unit.data is not None or unit.problem is not None or not self._read_here(unit.name):
            return unit
        try:
            return SourceUnit(unit.name, unit.read(self._limits))
        except PictureError as problem:
            return SourceUnit.broken(unit.name, problem.code, problem.message)

    def _read_here(self, name: str) -> bool:
        if SCHEME.match(name):
            return name.startswith(_IN_THIS_PROCESS)
        return not self._shared_files


def _bytes_of(unit: SourceUnit) -> int:
    return len(unit.data) if unit.data is not None else 0
