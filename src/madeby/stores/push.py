"""Publishes a bundle in a store: its files first, its index last."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from madeby.detector.bundle import SPEC_FILE, Bundle, BundleSpec, sha256_of
from madeby.errors import BundleError
from madeby.stores.contents import CONTENTS_FILE, Contents
from madeby.stores.download import Progress
from madeby.stores.index import INDEX_FILE, INDEX_MAX_BYTES, BundleIndex, FileEntry, identity_of, index_of
from madeby.stores.storage import NotThereError, Storage, read_small, storage_at
from madeby.stores.versions import newest_first


@dataclass(frozen=True)
class PushedModel:
    """A bundle as it was published; ``already_there`` if just this bundle was before."""

    url: str
    name: str
    version: str
    identity: str
    already_there: bool


def push(
    bundle: Bundle,
    address: str,
    *,
    version: str | None = None,
    endpoint: str | None = None,
    progress: Progress | None = None,
) -> PushedModel:
    """Publish a bundle as ``NAME/VERSION/`` below a store's address.

    The index is written last: until then nobody sees the version. A published version is never changed.

    Args:
        bundle: what to publish.
        address: the store: a folder, or a URL that can be written to.
        version: publish it as this version, instead of the bundle's own.
        endpoint: address of the S3 service, for those that are not AWS.
        progress: called with (bytes written, their count).

    Raises:
        BundleError: the store cannot be written, or holds another bundle of this name and version.
    """
    storage = storage_at(address, endpoint)
    with _as_version(bundle, version) as (spec, spec_file):
        index = index_of(Bundle(bundle.folder, spec))
        if spec_file != bundle.folder / SPEC_FILE:
            index = _with_spec_file(index, spec_file)
        folder = f"{index.name}/{index.version}"
        data = index.to_json()
        there = _index_there(storage, f"{folder}/{INDEX_FILE}")
        if there is not None and there.files != index.files:
            raise BundleError(
                f"{storage.where(folder)} is published already with other files, and a published version never "
                "changes; publish yours under a new one: --version"
            )
        if there is None:
            _write_files(storage, folder, index, {SPEC_FILE: spec_file}, bundle.folder, progress)
            _write_bytes(storage, f"{folder}/{INDEX_FILE}", data)
    _write_contents(storage, index)
    return PushedModel(storage.where(folder), index.name, index.version, identity_of(data), there is not None)


def _write_files(
    storage: Storage,
    folder: str,
    index: BundleIndex,
    instead: dict[str, Path],
    origin: Path,
    progress: Progress | None,
) -> None:
    done = 0
    for entry in index.files:
        storage.write(f"{folder}/{entry.path}", instead.get(entry.path, origin / entry.path))
        done += entry.bytes
        if progress is not None:
            progress(done, index.total_bytes)


def _write_contents(storage: Storage, index: BundleIndex) -> None:
    """Note what the store holds, as a listing shows it now, for readers that cannot list."""
    models = {name: newest_first(storage.folders(name)) for name in storage.folders()}
    models[index.name] = newest_first({*models.get(index.name, []), index.version})
    contents = Contents(models={name: tuple(versions) for name, versions in sorted(models.items()) if versions})
    _write_bytes(storage, CONTENTS_FILE, contents.to_json())


def _index_there(storage: Storage, path: str) -> BundleIndex | None:
    try:
        return BundleIndex.from_json(read_small(storage, path, INDEX_MAX_BYTES), storage.where(path))
    except NotThereError:
        return None


def _write_bytes(storage: Storage, path: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="madeby-") as folder:
        file = Path(folder) / "file"
        file.write_bytes(data)
        storage.write(path, file)


@contextmanager
def _as_version(bundle: Bundle, version: str | None) -> Iterator[tuple[BundleSpec, Path]]:
    """The bundle's spec and its file, in another version if asked for."""
    if version is None or version == bundle.spec.version:
        yield bundle.spec, bundle.folder / SPEC_FILE
        return
    spec = bundle.spec.model_copy(update={"version": version})
    with tempfile.TemporaryDirectory(prefix="madeby-") as folder:
        Bundle(Path(folder), spec).write_spec()
        yield spec, Path(folder) / SPEC_FILE


def _with_spec_file(index: BundleIndex, spec_file: Path) -> BundleIndex:
    files = tuple(
        FileEntry(path=entry.path, bytes=spec_file.stat().st_size, sha256=sha256_of(spec_file))
        if entry.path == SPEC_FILE
        else entry
        for entry in index.files
    )
    return index.model_copy(update={"files": files})
