"""From what a user names to single pictures, one at a time, as they are found."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from madeby.errors import PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.object_stores import expand_objects, in_object_store
from madeby.pictures.sources.archives import archive_around, is_archive, pictures_in_archive
from madeby.pictures.sources.braces import without_braces
from madeby.pictures.sources.folders import matches, pictures_below
from madeby.pictures.sources.names import SCHEME, WILDCARD, decoded
from madeby.pictures.sources.reading import open_file
from madeby.pictures.sources.tables import is_table, pictures_in_table
from madeby.pictures.sources.unit import SourceUnit
from madeby.pictures.web_files import in_web

STANDARD_INPUT = "-"
LIST_MARK = "@"


def expand(
    sources: Iterable[str],
    *,
    standard_input: Iterable[str] | None = None,
    column: str | None = None,
    limits: Limits = Limits(),
    policy: FetchPolicy = FetchPolicy(),
) -> Iterator[SourceUnit]:
    """Every picture that the sources name; nothing is read ahead, so that any number of them fits into memory.

    - A file is taken whatever its suffix; one that does not exist stays in the stream, and reading it says so.
    - A folder gives its files with a picture's suffix, then those of its folders, each in order of name; hidden
      ones are left out, and a folder reached twice (through links) is entered once.
    - A pattern (``*``, ``?``, ``[...]``, ``**`` for any depth) gives the files it matches, by the same rules;
      if it names a suffix itself, as ``*.dat`` does, that suffix is taken. Braces count or list:
      ``shard-{000..127}.tar``, ``{train,test}``.
    - An archive (``.zip``, ``.tar``, ``.tar.gz`` and kin; WebDataset shards are such) gives its pictures in its own
      order, called ``archive.zip/inner/a.jpg``. That name is a source too, and so is a folder inside.
    - A table (``.csv``, ``.tsv``, ``.parquet``) gives the pictures of one column: paths, from the table's folder
      on; web addresses; or, in Parquet, the bytes themselves, called ``table.parquet#17`` after their row.
    - ``-`` gives the sources on standard input, one a line; ``@FILE`` those in a file.
    - A web address is passed on as it is; one of an archive or a table gives its pictures.
    - An address in an object store (``s3://bucket/folder/``) gives its pictures by the rules of folders and patterns,
      as they are listed; archives, tables and lists are read from there too.

    A folder or pattern that yields nothing is passed on too, and reading it says that it holds no pictures:
    nothing that a user named goes unanswered.

    Args:
        sources: what the user named.
        standard_input: lines to read in place of the process's own standard input.
        column: the column of tables; None finds it where only one can be meant.
        limits: members and cells with more bytes are not taken out of archives and tables.
        policy: which web addresses archives, tables and lists may come from.
    """
    options = _Options(column, limits, policy)
    for source in sources:
        if source == STANDARD_INPUT:
            lines = _standard_input_lines() if standard_input is None else standard_input
        elif source.startswith(LIST_MARK) and not _exists(source):
            lines = _listed(source[len(LIST_MARK) :], policy)
        else:
            yield from _expand_one(source, options)
            continue
        try:
            for line in lines:
                if (name := line.rstrip("\r\n")).strip():
                    yield from _expand_one(name, options)
        except PictureError as problem:  # the list cannot be read; units carry their own problems
            yield SourceUnit.broken(source, problem.code, problem.message)


@dataclass(frozen=True)
class _Options:
    column: str | None
    limits: Limits
    policy: FetchPolicy


def _expand_one(source: str, options: _Options) -> Iterator[SourceUnit]:
    if "{" in source and not _exists(source):
        for name in without_braces(source):
            yield from _expand_name(name, options)
    else:
        yield from _expand_name(source, options)


def _expand_name(source: str, options: _Options) -> Iterator[SourceUnit]:
    if in_object_store(source):
        one_file = (is_archive(source) or is_table(source)) and not WILDCARD.search(source)
        try:
            yield from _units(source, iter((source,)) if one_file else expand_objects(source), options)
        except PictureError as problem:  # the listing broke off
            yield SourceUnit.broken(source, problem.code, problem.message)
        return
    if in_web(source):
        yield from _units(source, iter((source,)), options)
        return
    if SCHEME.match(source):
        yield SourceUnit(source)
        return
    found: Iterator[str] = iter((source,))
    try:
        kind = Path(source).stat().st_mode
    except NotADirectoryError:
        if archive := archive_around(source):
            yield from pictures_in_archive(archive, options.limits, inside=source)
            return
    except (OSError, ValueError):
        if WILDCARD.search(source):
            found = matches(source)
    else:
        if stat.S_ISDIR(kind):
            found = pictures_below(source)
    yield from _units(source, found, options)


def _units(source: str, found: Iterator[str], options: _Options) -> Iterator[SourceUnit]:
    """The pictures in the files found; the source itself where there are none."""
    nothing = True
    for name in found:
        nothing = False
        if is_archive(name):
            yield from pictures_in_archive(name, options.limits, options.policy)
        elif is_table(name):
            yield from pictures_in_table(name, options.column, options.limits, options.policy)
        else:
            yield SourceUnit(name)
    if nothing:
        yield SourceUnit(source)


def _exists(source: str) -> bool:
    try:
        return Path(source).exists()
    except (OSError, ValueError):
        return False


def _listed(path: str, policy: FetchPolicy) -> Iterator[str]:
    with open_file(path, policy) as file:
        for line in file:
            yield decoded(line)


def _standard_input_lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield decoded(line)
