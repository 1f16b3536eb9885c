"""The members of a tar archive, read as a stream: nothing is listed first, nothing is kept."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self, cast

from madeby.errors import ErrorCode, PictureError, needing_extra

_LONGEST_HEADER = 1 << 20
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class DamagedTarError(Exception):
    """A tar archive that does not go on as one."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file of a tar archive; to be read before the next one is asked for."""

    archive: tarfile.TarFile
    info: tarfile.TarInfo

    @property
    def name(self) -> str:
        """Its path in the archive."""
        return self.info.name

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.info.size

    def open(self) -> BinaryIO:
        """Its bytes."""
        if not self.info.isreg():
            what = "a link" if self.info.islnk() or self.info.issym() else "no regular file"
            raise PictureError(
                ErrorCode.UNSUPPORTED, f"{self.name} is {what} inside the archive, which is not followed"
            )
        return cast(BinaryIO, self.archive.extractfile(self.info))


def tar_members(path: str, file: BinaryIO) -> Iterator[TarMember]:
    """The members of a tar archive that are no folders, as they come; a damage ends them with an exception.

    Args:
        path: its name, whose suffix says how it is compressed.
        file: its bytes, as a stream.
    """
    with tarfile.open(fileobj=_unpacked(path.lower(), file), mode="r|", tarinfo=_Header) as archive:
        met: list[tarfile.TarInfo] = vars(archive)["members"]
        while (info := archive.next()) is not None:
            met.clear()  # the library would keep every one
            if not info.isdir():
                yield TarMember(archive, info)


class _Header(tarfile.TarInfo):
    """A header that is refused where the library would take damage for the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as problem:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # the empty block with which an archive ends
                raise
            raise DamagedTarError("no end mark" if not buf else str(problem)) from None
        if header.type in _HEADERS and header.size > _LONGEST_HEADER:  # these are read into memory
            raise DamagedTarError(f"a header of {header.size:,} bytes")
        return header


def _unpacked(path: str, file: BinaryIO) -> BinaryIO:
    if path.endswith((".gz", ".tgz")):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))
    if path.endswith("bz2"):
        return cast(BinaryIO, bz2.BZ2File(file))
    if path.endswith("xz"):
        return cast(BinaryIO, lzma.LZMAFile(file))
    if path.endswith("zst"):
        with needing_extra("reading .tar.zst archives", "parquet"):
            import pyarrow
        return cast(BinaryIO, pyarrow.CompressedInputStream(file, "zstd"))
    return file
