"""Several sinks that take the same results, each from where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from madeby.errors import MadebyError
from madeby.scanning.answered import Answered
from madeby.schema import Result


class Sink(Protocol):
    """Takes results as they come."""

    def write(self, result: Result) -> None:
        """Take one result."""

    def close(self) -> None:
        """Finish."""

    def abort(self) -> None:
        """Stop where the scan was broken off."""


@runtime_checkable
class _Lasting(Protocol):
    """A sink that outlives the process: it knows which results it holds."""

    answered: Answered


class SeveralSinks:
    """Hands every result to all sinks but those that hold it already.

    ``answered`` is what all the lasting ones hold, for :func:`madeby.scan` to pass over. A kill may have come
    between two sinks: what only some of them hold is answered again, for the others.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        lasting = [sink.answered for sink in sinks if isinstance(sink, _Lasting)]
        self.answered = Answered.in_all(lasting)
        self._sinks = [(sink, sink.answered if isinstance(sink, _Lasting) else Answered()) for sink in sinks]

    def write(self, result: Result) -> None:
        """Hand on one result."""
        for sink, held in self._sinks:
            if not held.take(result.source):
                sink.write(result)

    def close(self) -> None:
        """Finish all, even if one cannot be.

        Raises:
            MadebyError: what went wrong, of all.
        """
        self._end(lambda sink: sink.close())

    def abort(self) -> None:
        """Stop all, even if one cannot be.

        Raises:
            MadebyError: what went wrong, of all.
        """
        self._end(lambda sink: sink.abort())

    def _end(self, end: Callable[[Sink], None]) -> None:
        problems = []
        for sink, _ in self._sinks:
            try:
                end(sink)
            except MadebyError as problem:
                problems.append(str(problem))
        if problems:
            raise MadebyError("; ".join(problems))
