"""A 64-bit fingerprint that survives resizing and recompression: the DCT perceptual hash.

C. Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE, _LOW, _ENOUGH = 32, 8, 512


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> str:
    """The hash of a picture: which of its 64 lowest frequencies lie above their median.

    Args:
        pixels: (height, width, 3) uint8.

    Returns:
        16 hexadecimal digits. Look-alikes differ in few bits (:func:`hamming_distance`); 10 or fewer
        is the usual sign of the same picture.
    """
    # A large picture is thinned out first: the hundreds of samples left in a cell have the cell's mean.
    step = max(1, min(pixels.shape[:2]) // _ENOUGH)
    small = Image.fromarray(pixels[::step, ::step]).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    grey = np.asarray(small.convert("L"), dtype=np.float64)
    # Rounding keeps arithmetic dust from deciding the bits of a plain surface.
    low = np.round(_cosines() @ grey @ _cosines().T, 6)
    # The constant term says how bright the picture is, not what it shows, and would pull at the median.
    median = np.sort(low.ravel()[1:])[31]
    bits = (low > median).ravel()
    return np.packbits(bits).tobytes().hex()


def hamming_distance(one: str, other: str) -> int:
    """How many of the 64 bits of two hashes differ: 0 for the same picture, about 32 for unrelated ones."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


@cache
def _cosines() -> npt.NDArray[np.float64]:
    """(8, 32): the lowest rows of the orthonormal DCT-II matrix."""
    frequency, position = np.arange(_LOW)[:, None], np.arange(_SIDE)[None, :]
    rows: npt.NDArray[np.float64] = np.cos(np.pi * frequency * (2 * position + 1) / (2 * _SIDE))
    rows *= np.sqrt(2 / _SIDE)
    rows[0] /= np.sqrt(2)
    return rows
