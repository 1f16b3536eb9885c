"""Fetches one file of known size and checksum, going on where an earlier attempt stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from madeby.detector.bundle import sha256_of
from madeby.errors import BundleError
from madeby.stores.storage import UnreachableError, storage_at

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be."""

PARTIAL_SUFFIX = ".part"

_ATTEMPTS_WITHOUT_PROGRESS = 3
_PAUSE_SECONDS = 0.5


def download(
    read: Callable[[int], Iterator[bytes]],
    target: Path,
    *,
    size: int,
    sha256: str,
    where: str,
    advance: Callable[[int], None],
) -> None:
    """Fetch a file to ``target``, which appears only once it is whole and verified.

    What was fetched lies in ``target`` with ``.part`` after its name, whatever happens; the next call asks for the
    rest only. A part that turns out to be of another file is thrown away and the whole is fetched once.

    Args:
        read: gives the bytes from a position on.
        target: the file; its folder exists.
        size: its bytes.
        sha256: its checksum.
        where: its address, for messages.
        advance: called with the bytes of the file that are there, as they grow.

    Raises:
        UnreachableError: the place broke off and did not go on after several attempts.
        BundleError: what it gives is not the file that is meant.
    """
    part = target.with_name(target.name + PARTIAL_SUFFIX)
    resumed = _size_of(part) > 0
    if _size_of(part) > size:
        part.unlink()
    _fill(read, part, size, where, advance)
    if resumed and not _is(part, size, sha256):
        part.unlink()
        _fill(read, part, size, where, advance)
    if not _is(part, size, sha256):
        found = f"{_size_of(part):,} bytes" if _size_of(part) != size else f"sha256 {sha256_of(part)[:12]}…"
        part.unlink()
        raise BundleError(
            f"{where} does not match its checksum (expected {size:,} bytes, sha256 {sha256[:12]}…, found {found}): "
            "it is damaged or was exchanged; publish the bundle again, under a new version if it changed"
        )
    part.replace(target)


def download_url(url: str, target: Path, *, size: int, sha256: str, advance: Callable[[int], None]) -> None:
    """Fetch the file at a web address, as :func:`download` does."""
    folder, _, name = url.rpartition("/")
    storage = storage_at(folder)
    download(
        lambda start: storage.read(name, start),
        target,
        size=size,
        sha256=sha256,
        where=storage.where(name),
        advance=advance,
    )


def fetched_so_far(target: Path) -> int:
    """The bytes of a file that a download which broke off has left."""
    return _size_of(target.with_name(target.name + PARTIAL_SUFFIX))


def forget(target: Path) -> None:
    """Throw away what a download which broke off has left."""
    target.with_name(target.name + PARTIAL_SUFFIX).unlink(missing_ok=True)


def _fill(
    read: Callable[[int], Iterator[bytes]], part: Path, size: int, where: str, advance: Callable[[int], None]
) -> None:
    """Append what is missing; more than ``size`` is never taken."""
    failures = 0
    while True:
        before = _size_of(part)
        try:
            _append(read, part, size, advance)
            if _size_of(part) in (before, size):  # whole, or the place has no more to give
                return
            problem = UnreachableError(f"{where} broke off after {_size_of(part):,} of {size:,} bytes; try again")
        except UnreachableError as error:
            problem = error
        failures = 0 if _size_of(part) > before else failures + 1
        if failures >= _ATTEMPTS_WITHOUT_PROGRESS:
            raise problem
        time.sleep(_PAUSE_SECONDS)


def _append(read: Callable[[int], Iterator[bytes]], part: Path, size: int, advance: Callable[[int], None]) -> None:
    with part.open("ab") as file:
        have = file.tell()
        if have < size:
            for piece in read(have):
                file.write(piece)
                have += len(piece)
                advance(min(have, size))
                if have > size:  # not our file, and maybe endless
                    break
        file.flush()
        os.fsync(file.fileno())


def _is(part: Path, size: int, sha256: str) -> bool:
    return _size_of(part) == size and sha256_of(part) == sha256


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
