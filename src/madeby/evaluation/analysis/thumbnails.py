"""Small copies of pictures for galleries and the map."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.datasets.parallel import in_order
from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.pictures.sources import read

Pixels = npt.NDArray[np.uint8]

SPRITE_SIDE, SPRITE_COLUMNS = 56, 60


def pixels_of(path: str) -> Pixels | None:
    """A picture's (height, width, 3) pixels; None if it cannot be read any more or lies on the web."""
    if "://" in path:
        return None
    try:
        return decode(read(path), perceptual_hash=False).pixels
    except PictureError:
        return None


def sprite_sheet(paths: Sequence[str], threads: int | None = None) -> bytes:
    """One JPEG with a 56-pixel square of each picture, 60 a line, in order; grey where one cannot be read."""
    lines = -(-len(paths) // SPRITE_COLUMNS)
    sheet = Image.new("RGB", (SPRITE_COLUMNS * SPRITE_SIDE, max(1, lines) * SPRITE_SIDE), (128, 128, 128))
    for at, square in enumerate(in_order(_square, paths, threads)):
        if square is not None:
            line, column = divmod(at, SPRITE_COLUMNS)
            sheet.paste(square, (column * SPRITE_SIDE, line * SPRITE_SIDE))
    packed = io.BytesIO()
    sheet.save(packed, "JPEG", quality=72, optimize=True)
    return packed.getvalue()


def _square(path: str) -> Image.Image | None:
    """The central square, 56 pixels; small pictures keep their pixels visible."""
    pixels = pixels_of(path)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    picture = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    way = Image.Resampling.NEAREST if side < SPRITE_SIDE else Image.Resampling.LANCZOS
    return picture.resize((SPRITE_SIDE, SPRITE_SIDE), way, reducing_gap=3.0)
