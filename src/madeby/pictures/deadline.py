"""One time limit for a whole task, however many steps it takes."""

from __future__ import annotations

import time


class Deadline:
    """A moment after which a task is over.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """Move the moment to so many seconds from now."""
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always more than 0.

        Raises:
            TimeoutError: none are left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time allowed is over")
        return left
