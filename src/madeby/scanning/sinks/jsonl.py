"""Results as JSON lines: the full schema, one result a line."""

from __future__ import annotations

from typing import TextIO

from madeby.schema import Result


class JsonLinesSink:
    """Writes each result at once, so that a reader at the other end of a pipe sees it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        """Write one result as one line."""
        self._stream.write(result.to_json() + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held back; the stream stays open for its owner."""

    def abort(self) -> None:
        """Nothing is held back."""
