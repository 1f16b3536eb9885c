"""Archives and tables on the web: read as they come, or brought here first where they are read from their end."""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from contextlib import ExitStack
from typing import IO, Any, BinaryIO, cast

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.deadline import Deadline
from madeby.pictures.fetch import FetchPolicy, in_words, open_body

PIECE = 1 << 20


def in_web(source: str) -> bool:
    """Whether a source is an http or https address."""
    return source.lower().startswith(("http://", "https://"))


def open_web(url: str, policy: FetchPolicy = FetchPolicy(), *, seekable: bool = False) -> BinaryIO:
    """What an address answers with, open for reading; addresses are checked as :func:`madeby.fetch` does.

    What is read in one go takes neither memory nor disk, and may have ``max_streamed_bytes``. What has to be
    ``seekable`` is brought into a temporary file first, of ``max_spooled_bytes`` at most. ``timeout_seconds`` is the
    most that each MiB may take to come; the time that its reader takes between reads does not count.

    Raises:
        PictureError: as :func:`madeby.fetch`; reading raises it, too.
    """
    stream = _WebStream(url, policy, policy.max_spooled_bytes if seekable else policy.max_streamed_bytes)
    if not seekable:
        return io.BufferedReader(stream, PIECE)
    with stream:
        return _spooled(stream)


class _WebStream(io.RawIOBase):
    def __init__(self, url: str, policy: FetchPolicy, max_bytes: int) -> None:
        self._policy = policy
        self._deadline = Deadline(policy.timeout_seconds)
        self._left_for_piece, self._of_piece = policy.timeout_seconds, 0
        self._rest = memoryview(b"")
        self._problem: Exception | None = None
        self._connection = ExitStack()
        self._body = open_body(url, policy, self._deadline, self._connection, max_bytes)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = self._next()
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._connection.close()
        super().close()

    def _next(self) -> bytes | None:
        """The next bytes; a stream that has failed goes on failing, for it does not end there."""
        if self._problem is not None:
            raise self._problem
        self._deadline.restart(self._left_for_piece)
        begun = time.monotonic()
        try:
            with in_words(lambda: self._body.where, self._policy):
                piece = next(self._body.pieces, None)
        except Exception as problem:
            self._problem = problem
            raise
        self._left_for_piece -= time.monotonic() - begun
        self._of_piece += len(piece or b"")
        if self._of_piece >= PIECE:
            self._left_for_piece, self._of_piece = self._policy.timeout_seconds, 0
        return piece


def _spooled(stream: io.RawIOBase) -> BinaryIO:
    file: IO[bytes] = tempfile.TemporaryFile(prefix="madeby-")  # noqa: SIM115 - handed to the caller, who closes it
    try:
        shutil.copyfileobj(cast(BinaryIO, stream), file, PIECE)
        file.seek(0)
    except OSError as problem:
        file.close()
        said = f"no room for it in {tempfile.gettempdir()} ({problem.strerror}); name another folder with TMPDIR"
        raise PictureError(ErrorCode.TOO_LARGE, said) from problem
    except BaseException:
        file.close()
        raise
    return cast(BinaryIO, file)
