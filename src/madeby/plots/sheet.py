"""Sheets of pictures: contact sheets of a data set, galleries of mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from madeby.plots.style import LIGHT, Theme

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Pixels = npt.NDArray[np.uint8]

MARGIN = 40
GAP = 16
LEAST_WIDTH = 720
CAPTION_LINES = 2
LINE_HEIGHT = 1.35


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet: (height, width, 3) uint8 sRGB, and the words below it."""

    pixels: Pixels
    caption: str


@dataclass(frozen=True)
class _Grid:
    """How many mats stand in a line, and their side in pixels."""

    columns: int
    mat: int


def picture_sheet(
    rows: Sequence[tuple[str, Sequence[Tile]]], out: Path, *, title: str = "", theme: Theme = LIGHT
) -> Path:
    """Draw rows of captioned pictures on one PNG.

    Every picture sits whole and undistorted on a square mat. Pictures of at most half the mat's side are
    enlarged by a whole factor without smoothing, so that their pixels stay visible; all others are fitted
    with Lanczos. Rows longer than a line wrap. Captions take up to two lines; what is longer is shortened.

    Args:
        rows: heading and pictures of each row; a heading that begins with ``human`` or ``ai`` gets the
            class's colour. A row without pictures says so.
        out: the PNG to write; its folder is made.
        title: stands above everything.
        theme: the colours.

    Returns:
        ``out``.
    """
    grid = _grid_for(max((len(tiles) for _, tiles in rows), default=0))
    width = max(LEAST_WIDTH, 2 * MARGIN + grid.columns * grid.mat + (grid.columns - 1) * GAP)
    # Drawn twice: first without a canvas, to learn the height.
    height = _Painter(grid, width, theme, None).paint(rows, title)
    canvas = Image.new("RGB", (width, height), theme.background)
    _Painter(grid, width, theme, canvas).paint(rows, title)
    out.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(out, format="PNG")
    return out


class _Painter:
    """Draws a sheet from top to bottom, keeping the height reached; without a canvas it only measures."""

    def __init__(self, grid: _Grid, width: int, theme: Theme, canvas: Image.Image | None) -> None:
        self.grid = grid
        self.width = width
        self.theme = theme
        self.canvas = canvas
        self.draw = ImageDraw.Draw(canvas or Image.new("RGB", (1, 1)))
        self.y = MARGIN

    def paint(self, rows: Sequence[tuple[str, Sequence[Tile]]], title: str) -> int:
        """Draw everything; returns the height it takes."""
        if title:
            self._title(title)
        for number, (name, tiles) in enumerate(rows):
            if number:
                self.y += 14
            self._heading(name)
            if not tiles:
                self._text(MARGIN, "none", _font(16), self.theme.muted)
                self.y += 24 + GAP
            for first in range(0, len(tiles), self.grid.columns):
                self._line(tiles[first : first + self.grid.columns])
        return self.y + MARGIN - GAP

    def _text(self, x: int, text: str, font: FreeTypeFont, colour: str) -> None:
        self.draw.text((x, self.y), text, font=font, fill=colour)

    def _title(self, title: str) -> None:
        font = _font(30, bold=True)
        for line in _lines(title, font, self.width - 2 * MARGIN, 2):
            self._text(MARGIN, line, font, self.theme.ink)
            self.y += round(30 * LINE_HEIGHT)
        self.y += 18

    def _heading(self, name: str) -> None:
        """A row's heading, with its class's colour as a small bar."""
        if not name.strip():
            return
        font = _font(20, bold=True)
        first_word = name.split(maxsplit=1)[0].strip(":,·").lower()
        colour = {"human": self.theme.human, "ai": self.theme.ai}.get(first_word)
        x = MARGIN
        if colour:
            self.draw.rounded_rectangle((x, self.y + 1, x + 6, self.y + 22), radius=3, fill=colour)
            x += 16
        self._text(x, _lines(name, font, self.width - MARGIN - x, 1)[0], font, self.theme.ink)
        self.y += 38

    def _line(self, tiles: Sequence[Tile]) -> None:
        """One line of mats with their captions."""
        font, mat = _font(15), self.grid.mat
        captions = [_lines(tile.caption, font, mat, CAPTION_LINES) for tile in tiles]
        for column, tile in enumerate(tiles):
            self._picture(tile.pixels, MARGIN + column * (mat + GAP))
        self.y += mat
        if most := max((len(caption) for caption in captions), default=0):
            self.y += 7
        for number in range(most):
            colour = self.theme.ink if number == 0 else self.theme.muted
            for column, caption in enumerate(captions):
                if number < len(caption):
                    self._text(MARGIN + column * (mat + GAP), caption[number], font, colour)
            self.y += round(15 * LINE_HEIGHT)
        self.y += GAP

    def _picture(self, pixels: Pixels, x: int) -> None:
        if self.canvas is None:
            return
        mat = self.grid.mat
        self.draw.rectangle((x, self.y, x + mat - 1, self.y + mat - 1), fill=self.theme.surface)
        picture = _fitted(pixels, mat)
        self.canvas.paste(picture, (x + (mat - picture.width) // 2, self.y + (mat - picture.height) // 2))


def _grid_for(most: int) -> _Grid:
    """Few pictures are shown large, many small, in lines of 4 to 10."""
    if most <= 4:
        return _Grid(columns=max(most, 1), mat=320)
    if most <= 6:
        return _Grid(columns=most, mat=256)
    if most <= 16:
        return _Grid(columns=-(-most // 2) if most > 8 else most, mat=192)
    return _Grid(columns=10, mat=160)


def _fitted(pixels: Pixels, side: int) -> Image.Image:
    """The picture scaled into a square of ``side``."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    longest = max(picture.size)
    if longest * 2 <= side:
        factor = side // longest
        return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    scale = side / longest
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _lines(text: str, font: FreeTypeFont, width: int, most: int) -> list[str]:
    """Text broken into at most ``most`` lines of ``width`` pixels, at spaces where possible."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        rest = " ".join(paragraph.split())
        while rest and len(lines) < most:
            fits = _fitting(rest, font, width)
            if fits < len(rest) and (space := rest.rfind(" ", 0, fits + 1)) > 0:
                fits = space
            lines.append(rest[:fits].rstrip())
            rest = rest[fits:].lstrip()
        if rest:
            shortened = lines[-1] + "…" if font.getlength(lines[-1] + "…") <= width else lines[-1][:-2] + "…"
            lines[-1] = shortened
            break
    return lines


def _fitting(text: str, font: FreeTypeFont, width: int) -> int:
    """How many leading characters of the text fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


@cache
def _font(size: int, *, bold: bool = False) -> FreeTypeFont:
    """DejaVu Sans as matplotlib carries it: wide coverage of scripts, the same on every machine."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
