"""Class folders: pictures sorted into ``REAL`` and ``FAKE``, ``0`` and ``1``, ``human`` and ``ai``, ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from madeby.datasets.loaders.registry import LISTED, Listing, LoaderOptions, register_loader
from madeby.datasets.loaders.walk import existing_folder, picture_files
from madeby.datasets.names import LabelChoice, check_used, chosen, is_number, label_of, split_of
from madeby.errors import DataError
from madeby.schema import Label


@dataclass(frozen=True)
class _Meaning:
    """What the names of the folders above a picture say."""

    label: LabelChoice
    split: str | None
    collection: str | None


@register_loader(
    "folders",
    description="class folders such as REAL/FAKE, 0/1, human/ai, nature/ai, with or without train/val/test folders",
    options=("labels",),
)
def load(path: Path | None, options: LoaderOptions) -> Listing:
    """List class folders at any depth; ``train``, ``val`` and ``test`` above or below them are published splits.

    A folder above the class folder that is neither (``progan/0_real``) names the collection.

    Raises:
        DataError: a folder with pictures lies under no class folder, or under two that disagree.
    """
    if path is None:
        raise DataError("the loader folders needs the PATH of the folder that holds the class folders")
    root = existing_folder(path)
    rows: list[tuple[str, str, str | None, str | None]] = []
    skipped: Counter[str] = Counter()
    unclear: dict[tuple[str, ...], int] = {}
    names: set[str] = set()
    for parts, files in picture_files(root):
        names.update(parts)
        meaning = _meaning(parts, options)
        if meaning is None:
            unclear[parts] = len(files)
        elif meaning.label == "skip":
            skipped["/".join(parts)] += len(files)
        else:
            folder = root.joinpath(*parts)
            rows += [(f"{folder}/{name}", meaning.label.value, meaning.split, meaning.collection) for name in files]
    check_used(options.labels, names, str(root))
    if unclear:
        raise DataError(_unclear_message(root, unclear))
    table = pl.DataFrame(rows, schema=["path", "label", "split", "collection"], orient="row")
    table = table.with_columns(pl.lit(None, pl.String).alias("generator"), pl.lit(None, pl.String).alias("group"))
    notes = tuple(f"left out {count} pictures in {name}, as asked" for name, count in skipped.items())
    return Listing(table.select(pl.col(name).cast(kind) for name, kind in LISTED.items()), notes)


def _meaning(parts: tuple[str, ...], options: LoaderOptions) -> _Meaning | None:
    """Read the folder names from the outermost in; None where they name no class, or two."""
    by_user = {name: choice for name in parts if (choice := chosen(options.labels, name)) is not None}
    words = {name: label for name in parts if (label := label_of(name)) is not None and not is_number(name)}
    numbers = {name: label for name in parts if (label := label_of(name)) is not None and is_number(name)}
    # What the user says goes first; a folder called 0 inside one called ai is a part of it, not a class.
    named: Mapping[str, LabelChoice] = by_user or words or numbers
    if "skip" in named.values():
        return _Meaning("skip", None, None)
    if len(set(named.values())) != 1:
        return None
    splits = [split for name in parts if name not in named and (split := split_of(name)) is not None]
    above = parts[: min(parts.index(name) for name in named)]
    others = [name for name in above if split_of(name) is None]
    decided = next(iter(named.values()))
    return _Meaning(decided, splits[0] if splits else None, "/".join(others) or None)


def _unclear_message(root: Path, unclear: dict[tuple[str, ...], int]) -> str:
    shown = [f"{'/'.join(parts) or 'the folder itself'} ({count})" for parts, count in list(unclear.items())[:8]]
    more = f" and {len(unclear) - len(shown)} more" if len(unclear) > len(shown) else ""
    inner = next((parts[-1] for parts in unclear if parts), None)
    if inner is None:
        advice = f"sort them into folders called {Label.HUMAN} and {Label.AI}, or list them in a table"
    else:
        advice = f"say whose pictures they are with --label {inner!r}=human, =ai or =skip, once for each name"
    return f"cannot tell who made the pictures in these folders of {root}: {', '.join(shown)}{more}; {advice}"
