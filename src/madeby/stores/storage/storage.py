"""What every place that holds bundles can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from madeby.errors import BundleError


class NotThereError(BundleError):
    """The place answered, and has nothing of that name."""


class UnreachableError(BundleError):
    """The place did not answer, or broke off; trying again may help."""


class Storage(Protocol):
    """A tree of files below one address; paths are relative to it, with ``/`` between their parts.

    Every method raises :class:`~madeby.errors.BundleError` with a message that names the address and says what to
    do; :class:`NotThereError` and :class:`UnreachableError` tell the two cases that callers act upon.
    """

    def where(self, path: str = "") -> str:
        """The full address of a path, without credentials."""

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """A file's bytes in pieces, from the byte ``start`` on."""

    def folders(self, path: str = "") -> list[str]:
        """Names of the folders directly below a path; none where there is no such path."""

    def write(self, path: str, file: Path) -> None:
        """Store a file; it appears whole or not at all where the place can promise that."""


def read_small(storage: Storage, path: str, limit: int) -> bytes:
    """A small file at once.

    Raises:
        BundleError: it cannot be read, or has more bytes than ``limit``.
    """
    data = bytearray()
    for piece in storage.read(path):
        data += piece
        if len(data) > limit:
            raise BundleError(f"{storage.where(path)} has more than {limit:,} bytes; it is not one of our files")
    return bytes(data)
