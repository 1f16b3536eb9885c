"""Sheets of pictures to look at: what a class shows in human and AI pictures, what a slice holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.evaluation.analysis.drawing.content import SIGNIFICANT
from madeby.evaluation.analysis.record import Content, ContentClass, Plot, Slice
from madeby.evaluation.analysis.thumbnails import pixels_of
from madeby.plots.sheet import Tile, picture_sheet
from madeby.plots.style import LIGHT, Theme
from madeby.schema import Label

Booleans = npt.NDArray[np.bool_]

GALLERIES = "galleries"
SHOWN = 10
MOST_CLASSES = 8
MOST_SLICES = 6
"""Galleries of classes that differ, and of slices of one outcome, that are drawn unasked."""

LEAST_UNSURE, MOST_UNSURE = 5, 3
"""Where no class differs beyond chance: the fewest pictures and the number of classes that are drawn all the same."""


def classes_to_show(content: Content, wanted: Sequence[int]) -> list[ContentClass]:
    """Those asked for, then those whose share differs most between the labels, beyond chance if any does."""
    by_index = {one.index: one for one in content.classes}
    asked = [by_index[index] for index in dict.fromkeys(wanted) if index in by_index]
    differ = [one for one in content.classes if one.p_adjusted is not None and one.p_adjusted <= SIGNIFICANT]
    if not differ:
        often = [one for one in content.classes if one.difference and one.human + one.ai >= LEAST_UNSURE]
        differ = sorted(often, key=_difference)[:MOST_UNSURE]
    differ.sort(key=_difference)
    return asked + [one for one in differ[:MOST_CLASSES] if one not in asked]


def _difference(one: ContentClass) -> float:
    return -abs(one.difference.value) if one.difference else 0.0


def draw_class(one: ContentClass, table: pl.DataFrame, folder: Path, theme: Theme = LIGHT) -> Plot | None:
    """Draw a class's surest pictures of each label; None if none can be read.

    Args:
        one: the class.
        table: pictures with ``path``, ``label``, ``probability``, ``class_1`` and ``confidence_1``.
        folder: where ``analysis.json`` will lie.
        theme: the colours.
    """
    of_class = table.filter(pl.col("class_1") == one.index).sort("confidence_1", descending=True)
    rows = []
    for label, count in ((Label.HUMAN, one.human), (Label.AI, one.ai), (None, one.unlabelled)):
        if label is None and not count:
            continue
        part = of_class.filter(pl.col("label").is_null() if label is None else pl.col("label") == label.value)
        name = "without label" if label is None else label.value
        rows.append((f"{name} · {count:,} pictures", _tiles(part)))
    if not any(tiles for _, tiles in rows):
        return None
    file = f"{GALLERIES}/class_{_file_name(one.name)}.png"
    picture_sheet(rows, folder / file, title=f"Seen as {one.name}", theme=theme)
    shows = f"the pictures surest to show {one.name}: {one.human:,} human and {one.ai:,} AI ones are seen so"
    return Plot(file=file, title=f"Seen as {one.name}", shows=shows)


def draw_slice(
    one: Slice, number: int, table: pl.DataFrame, hit: Booleans, inside: Booleans, folder: Path, theme: Theme = LIGHT
) -> Plot | None:
    """Draw a slice: the surest mistakes inside, and right answers inside for comparison.

    Args:
        one: the slice.
        number: its place among those of its outcome, from 1.
        table: the population it was found in.
        hit: (n,) which of them show the outcome.
        inside: (n,) which lie in the slice.
        folder: where ``analysis.json`` will lie.
        theme: the colours.
    """
    surest_first = one.outcome != "false negative"
    wrong = table.filter(hit & inside).sort("probability", descending=surest_first)
    right = table.filter(~hit & inside).sort("probability", descending=not surest_first)
    wrong_words, right_words = _WORDS[one.outcome]
    rows = [
        (f"{wrong_words} · {one.hits:,}, the surest first", _tiles(wrong)),
        (f"{right_words} · {one.pictures - one.hits:,}, the surest first", _tiles(right)),
    ]
    if not any(tiles for _, tiles in rows):
        return None
    file = f"{GALLERIES}/{one.outcome.replace(' ', '_')}_{number:02}.png"
    title = f"{one.words[0].upper()}{one.words[1:]}"
    picture_sheet(rows, folder / file, title=title, theme=theme)
    shows = f"pictures with {one.words}: {one.hits:,} of {one.pictures:,} are {_PLURAL[one.outcome]}"
    return Plot(file=file, title=title, shows=shows)


_WORDS = {
    "false positive": ("human, taken for ai", "human, recognised"),
    "false negative": ("ai, taken for human", "ai, recognised"),
    "called ai": ("called ai", "called human"),
}
_PLURAL = {"false positive": "false positives", "false negative": "false negatives", "called ai": "called ai"}


def _tiles(part: pl.DataFrame) -> list[Tile]:
    """The first pictures that can be read, captioned with the detector's probability and what they show."""
    tiles: list[Tile] = []
    for row in part.head(3 * SHOWN).iter_rows(named=True):
        pixels = pixels_of(row["path"])
        if pixels is None:
            continue
        score = "no P(ai)" if row["probability"] is None else f"P(ai) {row['probability']:.3f}"
        seen = f"{row['content']} {row['confidence_1']:.0%}" if row.get("content") else Path(row["path"]).name
        tiles.append(Tile(pixels, f"{score}\n{seen}"))
        if len(tiles) == SHOWN:
            break
    return tiles


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
