"""The registry of data set layouts.

A loader lists pictures and what their data set says about them; it reads no picture. Importing then adds the
facts, so that every manifest looks the same whatever it came from.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import polars as pl

from madeby.datasets.names import LabelChoice
from madeby.errors import DataError

LISTED: dict[str, pl.DataType] = {
    "path": pl.String(),  # absolute
    "label": pl.String(),  # "human" or "ai"
    "split": pl.String(),  # as published; null where the data set gives none
    "generator": pl.String(),
    "collection": pl.String(),
    "group": pl.String(),
}
"""The columns of every listing, in order; what else a data set says follows as extra columns."""


@dataclass(frozen=True)
class LoaderOptions:
    """What the user may say about a data set; each loader takes the options its entry names.

    ``labels`` maps the data set's own names; ``path_column`` and ``label_column`` name a table's columns, and
    ``root`` is the folder its relative paths start from.
    """

    labels: Mapping[str, LabelChoice] = field(default_factory=dict)
    path_column: str | None = None
    label_column: str | None = None
    root: Path | None = None


@dataclass(frozen=True)
class Listing:
    """A data set's pictures, unread.

    ``table`` has the columns of :data:`LISTED` and then extras; ``notes`` say what was left out and why.
    """

    table: pl.DataFrame
    notes: tuple[str, ...] = ()


Load = Callable[[Path | None, LoaderOptions], Listing]


@dataclass(frozen=True)
class LoaderEntry:
    """One registered layout. ``options`` are the fields of :class:`LoaderOptions` that it takes."""

    name: str
    description: str
    options: frozenset[str]
    function: Load

    def load(self, path: Path | None, options: LoaderOptions | None = None) -> Listing:
        """List the data set at ``path``; without a path, one that can be downloaded.

        Raises:
            DataError: an option is not one of this loader's, or the data set is not as it should be.
        """
        options = options or LoaderOptions()
        for option in fields(options):
            if getattr(options, option.name) and option.name not in self.options:
                flag = {"labels": "--label"}.get(option.name, "--" + option.name.replace("_", "-"))
                raise DataError(f"the loader {self.name} does not take {flag}")
        listing = self.function(path, options)
        if listing.table.is_empty():
            raise DataError(f"{path or self.name} holds no pictures")
        return listing


_LOADERS: dict[str, LoaderEntry] = {}


def register_loader(name: str, *, description: str, options: tuple[str, ...] = ()) -> Callable[[Load], Load]:
    """Function decorator that puts a loader into the registry under ``name``."""

    def register(function: Load) -> Load:
        _LOADERS[name] = LoaderEntry(name, description, frozenset(options), function)
        return function

    return register


def loader_names() -> list[str]:
    """Names of all registered loaders, sorted."""
    return sorted(_LOADERS)


def loader_entry(name: str) -> LoaderEntry:
    """Look a loader up.

    Raises:
        DataError: no loader has that name; the message suggests the nearest.
    """
    if name in _LOADERS:
        return _LOADERS[name]
    near = difflib.get_close_matches(name, _LOADERS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise DataError(f"no loader is called {name!r}{hint} Known: {', '.join(loader_names())}")
