"""Stealth text: parameters hidden in the lowest bits of the pixels, column by column.

NovelAI and extensions of the common web UIs write a magic word, a 32-bit length and the (gzipped) text into
the lowest bit of the alpha channel (``stealth_pngcomp``, ``stealth_pnginfo``) or of red, green and blue
(``stealth_rgbcomp``, ``stealth_rgbinfo``). Only lossless files keep them.

The magic word lies in the first column, which can be read from the raw PNG stream without decoding the
picture: in the first column every PNG filter depends only on the pixel above.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt

from madeby.provenance.containers import Contents
from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import json_object
from madeby.provenance.material import Material

ALPHA_MAGIC = {b"stealth_pnginfo": False, b"stealth_pngcomp": True}
RGB_MAGIC = {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}
_MAGIC_BITS = 15 * 8
_LARGEST = 4 << 20
_MOST_PIXELS = 40_000_000
_RGBA, _RGB = 6, 2


def stealth_text(material: Material) -> str | None:
    """The hidden text of a picture; ``None`` where there is none.

    Raises:
        ValueError: the magic word is there, but the text behind it is damaged.
    """
    contents = material.contents
    if contents.format != "PNG" or contents.colour_type is None:
        return None
    depth, colour, interlace = contents.colour_type
    if depth != 8 or interlace or colour not in (_RGB, _RGBA):
        return None
    channels = 4 if colour == _RGBA else 3
    column = _first_column(material.data, contents, channels)
    if column is None:
        return None
    hidden = None
    if channels == 4 and len(column) >= _MAGIC_BITS:
        hidden = ALPHA_MAGIC.get(_bytes(column[:_MAGIC_BITS, 3]))
    in_rgb = hidden is None and len(column) * 3 >= _MAGIC_BITS
    if in_rgb:
        hidden = RGB_MAGIC.get(_bytes(column[: _MAGIC_BITS // 3, :3].reshape(-1)))
    return None if hidden is None else _decode(material.data, in_rgb, hidden)


def stealth_fields(text: str) -> Fields:
    """Hidden text as fields: NovelAI hides its PNG texts as one JSON object, others their parameters."""
    hidden = json_object(text)
    if hidden and "Comment" in hidden:
        return Fields(texts={key.lower(): value for key, value in hidden.items() if isinstance(value, str)})
    return Fields(texts={"parameters": text})


def _first_column(data: bytes, contents: Contents, channels: int) -> npt.NDArray[np.uint8] | None:
    """The first pixel of the first rows, (rows, channels); ``None`` where the stream is damaged."""
    stride = 1 + contents.width * channels
    rows = min(contents.height, _MAGIC_BITS if channels == 4 else _MAGIC_BITS // 3)
    if contents.width * contents.height > _MOST_PIXELS or rows * stride > 4 * _LARGEST:
        return None
    machine, raw = zlib.decompressobj(), bytearray()
    try:
        for start, length in contents.pixel_data:
            raw += machine.decompress(data[start : start + length], max(1, rows * stride - len(raw)))
            if len(raw) >= rows * stride:
                break
    except zlib.error:
        return None
    rows = len(raw) // stride
    above: npt.NDArray[np.uint16] = np.zeros(channels, np.uint16)
    column = np.zeros((rows, channels), np.uint8)
    for row in range(rows):
        start = row * stride
        filtered = np.frombuffer(raw, np.uint8, channels, start + 1).astype(np.uint16)
        kind = raw[start]
        if kind in (2, 4):  # up; Paeth, whose predictor is the pixel above where there is none to the left
            filtered += above
        elif kind == 3:
            filtered += above >> np.uint16(1)
        above = np.bitwise_and(filtered, np.uint16(0xFF))
        column[row] = above
    return column


def _bytes(values: npt.NDArray[np.uint8]) -> bytes:
    return np.packbits(values & 1).tobytes()


def _decode(data: bytes, in_rgb: bool, compressed: bool) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        pixels = np.asarray(image.convert("RGBA"))
    by_column = pixels.transpose(1, 0, 2)
    values = by_column[..., :3].reshape(-1) if in_rgb else by_column[..., 3].reshape(-1)
    if len(values) < _MAGIC_BITS + 32:
        raise ValueError("the stealth text is truncated")
    length = int.from_bytes(_bytes(values[_MAGIC_BITS : _MAGIC_BITS + 32]), "big")  # in bits
    if length > min(_LARGEST * 8, len(values) - _MAGIC_BITS - 32):
        raise ValueError("the stealth text is longer than the picture can hold")
    body = _bytes(values[_MAGIC_BITS + 32 : _MAGIC_BITS + 32 + length])
    if compressed:
        try:
            machine = zlib.decompressobj(wbits=31)
            body = machine.decompress(body, _LARGEST)
        except zlib.error:
            raise ValueError("the stealth text is damaged") from None
    return body.decode("utf-8", "replace")
