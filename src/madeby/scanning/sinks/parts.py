"""Folders that hold results in parts: on this machine, or below an address in an object store."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from madeby.errors import MadebyError
from madeby.pictures.object_stores import file_system, in_object_store
from madeby.pictures.sources.names import SCHEME, printable

_PART = re.compile(r"part-(\d+)\.parquet")


class PartsFolder(Protocol):
    """Parts by their numbers; one appears when it is whole. Every method raises MadebyError, naming the folder."""

    def where(self) -> str:
        """The folder, as text that may be shown."""

    def numbers(self) -> list[int]:
        """The parts that are there, in order."""

    def open(self, number: int) -> BinaryIO:
        """A part's bytes."""

    def place_for(self, number: int) -> Path:
        """A file to write a part to."""

    def keep(self, number: int) -> None:
        """Take over the file that a part was written to."""


def parts_folder(place: str | Path) -> PartsFolder:
    """The folder at a path, made if it is not there, or at an address such as ``s3://bucket/results``.

    Raises:
        MadebyError: it cannot be written to.
        MissingExtraError: what reads such addresses is not installed.
    """
    if isinstance(place, str) and SCHEME.match(place):
        if not in_object_store(place):
            raise MadebyError(
                f"cannot write {printable(place)}: name a folder, or an object store as s3://bucket/folder"
            )
        return _ObjectParts(place)
    return _LocalParts(Path(place))


def _name(number: int) -> str:
    return f"part-{number:05}.parquet"


class _LocalParts:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MadebyError(f"cannot write {folder}: {error.strerror or error}") from None

    def where(self) -> str:
        return str(self._folder)

    def numbers(self) -> list[int]:
        try:
            found = [_PART.fullmatch(name) for name in os.listdir(self._folder)]  # noqa: PTH208 - names are all there is to look at
        except OSError as error:
            raise MadebyError(f"cannot read {self._folder}: {error.strerror or error}") from None
        return sorted(int(match[1]) for match in found if match)

    def open(self, number: int) -> BinaryIO:
        return (self._folder / _name(number)).open("rb")

    def place_for(self, number: int) -> Path:
        return self._folder / _name(number)

    def keep(self, number: int) -> None:
        """It is where it belongs already."""


class _ObjectParts:
    """Parts are written to this machine first and sent when they are whole: object stores show an object at once."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self._url, self._root = url.rstrip("/"), rest.strip("/")
        try:
            self._files: Any = file_system(scheme.lower())
        except (ImportError, ValueError) as error:
            raise MadebyError(f"{self.where()}: {error}") from None
        self._here: tempfile.TemporaryDirectory[str] | None = None

    def where(self) -> str:
        return printable(self._url)

    def numbers(self) -> list[int]:
        try:
            names = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # each file system has exception classes of its own
            raise self._refused("read", error) from None
        found = [_PART.fullmatch(name.rstrip("/").rpartition("/")[2]) for name in names]
        return sorted(int(match[1]) for match in found if match)

    def open(self, number: int) -> BinaryIO:
        try:
            return cast(BinaryIO, self._files.open(f"{self._root}/{_name(number)}", "rb"))
        except Exception as error:  # as above
            raise self._refused("read", error) from None

    def place_for(self, number: int) -> Path:
        if self._here is None:
            self._here = tempfile.TemporaryDirectory(prefix="madeby-part-")
        return Path(self._here.name) / _name(number)

    def keep(self, number: int) -> None:
        try:
            self._files.put_file(str(self.place_for(number)), f"{self._root}/{_name(number)}")
        except Exception as error:  # as above
            raise self._refused("write", error) from None
        finally:
            if self._here is not None:
                self._here.cleanup()
                self._here = None

    def _refused(self, verb: str, error: Exception) -> MadebyError:
        return MadebyError(f"cannot {verb} {self.where()}: {str(error) or type(error).__name__}")
