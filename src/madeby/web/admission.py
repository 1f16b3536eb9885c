"""Back-pressure: how many requests, and how many bytes of them, the server takes on at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from madeby.web.refusal import RefusalError

RETRY_SECONDS = 2.0


class Admission:
    """Counts what is under way; beyond the limits requests are refused with 429 instead of held in memory.

    Used from the event loop only, so it needs no lock.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._max_requests, self._max_bytes = max_requests, max_bytes
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def request(self) -> Iterator[Reservation]:
        """A place for one request, given back at the end with all its bytes.

        Raises:
            RefusalError: 429, all places are taken.
        """
        if self.requests >= self._max_requests:
            raise _busy()
        self.requests += 1
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.requests -= 1
            reservation.release()

    def take(self, count: int) -> None:
        """Count bytes that are now held.

        Raises:
            RefusalError: 429, there is no room for them.
        """
        if self.bytes + count > self._max_bytes:
            raise _busy()
        self.bytes += count


class Reservation:
    """The bytes that one request holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.bytes = 0

    def take(self, count: int) -> None:
        """Hold more bytes.

        Raises:
            RefusalError: 429, there is no room for them.
        """
        self._admission.take(count)
        self.bytes += count

    def release(self) -> None:
        """Give all bytes back."""
        self._admission.bytes -= self.bytes
        self.bytes = 0


def _busy() -> RefusalError:
    return RefusalError(429, "busy", "the server has as much to do as it can hold; try again shortly", RETRY_SECONDS)
