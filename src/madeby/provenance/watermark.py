"""The open invisible watermarks of Stable Diffusion, SDXL and FLUX, decoded without their library.

The scheme ("dwtDct" of the library invisible-watermark): the U channel's first Haar low-pass band is cut into
4x4 blocks; in each block the coefficient of greatest magnitude, the first excepted, is moved to a quarter or
three quarters of a quantisation step of 36, which writes one bit. The bits of the message follow each other
through the blocks, row by row, over and over.

Pipelines differ in what they hand to the library: 8-bit pixels (SD 1 and 2; U is offset by 128) or floats
(SDXL, FLUX; offset by 0.5), blue first or, in some versions, red first. All are tried; the p-value counts it.

Messages: CompVis/stable-diffusion (``StableDiffusionV1``), Stability-AI/stablediffusion (``SDV2``),
Stability-AI/generative-models and diffusers (SDXL's 48 bits), black-forest-labs/flux (48 bits of which the two
leading zeros are lost when they are written out).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from madeby.provenance.evidence import signal
from madeby.provenance.material import Material
from madeby.schema import Signal

NAME = "watermark"
STEP = 36.0
SMALLEST_AREA = 256 * 256
"""Pixels below which the library refuses to write a watermark."""
MOST_BLOCKS = 4096
"""Blocks that are read of one picture, in rows spread evenly over it; 30 votes and more for every bit."""
P_VALUE = 1e-7
"""Largest p-value, corrected for the number of tests, that counts as a watermark; see docs/provenance.md for
the null distribution that was measured on photographs."""


@dataclass(frozen=True)
class Message:
    """A known watermark message and who writes it."""

    maker: str
    bits: tuple[int, ...]


def _of_bytes(text: bytes) -> tuple[int, ...]:
    return tuple(byte >> shift & 1 for byte in text for shift in range(7, -1, -1))


def _of_digits(digits: str) -> tuple[int, ...]:
    return tuple(int(digit) for digit in digits)


MESSAGES: tuple[Message, ...] = (
    Message("Stable Diffusion 1", _of_bytes(b"StableDiffusionV1")),
    Message("Stable Diffusion 2", _of_bytes(b"SDV2")),
    Message("Stable Diffusion XL", _of_digits("101100111110110010010000011110111011000110011110")),
    Message("FLUX", _of_digits("1010101111111010000111100111001111010100101110")),
)

VARIANTS: tuple[tuple[str, float], ...] = (("BGR", 128.0), ("BGR", 0.5), ("RGB", 0.5))
"""What the library may have been given: channel order, and the offset of U that goes with the number type."""

TESTS = len(MESSAGES) * len(VARIANTS)


@dataclass(frozen=True)
class Match:
    """How well the bits read from a picture agree with a message; ``p_value`` is corrected for all tests."""

    message: Message
    matching: int
    p_value: float
    variant: str


def read(material: Material) -> Signal:
    """Whether the pixels carry a known open watermark.

    ``detail``: ``state``, ``maker``, ``matching_bits``, ``bits``, ``p_value``, ``variant``.
    """
    pixels = material.pixels
    if pixels is None:
        return signal(NAME, "not examined", "no pixels at hand for watermarks")
    height, width = pixels.shape[:2]
    if height * width < SMALLEST_AREA or min(height, width) < 8:
        return signal(NAME, "not examined", "too small to carry a watermark")
    match = best_match(pixels)
    detail = {
        "maker": match.message.maker,
        "matching_bits": match.matching,
        "bits": len(match.message.bits),
        "p_value": float(f"{match.p_value:.3g}"),
        "variant": match.variant,
    }
    if match.p_value > P_VALUE:
        return signal(NAME, "absent", "no known watermark")
    said = f"the pixels carry {match.message.maker}'s watermark ({match.matching} of {len(match.message.bits)} bits)"
    return signal(NAME, "found", said, **detail)


def best_match(pixels: npt.NDArray[np.uint8], messages: tuple[Message, ...] = MESSAGES) -> Match:
    """The known message that agrees best with a picture of (height, width, 3) sRGB bytes."""
    matches = []
    for (order, offset), votes in zip(VARIANTS, block_votes(pixels), strict=True):
        for message in messages:
            matching = matching_bits(votes, message.bits)
            p_value = min(1.0, TESTS * tail(matching, len(message.bits)))
            matches.append(Match(message, matching, p_value, f"{order}, offset {offset:g}"))
    return min(matches, key=lambda match: match.p_value)


@dataclass(frozen=True)
class Votes:
    """The bit that each block holds, (blocks,) of 0 and 1, and each block's number in the picture."""

    bits: npt.NDArray[np.bool_]
    numbers: npt.NDArray[np.int64]


def matching_bits(votes: Votes, message: tuple[int, ...]) -> int:
    """How many bits of a message agree with the majority of their blocks.

    The majority is judged against the share of ones among all blocks, not against one half: in flat pictures
    nearly all blocks read alike, which says nothing.
    """
    length = len(message)
    place = votes.numbers % length
    blocks = np.bincount(place, minlength=length)
    ones = np.bincount(place, weights=votes.bits, minlength=length)
    share = ones / np.maximum(blocks, 1)
    read_bits = share > votes.bits.mean()
    return int(np.count_nonzero(read_bits == np.asarray(message, bool)))


def block_votes(pixels: npt.NDArray[np.uint8]) -> list[Votes]:
    """The blocks' bits under each of :data:`VARIANTS`; both sides of the picture are at least 8."""
    block_rows, columns = pixels.shape[0] // 8, pixels.shape[1] // 8
    wanted = max(1, min(block_rows, MOST_BLOCKS // columns))
    rows = np.linspace(0, block_rows - 1, wanted).astype(np.int64)
    rows = rows[np.diff(rows, prepend=-1) > 0]
    strips = pixels[: 8 * block_rows, : 8 * columns].reshape(block_rows, 8, 8 * columns, 3)[rows]
    numbers = (rows[:, None] * columns + np.arange(columns)).ravel()
    red, green, blue = (_low_band(strips[..., channel]) for channel in range(3))
    votes = []
    for order, offset in VARIANTS:
        first, last = (blue, red) if order == "BGR" else (red, blue)
        # the low band sums four pixels and halves: 0.5 * 0.492 * (B - Y), the offset twice
        band = 0.246 * (0.886 * first - 0.587 * green - 0.299 * last) + 2 * offset
        votes.append(Votes(_bits(band, columns), numbers))
    return votes


def _low_band(channel: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Sums of 2x2 pixels: (strips, 8, width) to (strips, 4, width / 2)."""
    pairs = channel[:, 0::2].astype(np.uint16)
    pairs += channel[:, 1::2]
    return (pairs[..., 0::2] + pairs[..., 1::2]).astype(np.float32)


def _bits(band: npt.NDArray[np.float32], columns: int) -> npt.NDArray[np.bool_]:
    """One bit of every 4x4 block of (strips, 4, 4 * columns): the place of its largest coefficient in the step."""
    size = np.abs(band)
    size[:, 0, ::4] = 0  # the first coefficient is never used
    tallest = size.max(axis=1).reshape(-1, columns, 4)
    largest = np.maximum(np.maximum(tallest[..., 0], tallest[..., 1]), np.maximum(tallest[..., 2], tallest[..., 3]))
    return np.asarray(largest.ravel() % STEP > STEP / 2)


@lru_cache(maxsize=4096)
def tail(matching: int, bits: int) -> float:
    """Probability that at least ``matching`` of ``bits`` fair coins agree."""
    return float(sum(math.comb(bits, count) for count in range(matching, bits + 1)) / 2**bits)
