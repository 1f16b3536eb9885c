"""Results in parts: a folder of files, each of which appears when it is whole and is never touched again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, ClassVar

from madeby.errors import MadebyError
from madeby.scanning.answered import Answered
from madeby.scanning.sinks.parts import parts_folder
from madeby.scanning.sinks.several import Sink
from madeby.schema import Result

ROWS_A_PART = 10_000
SECONDS_A_PART = 60.0


class FolderSink(ABC):
    """Writes ``part-00000`` and so on, for scans that are too long to lose.

    A part is closed after so many results or seconds; a kill loses no more than the one under way, which
    ``resume`` answers anew. ``answered`` is what the folder held when it was opened. Kinds of files differ in how
    a part is begun and how the results in one are counted. One folder is for one scan at a time.
    """

    suffix: ClassVar[str]

    def __init__(
        self,
        folder: str | Path,
        *,
        resume: bool = False,
        rows_a_part: int = ROWS_A_PART,
        seconds_a_part: float = SECONDS_A_PART,
    ) -> None:
        """Begin in an empty or new folder, or go on behind the parts that are there if ``resume``.

        ``folder`` may be an address in an object store, ``s3://bucket/results``.

        Raises:
            MissingExtraError: what writes such files, or to such addresses, is not installed.
            MadebyError: the folder cannot be written, or holds results and ``resume`` is not set.
        """
        self._prepare()
        self.answered = Answered()
        self._folder = parts_folder(folder, self.suffix)
        self._rows_a_part, self._seconds_a_part = rows_a_part, seconds_a_part
        self._part: Sink | None = None
        self._rows, self._begun, self._number = 0, 0.0, 0
        parts = self._folder.numbers()
        if parts and not resume:
            where = self._folder.where()
            raise MadebyError(f"{where} holds results already; go on with --resume, or name another folder")
        for number in parts:
            try:
                with self._folder.open(number) as file:
                    self._count(file, self.answered)
            except Exception as error:  # damage and each store's troubles come in every type there is
                said = f"{self._folder.name(number)} in {self._folder.where()} is no part of such results: {error}"
                raise MadebyError(f"cannot resume: {said}") from None
            self._number = number + 1

    def write(self, result: Result) -> None:
        """Take one result."""
        if self._part is None:
            self._part = self._begin(self._folder.place_for(self._number))
            self._rows, self._begun = 0, time.monotonic()
        self._part.write(result)
        self._rows += 1
        if self._rows >= self._rows_a_part or time.monotonic() - self._begun >= self._seconds_a_part:
            self.close()

    def close(self) -> None:
        """Give the part under way its name."""
        if self._part is not None:
            self._part.close()
            self._part = None
            self._folder.keep(self._number)
            self._number += 1

    def abort(self) -> None:
        """Keep the results so far: each is whole."""
        self.close()

    def _prepare(self) -> None:  # noqa: B027 - most kinds of files need nothing
        """Find out what is missing before the work, and not at the first part."""

    @abstractmethod
    def _begin(self, path: Path) -> Sink:
        """A sink that writes one part."""

    @abstractmethod
    def _count(self, part: BinaryIO, answered: Answered) -> None:
        """Count the results that a part holds; any exception where it holds something else."""
