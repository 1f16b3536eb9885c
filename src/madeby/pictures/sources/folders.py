"""The files of folders and patterns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from madeby.pictures.formats import PICTURE_SUFFIXES
from madeby.pictures.sources.names import WILDCARD


def has_picture_suffix(name: str) -> bool:
    """Whether a file's name ends as a picture's does."""
    return os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES  # noqa: PTH122 - called for every file there is


def pictures_below(top: str) -> Iterator[str]:
    """Pictures in a folder and then in its folders, each in order of name; hidden ones are left out.

    Links are followed, but no folder is entered twice.
    """
    waiting, entered = [top], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted((e for e in listing if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError:  # gone by now, or closed to us; if it is what the user named, reading it will say which
            continue
        folders = [entry.path for entry in entries if _is_folder(entry)]
        waiting += reversed(folders)
        inner = set(folders)
        yield from (e.path for e in entries if has_picture_suffix(e.name) and e.path not in inner)


def matches(pattern: str) -> Iterator[str]:
    """Files that match a pattern, sorted; the parts before its first wildcard are taken literally."""
    parts = Path(pattern).parts
    first = next(number for number, part in enumerate(parts) if WILDCARD.search(part))
    root = Path(*parts[:first])
    wild = parts[first:] if parts[-1] != "**" else (*parts[first:], "*")
    names_suffix = bool(Path(wild[-1]).suffix) and not WILDCARD.search(Path(wild[-1]).suffix)
    asks_for_hidden = any(part.startswith(".") for part in wild)
    try:
        # Unlike the glob module, a path's own glob does not follow links into folders, hence no loops.
        found = sorted(str(path) for path in root.glob(str(Path(*wild))))
    except (OSError, ValueError, NotImplementedError):  # pathlib's words for an unreadable folder or impossible pattern
        return
    for name in found:
        path = Path(name)
        inner = path.relative_to(root).parts
        if not asks_for_hidden and any(part.startswith(".") for part in inner):
            continue
        if (names_suffix or has_picture_suffix(name)) and path.is_file():
            yield name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
