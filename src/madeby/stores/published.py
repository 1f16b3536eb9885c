"""Finds published bundles in a store: ``NAME/VERSION/index.json`` below the store's address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from madeby.detector.bundle import SPEC_FILE
from madeby.errors import BundleError
from madeby.stores.index import INDEX_FILE, INDEX_MAX_BYTES, BundleIndex, identity_of
from madeby.stores.storage import NotThereError, Storage, read_small, storage_at
from madeby.stores.storage.address import printable_url
from madeby.stores.versions import newest_first, split_version


@dataclass(frozen=True)
class PublishedModel:
    """A bundle in a store: its address, name and version, and ``identity``, which differs if any file differs."""

    url: str
    name: str
    version: str
    identity: str


@dataclass(frozen=True)
class Published:
    """One bundle in a store.

    ``folder`` is its path below the storage, ``fixed`` whether the address named just this version, and ``data``
    the index as it lies there.
    """

    storage: Storage
    folder: str
    index: BundleIndex
    data: bytes
    fixed: bool

    @property
    def identity(self) -> str:
        """SHA-256 of the index, which stands for all the files."""
        return identity_of(self.data)

    @property
    def summary(self) -> PublishedModel:
        """The bundle without the means to read it."""
        return PublishedModel(printable_url(self.where), self.index.name, self.index.version, self.identity)

    @property
    def where(self) -> str:
        """The bundle's full address."""
        return self.storage.where(self.folder)

    @property
    def place(self) -> str:
        """The address that was asked, without credentials."""
        return printable_url(self.storage.where())

    @property
    def named(self) -> str:
        """What to give as ``--model`` for just this version."""
        model, _, version = self.where.rpartition("/")
        return f"{model}@{version}" if self.folder else self.where

    def path_of(self, file: str) -> str:
        """Path of one of its files below the storage."""
        return _join(self.folder, file)


def find_published(address: str, endpoint: str | None = None) -> Published:
    """The bundle that an address means.

    The address is that of a version's folder, of a model's folder (its newest version is meant, or the one after
    ``@``), or of a store that holds one model.

    Raises:
        BundleError: there is no bundle, or there are several to choose from.
    """
    base, version = split_version(address)
    storage = storage_at(base, endpoint)
    if version is not None:
        return _version_of(storage, version)
    whole = _bundle_at(storage, "", fixed=True)
    if whole is not None:
        return whole
    names = storage.folders()
    newest = _newest(storage, "", names)
    if newest is not None:
        return newest
    models = {name: versions for name in names if (versions := storage.folders(name))}
    found = [each for name, versions in models.items() if (each := _newest(storage, name, versions))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = [each.folder.rpartition("/")[0] for each in found]
        raise BundleError(
            f"{storage.where()} is a store of several models ({', '.join(listed)}): "
            f"name one, as {storage.where(listed[0])}"
        )
    raise _nothing_at(storage)


def all_published(address: str, endpoint: str | None = None) -> Iterator[Published]:
    """Every bundle in a store, or every version of a model, by name and from the newest to the oldest.

    Raises:
        BundleError: the store cannot be read, or holds nothing.
    """
    storage = storage_at(address, endpoint)
    whole = _bundle_at(storage, "", fixed=True)
    if whole is not None:
        yield whole
        return
    empty = True
    for name in newest_first(storage.folders()):
        version = _bundle_at(storage, name, fixed=True)
        if version is not None:
            empty = False
            yield version
    if not empty:
        return
    for name in storage.folders():
        for version_name in newest_first(storage.folders(name)):
            version = _bundle_at(storage, f"{name}/{version_name}", fixed=True)
            if version is not None:
                empty = False
                yield version
    if empty:
        raise _nothing_at(storage)


def _version_of(storage: Storage, version: str) -> Published:
    found = _bundle_at(storage, version, fixed=True)
    if found is not None:
        return found
    versions = newest_first(storage.folders())
    if not versions:
        raise _nothing_at(storage)
    raise BundleError(f"{storage.where()} has no version {version}; it has {', '.join(versions[:20])}")


def _newest(storage: Storage, folder: str, versions: list[str]) -> Published | None:
    """The newest of a model's versions; folders without an index, such as unfinished pushes, are passed over."""
    for version in newest_first(versions):
        found = _bundle_at(storage, _join(folder, version), fixed=False)
        if found is not None:
            return found
    return None


def _bundle_at(storage: Storage, folder: str, *, fixed: bool) -> Published | None:
    path = _join(folder, INDEX_FILE)
    try:
        data = read_small(storage, path, INDEX_MAX_BYTES)
    except NotThereError:
        return None
    return Published(storage, folder, BundleIndex.from_json(data, storage.where(path)), data, fixed)


def _nothing_at(storage: Storage) -> BundleError:
    where = printable_url(storage.where())
    try:
        read_small(storage, SPEC_FILE, INDEX_MAX_BYTES)
    except NotThereError:
        return BundleError(
            f"{where} holds no model bundle: no {INDEX_FILE} there, nor in folders NAME/VERSION below it; "
            "check the address, or publish a model there with madeby models push"
        )
    return BundleError(
        f"{where} has a {SPEC_FILE} but no {INDEX_FILE}, so its files cannot be verified; "
        "publish the bundle with madeby models push"
    )


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
