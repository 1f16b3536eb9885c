"""Where pictures come from: files, folders, patterns, a list on standard input, web addresses."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.fetch import FetchPolicy, fetch
from madeby.pictures.formats import PICTURE_SUFFIXES
from madeby.pictures.limits import Limits

STANDARD_INPUT = "-"

_WILDCARD = re.compile(r"[*?\[]")
_CREDENTIALS = re.compile(r"(?i)^(https?://)[^/?#]*@")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP))


def expand(sources: Iterable[str], *, standard_input: Iterable[str] | None = None) -> Iterator[str]:
    """Every picture that the sources name, one at a time, as they are found.

    - A file is taken whatever its suffix; one that does not exist stays in the stream, and :func:`read` says so.
    - A folder gives its files with a picture's suffix, then those of its folders, each in order of name; hidden
      ones are left out, and a folder reached twice (through links) is entered once.
    - A pattern (``*``, ``?``, ``[...]``, ``**`` for any depth) gives the files it matches, by the same rules;
      if it names a suffix itself, as ``*.dat`` does, that suffix is taken.
    - ``-`` gives the sources on standard input, one a line.
    - A web address is passed on as it is.

    A folder or pattern that yields nothing is passed on too, and :func:`read` says that it holds no pictures:
    nothing that a user named goes unanswered.

    Args:
        sources: what the user named.
        standard_input: lines to read in place of the process's own standard input.
    """
    for source in sources:
        if source == STANDARD_INPUT:
            lines = _standard_input_lines() if standard_input is None else standard_input
            for line in lines:
                if (name := line.rstrip("\r\n")).strip():
                    yield from _expand_one(name)
        else:
            yield from _expand_one(source)


def read(source: str, limits: Limits = Limits(), policy: FetchPolicy = FetchPolicy()) -> bytes:
    """The bytes of one expanded source; a file's size is checked before it is read.

    Raises:
        PictureError: why it cannot be read; the message names the source.
    """
    if _SCHEME.match(source):
        return fetch(source, replace(policy, max_bytes=min(policy.max_bytes, limits.max_bytes)))
    name = printable(source)
    try:
        return _read_file(source, name, limits)
    except PictureError:
        raise
    except PermissionError as problem:
        raise PictureError(ErrorCode.NOT_PERMITTED, f"{name}: reading it is not permitted") from problem
    except ValueError as problem:  # a name with a NUL character
        raise PictureError(ErrorCode.NOT_FOUND, f"{name!a} cannot be the name of a file") from problem
    except OSError as problem:
        if problem.errno not in _ABSENT:
            raise PictureError(ErrorCode.UNREADABLE, f"{name}: {problem.strerror or problem}") from problem
        if _WILDCARD.search(source):
            raise PictureError(ErrorCode.NOT_FOUND, f"no picture matches {name}") from problem
        raise PictureError(ErrorCode.NOT_FOUND, f"there is no file {name}") from problem


def printable(source: str) -> str:
    """The source as text that any encoding and JSON can carry and anyone may see.

    Undecodable bytes of a name become ``\\xNN``; a web address loses its user name and password.
    """
    source = _CREDENTIALS.sub(r"\1", source)
    try:
        source.encode()
    except UnicodeEncodeError:
        return os.fsencode(source).decode("utf-8", "backslashreplace")
    return source


def _expand_one(source: str) -> Iterator[str]:
    if _SCHEME.match(source):
        yield source
        return
    try:
        kind = Path(source).stat().st_mode
    except (OSError, ValueError):
        found = _matches(source) if _WILDCARD.search(source) else iter(())
    else:
        found = _pictures_below(source) if stat.S_ISDIR(kind) else iter((source,))
    first = next(found, None)
    if first is None:
        yield source
    else:
        yield first
        yield from found


def _pictures_below(top: str) -> Iterator[str]:
    """Pictures in a folder and then in its folders; links are followed, but no folder is entered twice."""
    waiting, entered = [top], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted((e for e in listing if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError:  # gone by now, or closed to us; if it is what the user named, read will say which
            continue
        folders = [entry.path for entry in entries if _is_folder(entry)]
        waiting += reversed(folders)
        yield from (e.path for e in entries if e.path not in folders and _has_picture_suffix(e.name))


def _has_picture_suffix(name: str) -> bool:
    return Path(name).suffix.lower() in PICTURE_SUFFIXES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _matches(pattern: str) -> Iterator[str]:
    """Files that match a pattern, sorted; the parts before its first wildcard are taken literally."""
    parts = Path(pattern).parts
    first = next(number for number, part in enumerate(parts) if _WILDCARD.search(part))
    root = Path(*parts[:first])
    wild = parts[first:] if parts[-1] != "**" else (*parts[first:], "*")
    names_suffix = bool(Path(wild[-1]).suffix) and not _WILDCARD.search(Path(wild[-1]).suffix)
    asks_for_hidden = any(part.startswith(".") for part in wild)
    try:
        # Unlike the glob module, a path's own glob does not follow links into folders, hence no loops.
        found = sorted(str(path) for path in root.glob(str(Path(*wild))))
    except (OSError, ValueError, NotImplementedError):  # pathlib's words for an unreadable folder or impossible pattern
        return
    for name in found:
        path = Path(name)
        inner = path.relative_to(root).parts
        if not asks_for_hidden and any(part.startswith(".") for part in inner):
            continue
        if (names_suffix or _has_picture_suffix(name)) and path.is_file():
            yield name


def _read_file(source: str, name: str, limits: Limits) -> bytes:
    # Looked at before it is opened: opening a pipe waits for a writer, opening a device can do anything.
    _check_kind(Path(source).stat().st_mode, source, name)
    # It may have been exchanged since; opened without waiting, it is looked at once more.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(source, flags), "rb") as file:
        status = os.fstat(file.fileno())
        _check_kind(status.st_mode, source, name)
        limits.check_bytes(status.st_size)
        return file.read(status.st_size)


def _check_kind(mode: int, source: str, name: str) -> None:
    if stat.S_ISDIR(mode):
        with os.scandir(source):  # a closed folder is refused here, as not permitted
            raise PictureError(ErrorCode.NOT_FOUND, f"the folder {name} holds no pictures")
    if not stat.S_ISREG(mode):
        raise PictureError(ErrorCode.UNSUPPORTED, f"{name} is a pipe, socket or device, not a file")


def _standard_input_lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield os.fsdecode(line)
