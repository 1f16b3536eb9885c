"""What every kind of source comes down to: one picture's name and a way to its bytes."""

from __future__ import annotations

from dataclasses import dataclass

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources.reading import read
from madeby.schema import ErrorInfo


@dataclass(frozen=True, eq=False, slots=True)
class SourceUnit:
    """One picture that a source holds; plain data, so that it can be handed to another thread, process or machine.

    ``name`` is what results call it. A file or an address is read where the picture is answered about, from
    ``name`` itself; what comes out of a stream (a member of an archive, a cell of a table) brings its ``data``
    along; what could not be taken out brings its ``problem``.
    """

    name: str
    data: bytes | None = None
    problem: ErrorInfo | None = None

    @classmethod
    def broken(cls, name: str, code: ErrorCode, message: str) -> SourceUnit:
        """A unit that stands for what cannot be read, so that it is answered for."""
        return cls(name, problem=ErrorInfo(code=code, message=message))

    def read(self, limits: Limits = Limits(), policy: FetchPolicy = FetchPolicy()) -> bytes:
        """The picture's bytes.

        Raises:
            PictureError: why it cannot be read.
        """
        if self.problem is not None:
            raise PictureError(self.problem.code, self.problem.message)
        return read(self.name, limits, policy) if self.data is None else self.data
