"""Brings a published bundle to this machine: resumable, verified, and whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from madeby.detector.bundle import Bundle
from madeby.errors import BundleError
from madeby.stores import builtin, cache
from madeby.stores.download import Progress, download
from madeby.stores.index import INDEX_FILE, FileEntry, matches
from madeby.stores.public_files import fetch_public
from madeby.stores.published import Published, find_published
from madeby.stores.storage.address import is_url
from madeby.stores.storage.folder import FolderStorage
from madeby.stores.versions import split_version


def pull(model: str, *, endpoint: str | None = None, progress: Progress | None = None) -> Bundle:
    """Fetch the bundle that a name or an address means, unless it is here already, and open it.

    A name is that of a model which the package knows where to get, or of one that was pulled before, from where
    it was pulled; ``@version`` after it chooses a version.

    Safe against several pulls at once (one fetches, the others wait for it) and against being killed at any moment
    (what was fetched so far is kept for the next pull, and never taken for a bundle).

    Raises:
        UnreachableError: the store does not answer.
        BundleError: there is no such bundle, it is damaged, or the cache cannot be written.
    """
    address = _address_of(model)
    published = find_published(address, endpoint)
    bundle = fetch_published(published, progress)
    cache.remember_origin(address, published.index, published.identity, fixed=published.fixed)
    return bundle


def _address_of(model: str) -> str:
    if is_url(model):
        return model
    name, version = split_version(model)
    if name in FolderStorage(builtin.PACKAGE_STORE).folders():
        return str(builtin.PACKAGE_STORE / model)
    before = cache.address_of(name, version)
    if before is not None:
        return before
    if Path(name).is_dir():
        return str(Path(model).absolute())
    known = ", ".join(FolderStorage(builtin.PACKAGE_STORE).folders())
    raise BundleError(
        f"nobody told where to pull {model!r} from: give its address, as s3://bucket/models/{name}"
        + (f"; known by name: {known}" if known else "")
    )


def fetch_published(published: Published, progress: Progress | None = None) -> Bundle:
    """The published bundle from the cache, fetched first if it is not there or was damaged there."""
    from filelock import FileLock

    target = cache.folder_for(published.index, published.identity)
    partial = cache.partial_for(published.index, published.identity)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(partial) + ".lock"):
            if target.is_dir():
                try:
                    return cache.open_cached(target)
                except (BundleError, OSError):  # damaged since: its sound files are kept, the others fetched again
                    if partial.exists():
                        shutil.rmtree(target)
                    else:
                        target.replace(partial)
            _fetch_files(published, partial, progress)
            _keep_only_published(published, partial)
            _check_bundle(published, partial)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
            _settle(target.parent)
    except OSError as error:
        named = error.filename or partial.parent
        raise BundleError(
            f"cannot keep {published.where} in the cache: {named}: {error.strerror or error}; "
            "MADEBY_HOME names another cache folder"
        ) from None
    return Bundle.open(target)


def _fetch_files(published: Published, partial: Path, progress: Progress | None) -> None:
    partial.mkdir(parents=True, exist_ok=True)
    total = published.index.total_bytes
    free = shutil.disk_usage(partial).free
    if total > free + sum(path.stat().st_size for path in partial.rglob("*") if path.is_file()):
        raise BundleError(
            f"{published.where} has {total:,} bytes, {partial.parent} only {free:,} free; make room there"
        )
    done = 0
    for entry in sorted(published.index.files, key=lambda entry: entry.head is not None):  # what they need comes first
        so_far = done

        def advance(count: int, so_far: int = so_far) -> None:
            if progress is not None:
                progress(so_far + count, total)

        _fetch_file(published, entry, partial / entry.path, advance)
        done += entry.bytes
        if progress is not None:
            progress(done, total)
    (partial / INDEX_FILE).write_bytes(published.data)


def _fetch_file(published: Published, entry: FileEntry, target: Path, advance: Callable[[int], None]) -> None:
    if matches(target, entry):
        return
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.source is not None:
        fetch_public(entry, entry.source, target, advance, folder=target.parents[entry.path.count("/")])
        return
    path = published.path_of(entry.path)
    download(
        lambda start: published.storage.read(path, start),
        target,
        size=entry.bytes,
        sha256=entry.sha256,
        where=published.storage.where(path),
        advance=advance,
    )


def _keep_only_published(published: Published, partial: Path) -> None:
    """Remove what pulls that were killed left beside the bundle's own files."""
    kept = {partial / entry.path for entry in published.index.files} | {partial / INDEX_FILE}
    for path in list(partial.rglob("*")):
        if path.is_file() and path not in kept:
            path.unlink()


def _check_bundle(published: Published, partial: Path) -> None:
    """Refuse what is stored soundly but is no bundle, before it gets its name in the cache."""
    try:
        spec = Bundle.open(partial).spec
    except BundleError as error:
        shutil.rmtree(partial)
        raise BundleError(f"{published.where} is not a sound model bundle: {error}") from None
    if (spec.name, spec.version) != (published.index.name, published.index.version):
        shutil.rmtree(partial)
        raise BundleError(
            f"{published.where}: its index is of {published.index.name} {published.index.version}, its bundle of "
            f"{spec.name} {spec.version}; publish it again with madeby models push"
        )


def _settle(folder: Path) -> None:
    """Make a renaming survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
