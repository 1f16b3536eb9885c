"""Pictures kept beside the history: files named by their sha256, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from madeby.errors import MadebyError
from madeby.schema import Result

# format of the result (told by magic bytes when it was decoded): suffix and registered media type
KINDS = {
    "JPEG": (".jpg", "image/jpeg"),
    "PNG": (".png", "image/png"),
    "WEBP": (".webp", "image/webp"),
    "GIF": (".gif", "image/gif"),
    "BMP": (".bmp", "image/bmp"),
    "TIFF": (".tiff", "image/tiff"),
    "AVIF": (".avif", "image/avif"),
    "HEIC": (".heic", "image/heic"),
}
_MEDIA_TYPES = dict(KINDS.values())
_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}(\.[a-z]{3,4})")
ABANDONED_SECONDS = 3600


@dataclass(frozen=True)
class StagedPicture:
    """A picture that is on the disk, but not yet under its name."""

    name: str
    passing: Path
    final: Path

    def place(self) -> None:
        """Give it its name; a file that has the name already holds the same bytes."""
        self.final.parent.mkdir(mode=0o700, exist_ok=True)
        self.passing.replace(self.final)
        for folder in (self.final.parent, self.final.parent.parent):
            _sync_folder(folder)

    def discard(self) -> None:
        """Remove it unless it was placed."""
        self.passing.unlink(missing_ok=True)


class PictureFolder:
    """Holds each picture once, however many answers were given about it.

    The caller holds the history's write lock around :meth:`StagedPicture.place` and :meth:`remove`, so that a picture
    is never removed between the moment it is placed and the moment its row is committed.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing.

        Raises:
            MadebyError: it cannot be made or written.
        """
        self.folder = folder.resolve()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise MadebyError(f"cannot keep pictures in {folder}: {error.strerror or error}") from None
        if not self.writable():
            raise MadebyError(f"cannot keep pictures in {folder}: the folder is not writable")

    def writable(self) -> bool:
        """Whether files can be made there."""
        return os.access(self.folder, os.W_OK | os.X_OK)

    def stage(self, data: bytes, name: str) -> StagedPicture:
        """Write a picture to the disk under a passing name."""
        handle, passing = tempfile.mkstemp(dir=self.folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return StagedPicture(name, Path(passing), self._path(name))

    def path_of(self, name: str) -> Path | None:
        """Where the picture lies, or None where it is gone."""
        path = self._path(name)
        return path if path.is_file() else None

    def remove(self, name: str) -> None:
        """Remove a picture that no answer needs any more."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """The names of all pictures that lie there."""
        for path in self.folder.glob("??/*"):
            name = f"{path.parent.name}/{path.name}"
            if _NAME.fullmatch(name):
                yield name

    def remove_abandoned(self) -> None:
        """Remove what writers that died left half-written."""
        for path in self.folder.glob("*.part"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was quicker

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MadebyError("the history names a kept picture in a way that it never writes; it was tampered with")
        return self.folder / name


def name_for(data: bytes, result: Result) -> str | None:
    """The name to keep a picture under; None for what was not decoded as this very picture."""
    facts = result.picture
    if facts is None or facts.format not in KINDS:
        return None
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}{KINDS[facts.format][0]}" if digest == facts.sha256 else None


def media_type_of(name: str) -> str:
    """The media type of a kept picture, from the format its bytes were decoded as."""
    return _MEDIA_TYPES[Path(name).suffix]


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
