"""Galleries: the surest mistakes as single pictures that find their place on any screen."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from madeby.errors import PictureError
from madeby.evaluation.mistakes import mistakes
from madeby.pictures.decode import decode
from madeby.pictures.sources import read
from madeby.reporting.charts import data_uri, photograph
from madeby.reporting.material import Measured

SIDE = 240
SMALL = 80
"""Pictures up to this side are shown with their pixels visible."""


@dataclass(frozen=True)
class Shown:
    """A picture of a gallery as bytes (JPEG, or PNG where small), and the words below it."""

    data: bytes
    pixelated: bool
    probability: float
    name: str
    origin: str

    @property
    def uri(self) -> str:
        """As a data URI."""
        return data_uri(self.data)


@dataclass(frozen=True)
class Gallery:
    """The surest mistakes of one label.

    ``count`` are all mistakes of the label; ``gone`` of those that would be shown could not be read any more.
    ``sheet`` is the gallery that ``evaluate`` drew, where none could.
    """

    label: str
    taken_for: str
    count: int
    shown: tuple[Shown, ...]
    gone: int
    sheet: str | None = None


def galleries(measured: Measured, most: int = 18) -> list[Gallery]:
    """Galleries of human pictures taken for ai and the reverse; labels without mistakes have none."""
    if measured.predictions.is_empty():
        return []
    found = []
    for label, taken_for in (("human", "ai"), ("ai", "human")):
        wrong = mistakes(measured.predictions, label)
        if wrong.height:
            found.append(_gallery(wrong, label, taken_for, measured.folder, most))
    return found


def _gallery(wrong: pl.DataFrame, label: str, taken_for: str, folder: Path, most: int) -> Gallery:
    shown = []
    wanted = wrong.head(most)
    for row in wanted.iter_rows(named=True):
        try:
            pixels = decode(read(row["path"]), perceptual_hash=False).pixels
        except PictureError:
            continue
        origin = row.get("generator") or row.get("collection") or ""
        picture = Image.fromarray(pixels)
        small = max(picture.size) <= SMALL
        shown.append(Shown(_encoded(picture, small), small, row["probability"], Path(row["path"]).name, str(origin)))
    sheet = folder / f"mistakes_{label}.png"
    drawn = _drawn(sheet) if not shown else None
    return Gallery(label, taken_for, wrong.height, tuple(shown), wanted.height - len(shown), drawn)


def _drawn(sheet: Path) -> str | None:
    try:
        return data_uri(photograph(sheet.read_bytes()))
    except OSError:  # gone, or no picture any more
        return None


def _encoded(picture: Image.Image, small: bool) -> bytes:
    out = io.BytesIO()
    if small:
        picture.save(out, "PNG", optimize=True)
        return out.getvalue()
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    picture.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()
