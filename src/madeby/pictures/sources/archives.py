"""Pictures inside archives, in the archive's own order, one in memory at a time and never written to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.formats import sniff
from madeby.pictures.limits import Limits
from madeby.pictures.sources.folders import has_picture_suffix
from madeby.pictures.sources.names import file_name, printable
from madeby.pictures.sources.reading import open_file
from madeby.pictures.sources.unit import SourceUnit

ZIP_SUFFIX = ".zip"
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")

_SNIFFED_BYTES = 512


class Member(Protocol):
    """One file of an archive."""

    @property
    def name(self) -> str:
        """Its path in the archive, as the archive has it: it may be absolute, or lead upwards."""

    @property
    def size(self) -> int:
        """Its bytes when unpacked, as the archive claims."""

    def open(self) -> BinaryIO:
        """Its bytes.

        Raises:
            PictureError: they cannot be had, as of a link or an encrypted member.
        """


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive which is read."""
    return file_name(name).lower().endswith((ZIP_SUFFIX, *TAR_SUFFIXES))


def archive_around(source: str) -> str | None:
    """The archive in which a path such as ``archive.zip/inner/a.jpg`` lies, if it does."""
    return next((str(path) for path in Path(source).parents if is_archive(path.name) and path.is_file()), None)


def pictures_in_archive(
    path: str, limits: Limits = Limits(), policy: FetchPolicy = FetchPolicy(), *, inside: str = ""
) -> Iterator[SourceUnit]:
    """Members with a picture's suffix, each with its bytes; hidden ones are left out.

    What cannot be taken out of an archive is answered for: a member that is encrypted, damaged or too large under
    its own name, all that is behind a damage or a cut under the archive's.

    Args:
        path: a ``.zip``, or a ``.tar`` that may be compressed; tars are read as a stream, once.
        limits: members with more bytes are not unpacked.
        policy: which web addresses are allowed, where the archive has one.
        inside: one member, or the folder inside the archive, to take; as ``archive.zip/inner``.
    """
    found = 0
    try:
        with open_file(path, policy, seekable=_is_zip(path)) as file:
            for member in _members(path, file):
                name = f"{path}/{_inner_name(member.name)}"
                if not _is_wanted(name, path, inside):
                    continue
                unit = _unit(name, member, limits)
                found += 1
                yield unit
    except PictureError as problem:
        yield SourceUnit.broken(path, problem.code, problem.message)
    except Exception as problem:  # archives report damage in every type there is
        reason = str(problem) or type(problem).__name__
        said = f"{printable(path)} is damaged or cut off ({reason}); {found:,} of its pictures were found before that"
        yield SourceUnit.broken(path, ErrorCode.UNREADABLE, said)
    else:
        if not found:
            where = printable(inside or path)
            yield SourceUnit.broken(where, ErrorCode.NOT_FOUND, f"the archive {where} holds no pictures")


def _members(path: str, file: BinaryIO) -> Iterator[Member]:
    if _is_zip(path):
        from madeby.pictures.sources.zip_members import zip_members

        return zip_members(file)
    from madeby.pictures.sources.tar_members import tar_members

    return tar_members(file_name(path), file)


def _is_zip(path: str) -> bool:
    return file_name(path).lower().endswith(ZIP_SUFFIX)


def _inner_name(name: str) -> str:
    """A member's name below the archive: whatever it says, it leads neither upwards nor to the root."""
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))


def _is_wanted(name: str, path: str, inside: str) -> bool:
    if inside:
        return name == inside or (name.startswith(inside.rstrip("/") + "/") and has_picture_suffix(name))
    parts = name[len(path) + 1 :].split("/")
    return has_picture_suffix(name) and not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _unit(name: str, member: Member, limits: Limits) -> SourceUnit:
    try:
        limits.check_bytes(member.size)
        with member.open() as file:
            # What is no picture is not unpacked: its first bytes are enough to be refused for.
            data = file.read(_SNIFFED_BYTES)
            if sniff(data) is not None:
                data += file.read(limits.max_bytes + 1 - len(data))
        limits.check_bytes(len(data))  # what the archive claims need not be so
        return SourceUnit(name, data)
    except PictureError as problem:
        return SourceUnit.broken(name, problem.code, problem.message)
