"""Folders that hold results in parts: on this machine, or below an address in an object store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from madeby.errors import MadebyError
from madeby.pictures.object_stores import in_object_store
from madeby.pictures.sources.names import SCHEME
from madeby.scanning.sinks.store_place import StorePlace, no_store


class PartsFolder(Protocol):
    """Parts by their numbers; one appears when it is whole. Every method raises MadebyError, naming the folder."""

    def where(self) -> str:
        """The folder, as text that may be shown."""

    def name(self, number: int) -> str:
        """What a part is called there."""

    def numbers(self) -> list[int]:
        """The parts that are there, in order."""

    def open(self, number: int) -> BinaryIO:
        """A part's bytes."""

    def place_for(self, number: int) -> Path:
        """A file to write a part to."""

    def keep(self, number: int) -> None:
        """Take over the file that a part was written to."""


def parts_folder(place: str | Path, suffix: str) -> PartsFolder:
    """The folder at a path, made if it is not there, or at an address such as ``s3://bucket/results``.

    Args:
        place: the folder; parts with other suffixes in it do not count.
        suffix: of its parts, as ``.parquet``.

    Raises:
        MadebyError: it cannot be written to.
        MissingExtraError: what reads such addresses is not installed.
    """
    if isinstance(place, str) and SCHEME.match(place):
        if not in_object_store(place):
            raise no_store(place)
        return _ObjectParts(StorePlace(place), suffix)
    return _LocalParts(Path(place), suffix)


class _Names:
    """``part-00000.parquet`` and so on."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix

    def name(self, number: int) -> str:
        return f"part-{number:05}{self._suffix}"

    def _numbers(self, names: Iterable[str]) -> list[int]:
        stems = (name.removesuffix(self._suffix) for name in names if name.endswith(self._suffix))
        return sorted(int(stem[5:]) for stem in stems if stem.startswith("part-") and stem[5:].isdecimal())


class _LocalParts(_Names):
    """A part has a hidden name until it is whole."""

    def __init__(self, folder: Path, suffix: str) -> None:
        super().__init__(suffix)
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MadebyError(f"cannot write {folder}: {error.strerror or error}") from None

    def where(self) -> str:
        return str(self._folder)

    def numbers(self) -> list[int]:
        try:
            return self._numbers(os.listdir(self._folder))  # noqa: PTH208 - names are all there is to look at
        except OSError as error:
            raise MadebyError(f"cannot read {self._folder}: {error.strerror or error}") from None

    def open(self, number: int) -> BinaryIO:
        return (self._folder / self.name(number)).open("rb")

    def place_for(self, number: int) -> Path:
        return self._folder / f".{self.name(number)}.partial"

    def keep(self, number: int) -> None:
        try:
            self.place_for(number).replace(self._folder / self.name(number))
        except OSError as error:
            raise MadebyError(f"cannot write {self._folder}: {error.strerror or error}") from None


class _ObjectParts(_Names):
    """Parts are written to this machine first and sent when they are whole: object stores show an object at once."""

    def __init__(self, folder: StorePlace, suffix: str) -> None:
        super().__init__(suffix)
        self._folder = folder
        self._here: tempfile.TemporaryDirectory[str] | None = None

    def where(self) -> str:
        return self._folder.where

    def numbers(self) -> list[int]:
        return self._numbers(self._folder.names())

    def open(self, number: int) -> BinaryIO:
        return self._folder.open(self.name(number))

    def place_for(self, number: int) -> Path:
        if self._here is None:
            self._here = tempfile.TemporaryDirectory(prefix="madeby-part-")
        return Path(self._here.name) / self.name(number)

    def keep(self, number: int) -> None:
        try:
            self._folder.put(self.place_for(number), self.name(number))
        finally:
            if self._here is not None:
                self._here.cleanup()
                self._here = None
