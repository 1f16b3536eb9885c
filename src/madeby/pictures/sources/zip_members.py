"""The members of a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from madeby.errors import ErrorCode, PictureError

_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file of a zip archive."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def name(self) -> str:
        """Its path in the archive."""
        return self.info.filename

    @property
    def size(self) -> int:
        """Its bytes when unpacked, as the archive's directory claims."""
        return self.info.file_size

    def open(self) -> BinaryIO:
        """Its bytes; damage of one member leaves the others readable."""
        if self.info.flag_bits & _ENCRYPTED:
            raise PictureError(ErrorCode.UNREADABLE, f"{self.name} is encrypted; unpack it with its password first")
        try:
            return cast(BinaryIO, _Guarded(self.archive.open(self.info), self.name))
        except Exception as problem:  # the module reports damage in every type there is
            raise _damaged(self.name, problem) from problem


class _Guarded:
    """A member being read, whose damage shows only then."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Exception as problem:  # as above
            raise _damaged(self._name, problem) from problem

    def __enter__(self) -> _Guarded:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def zip_members(file: BinaryIO) -> Iterator[ZipMember]:
    """The files of a zip archive, in the order of its directory, which is read at once.

    Raises:
        zipfile.BadZipFile: it is none, or its directory is damaged or cut off.
    """
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield ZipMember(archive, info)


def _damaged(name: str, problem: Exception) -> PictureError:
    reason = str(problem) or type(problem).__name__
    return PictureError(ErrorCode.UNREADABLE, f"{name} cannot be unpacked: {reason}")
