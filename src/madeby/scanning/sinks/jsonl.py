"""Results as JSON lines: the full schema, one result a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from madeby.errors import MadebyError
from madeby.scanning.answered import Answered, thresholds_in
from madeby.schema import Result

_START = b'{"schema":'
"""What every line begins with."""


def count_line(line: bytes, answered: Answered) -> None:
    """Count the result that a line holds.

    Raises:
        ValueError, KeyError, TypeError: it holds something else.
    """
    result = json.loads(line)
    asked = (result["model"] or {"sha256": ""})["sha256"] if result["status"] == "ok" else None
    if not isinstance(result["source"], str):
        raise TypeError("the source is no text")
    answered.add(result["source"], asked)
    answered.decided_by(thresholds_in(result["signals"]))


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


class JsonLinesFile:
    """A file of JSON lines that an interrupted scan can go on with.

    ``answered`` is what the file held when it was opened.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """Begin the file anew, or behind its last whole line if ``resume``.

        Raises:
            MadebyError: it cannot be written, or resumed because it holds something else.
        """
        self.answered = Answered()
        try:
            self._file = path.open("r+b" if resume and path.exists() else "wb")
            if resume:
                self._go_on(path)
        except OSError as error:
            raise MadebyError(f"cannot write {path}: {error.strerror or error}") from None

    def write(self, result: Result) -> None:
        """Write one result as one line, at once: a kill can only leave a last line that is torn."""
        self._file.write(result.to_json().encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def abort(self) -> None:
        """Finish the file with the lines it has."""
        self.close()

    def _go_on(self, path: Path) -> None:
        end = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    if not line.endswith(b"\n") and line[: len(_START)] == _START[: len(line)]:
                        break  # torn by a kill
                    count_line(line, self.answered)
                except (ValueError, KeyError, TypeError):
                    self._file.close()
                    raise MadebyError(
                        f"cannot resume: line {number} of {path} is no result of madeby; name another file"
                    ) from None
                end += len(line)
        self._file.truncate(end)
        self._file.seek(end)
