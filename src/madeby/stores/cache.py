"""The bundles that were pulled to this machine.

::

    $MADEBY_HOME/models/NAME/VERSION-0123456789ab/   a bundle, whole and verified; the digits begin its identity
    $MADEBY_HOME/origins/ADDRESS-0123456789ab.json   which bundle an address last led to
    $MADEBY_HOME/partial/                            pulls under way or broken off, and their locks

A bundle's folder appears by one renaming, once every file in it is verified.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from madeby.detector.bundle import Bundle
from madeby.errors import BundleError, DataError
from madeby.schema import Frozen
from madeby.stores import builtin
from madeby.stores.home import home
from madeby.stores.index import INDEX_FILE, BundleIndex, identity_of, verify
from madeby.stores.versions import version_key

IDENTITY_DIGITS = 12

_FOLDER = re.compile(rf"^(?P<version>.+)-[0-9a-f]{{{IDENTITY_DIGITS}}}$")
_UNREADABLE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class Origin(Frozen):
    """Which bundle an address led to; ``fixed`` if it names one version and will not lead elsewhere."""

    url: str
    name: str
    version: str
    identity: str
    fixed: bool


@dataclass(frozen=True)
class Cached:
    """One pulled bundle, as its folder's name tells."""

    name: str
    version: str
    folder: Path


def folder_for(index: BundleIndex, identity: str) -> Path:
    """Where the bundle with this index is or will be."""
    return home() / "models" / index.name / f"{index.version}-{identity[:IDENTITY_DIGITS]}"


def partial_for(index: BundleIndex, identity: str) -> Path:
    """Where the bundle is put together while it is pulled."""
    return home() / "partial" / f"{index.name}-{index.version}-{identity[:IDENTITY_DIGITS]}"


def is_cached(folder: Path) -> bool:
    """Whether a folder lies in the cache."""
    return folder.is_relative_to(home() / "models")


def cached_bundles(name: str | None = None) -> list[Cached]:
    """The pulled bundles, of one name if given, by name and from the newest version to the oldest.

    Where two stores hold different bundles of one name and version, the one pulled last comes first.
    """
    pattern = f"*/*/{INDEX_FILE}" if name is None else f"{name}/*/{INDEX_FILE}"
    found = []
    for path in (home() / "models").glob(pattern):
        parts = _FOLDER.match(path.parent.name)
        if parts:
            found.append(Cached(path.parent.parent.name, parts["version"], path.parent))
    found.sort(key=lambda each: each.folder.stat().st_mtime, reverse=True)
    found.sort(key=lambda each: version_key(each.version), reverse=True)
    return sorted(found, key=lambda each: each.name)


def preferred_folder() -> Path | None:
    """Where the package's preferred model lies, if it was pulled.

    It must be the very bundle that the package's own store describes: a model of the same name from another store
    does not become the default.
    """
    for path in builtin.PACKAGE_STORE.glob(f"{builtin.PREFERRED_BUNDLE}/*/{INDEX_FILE}"):
        data = path.read_bytes()
        folder = folder_for(BundleIndex.from_json(data, str(path)), identity_of(data))
        if folder.is_dir():
            return folder
    return None


def passed_over() -> Cached | None:
    """The newest pulled bundle that bears the preferred name but is not the one this release describes."""
    preferred = preferred_folder()
    others = (each for each in cached_bundles(builtin.PREFERRED_BUNDLE) if each.folder != preferred)
    return next(others, None)


def open_cached(folder: Path) -> Bundle:
    """Open a pulled bundle after checking every file of it.

    Raises:
        BundleError: a file is missing or is not what was published.
    """
    data = (folder / INDEX_FILE).read_bytes()
    verify(folder, BundleIndex.from_json(data, str(folder / INDEX_FILE)))
    return Bundle.open(folder)


def remember_origin(address: str, index: BundleIndex, identity: str, *, fixed: bool) -> None:
    """Note which bundle an address led to.

    Raises:
        BundleError: the cache cannot be written.
    """
    from madeby.datasets.atomic import written_atomically
    from madeby.stores.storage.address import printable_url  # every scan asks this module for the default model

    url = printable_url(address)
    origin = Origin(url=url, name=index.name, version=index.version, identity=identity, fixed=fixed)
    try:
        with written_atomically(_origin_path(url)) as temporary:
            temporary.write_text(origin.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except DataError as error:
        raise BundleError(f"{error}; MADEBY_HOME names another cache folder") from None


def origin_of(address: str) -> tuple[Origin, Path] | None:
    """The bundle that an address last led to and its folder, if it is still in the cache."""
    from madeby.stores.storage.address import printable_url

    try:
        origin = Origin.model_validate_json(_origin_path(printable_url(address)).read_bytes())
    except (OSError, ValidationError):  # never asked for, or written by another version of ours
        return None
    folder = home() / "models" / origin.name / f"{origin.version}-{origin.identity[:IDENTITY_DIGITS]}"
    try:
        same = identity_of((folder / INDEX_FILE).read_bytes()) == origin.identity
    except OSError:
        return None
    return (origin, folder) if same else None


def address_of(name: str, version: str | None) -> str | None:
    """The address that a pulled bundle, of this version or the newest, was last pulled from; None if none was."""
    origins = []
    for path in (home() / "origins").glob("*.json"):
        try:
            origin = Origin.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if origin.name == name and version in (None, origin.version):
            origins.append((origin, path.stat().st_mtime))
    # An address that follows the newest version comes before one of a single version, then the last one used.
    origins.sort(key=lambda each: (each[0].fixed, -each[1]))
    return origins[0][0].url if origins else None


def _origin_path(url: str) -> Path:
    readable = _UNREADABLE_IN_NAMES.sub("-", url).strip("-")[-80:]
    digest = hashlib.sha256(url.encode()).hexdigest()[:IDENTITY_DIGITS]
    return home() / "origins" / f"{readable}-{digest}.json"
