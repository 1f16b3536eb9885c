"""Galleries of the surest mistakes: the pictures a person should look at first."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.pictures.sources import read
from madeby.plots.sheet import Tile, picture_sheet

SHOWN = 24


def draw_mistakes(predicted: pl.DataFrame, folder: Path) -> list[Path]:
    """Draw ``mistakes_human.png`` (human pictures held for ai) and ``mistakes_ai.png``, surest first.

    Args:
        predicted: rows with ``path``, ``label`` and ``probability``.
        folder: where the sheets go.

    Returns:
        The files written; a label without mistakes gets none.
    """
    written = []
    for label, taken_for in (("human", "ai"), ("ai", "human")):
        wrong = mistakes(predicted, label)
        tiles = _tiles(wrong)
        if tiles:
            heading = f"{label} pictures taken for {taken_for}: {wrong.height}, the surest first"
            written.append(picture_sheet([(heading, tiles)], folder / f"mistakes_{label}.png"))
    return written


def mistakes(predicted: pl.DataFrame, label: str) -> pl.DataFrame:
    """The rows of one label that are taken for the other at probability 0.5, the surest first."""
    too_high = label == "human"
    wrong = predicted.filter((pl.col("label") == label) & ((pl.col("probability") >= 0.5) == too_high))
    return wrong.sort("probability", descending=too_high)


def _tiles(wrong: pl.DataFrame) -> list[Tile]:
    tiles: list[Tile] = []
    for path, probability in wrong.select("path", "probability").head(SHOWN).iter_rows():
        try:
            pixels = decode(read(path), perceptual_hash=False).pixels
        except PictureError:  # vanished since it was read a moment ago
            continue
        tiles.append(Tile(pixels, f"P(ai) {probability:.3f}\n{Path(path).name}"))
    return tiles
