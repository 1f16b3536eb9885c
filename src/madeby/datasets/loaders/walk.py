"""Finding the pictures of a folder, however deep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from madeby.errors import DataError
from madeby.pictures.formats import PICTURE_SUFFIXES


def existing_folder(path: Path) -> Path:
    """The absolute path of a folder that exists.

    Raises:
        DataError: there is nothing, or a file.
    """
    if not path.exists():
        raise DataError(f"there is no folder {path}")
    if not path.is_dir():
        raise DataError(f"{path} is a file, not a folder: a table of paths and labels is read with the loader 'table'")
    return path.resolve()


def picture_files(root: Path) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Folders below ``root`` that hold pictures, sorted: (the folder's names below root, its files' sorted names).

    Files are told by their suffix; hidden files and folders and archive leftovers (``__MACOSX``) are passed
    over. Links to folders are followed, each folder once. Names that are not UTF-8 are given with their odd
    bytes escaped, which tables can hold: such files are then reported as missing rather than stop anything.
    """
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        pictures = sorted(_as_text(name) for name in files if _is_picture(name))
        if pictures:
            yield tuple(_as_text(name) for name in Path(folder).relative_to(root).parts), pictures


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES  # noqa: PTH122 - a Path a file is slow for 100,000 files


def _as_text(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
