"""A folder of this machine, or one mounted on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from madeby.errors import BundleError
from madeby.stores.storage.storage import NotThereError

_PIECE = 1 << 20


class FolderStorage:
    """Files below a folder; writing makes the folders that are missing."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def where(self, path: str = "") -> str:
        """The file's path."""
        return str(self._root / path)

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """A file's bytes in pieces."""
        try:
            with (self._root / path).open("rb") as file:
                file.seek(start)
                while piece := file.read(_PIECE):
                    yield piece
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotThereError(f"there is no file {self.where(path)}") from None
        except OSError as error:
            raise _told(self.where(path), "read", error) from None

    def folders(self, path: str = "") -> list[str]:
        """Folders directly below a path, hidden ones left out."""
        try:
            with os.scandir(self._root / path) as entries:
                return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _told(self.where(path), "read", error) from None

    def write(self, path: str, file: Path) -> None:
        """Copy a file here; it appears whole or not at all."""
        from madeby.datasets.atomic import written_atomically
        from madeby.errors import DataError

        try:
            with (
                written_atomically(self._root / path) as temporary,
                file.open("rb") as source,
                temporary.open("wb") as copy,
            ):
                while piece := source.read(_PIECE):
                    copy.write(piece)
                copy.flush()
                os.fsync(copy.fileno())
        except DataError as error:
            raise BundleError(str(error)) from None


def _told(where: str, verb: str, error: OSError) -> BundleError:
    return BundleError(f"cannot {verb} {where}: {error.strerror or error}")
