"""Reads one file or web address, whatever may lie behind its name."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from typing import BinaryIO

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.fetch import FetchPolicy, fetch
from madeby.pictures.limits import Limits
from madeby.pictures.object_stores import in_object_store, open_object, read_object
from madeby.pictures.sources.names import SCHEME, WILDCARD, printable
from madeby.pictures.web_files import in_web, open_web

_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP))


def read(source: str, limits: Limits = Limits(), policy: FetchPolicy = FetchPolicy()) -> bytes:
    """The bytes of one file or web address; a file's size is checked before it is read.

    Raises:
        PictureError: why it cannot be read; the message names the source.
    """
    if in_object_store(source):
        return read_object(source, limits)
    if SCHEME.match(source):
        return fetch(source, replace(policy, max_bytes=min(policy.max_bytes, limits.max_bytes)))
    with open_file(source) as file:
        size = os.fstat(file.fileno()).st_size
        limits.check_bytes(size)
        try:
            return file.read(size)
        except OSError as problem:
            raise _refused(source, problem) from problem


def open_file(source: str, policy: FetchPolicy = FetchPolicy(), *, seekable: bool = False) -> BinaryIO:
    """A regular file, an object of a store or what a web address answers with, open for reading.

    Args:
        source: its name.
        policy: which web addresses are allowed, and the limits.
        seekable: whether it is to be read otherwise than from its beginning to its end.

    Raises:
        PictureError: why it cannot be; the message names it.
    """
    if in_object_store(source):
        return open_object(source)
    if in_web(source):
        return open_web(source, policy, seekable=seekable)
    try:
        # Looked at before it is opened: opening a pipe waits for a writer, opening a device can do anything.
        _check_kind(os.stat(source).st_mode, source)  # noqa: PTH116 - making a Path takes as long as all the rest
        # It may have been exchanged since; opened without waiting, it is looked at once more.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(source, flags), "rb")
        try:
            _check_kind(os.fstat(file.fileno()).st_mode, source)
        except BaseException:
            file.close()
            raise
    except (OSError, ValueError) as problem:
        raise _refused(source, problem) from problem
    return file


def _check_kind(mode: int, source: str) -> None:
    if stat.S_ISDIR(mode):
        with os.scandir(source):  # a closed folder is refused here, as not permitted
            raise PictureError(ErrorCode.NOT_FOUND, f"the folder {printable(source)} holds no pictures")
    if not stat.S_ISREG(mode):
        raise PictureError(ErrorCode.UNSUPPORTED, f"{printable(source)} is a pipe, socket or device, not a file")


def _refused(source: str, problem: OSError | ValueError) -> PictureError:
    name = printable(source)
    if isinstance(problem, PermissionError):
        return PictureError(ErrorCode.NOT_PERMITTED, f"{name}: reading it is not permitted")
    if isinstance(problem, ValueError):  # a name with a NUL character
        return PictureError(ErrorCode.NOT_FOUND, f"{name!a} cannot be the name of a file")
    if problem.errno not in _ABSENT:
        return PictureError(ErrorCode.UNREADABLE, f"{name}: {problem.strerror or problem}")
    if WILDCARD.search(source):
        return PictureError(ErrorCode.NOT_FOUND, f"no picture matches {name}")
    return PictureError(ErrorCode.NOT_FOUND, f"there is no file {name}")
