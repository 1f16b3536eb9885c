"""Measurable properties of one picture, by which mistakes may resemble each other.

Pixel traits are taken from the picture itself, not from a resized copy: resizing would change what is measured.
Spectrum, sharpness and noise look at a central square whose side is the largest power of two that fits, at most 512.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.container_facts import ContainerFacts
from madeby.detector.flatness import flat_share

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

TRAITS_VERSION = 1
"""Raised when a trait is computed otherwise, so that kept figures are not mixed with new ones."""

LUMA = np.asarray((0.299, 0.587, 0.114), np.float32)
MOST_SIDE, LEAST_SIDE = 512, 16
MOST_LOOKED_AT = 1 << 18
"""Pixels that colour and entropy look at, on an even grid; a larger picture is thinned out."""


@dataclass(frozen=True)
class Traits:
    """Container facts as in a manifest, then what the pixels are like; null where a trait has no meaning.

    ``bytes_per_pixel`` is the file's size over its pixels. ``brightness`` is mean luma, ``contrast`` its standard
    deviation, ``saturation`` the mean of highest minus lowest channel, ``warmth`` mean red minus blue, all in levels
    of 255. ``clipped`` is the share of pixels with luma at most 2 or at least 253, ``flat`` the share of the most
    frequent exact colour. ``entropy`` is Shannon's of the luma histogram, 0..8 bits. ``sharpness`` is log10 of the
    variance of the Laplacian (Pech-Pacheco et al. 2000), ``noise`` the standard deviation of Immerkaer (1996),
    levels. ``high_frequencies`` is the share of spectral power above half the Nyquist frequency, ``spectrum_slope``
    the exponent of the radial power spectrum (about -2 for photographs, Field 1987).
    """

    format: str
    shorter_side: int
    megapixels: float
    aspect: float
    bytes: int
    bytes_per_pixel: float
    jpeg_quality: int | None
    subsampling: str | None
    metadata: str
    brightness: float
    contrast: float
    saturation: float
    warmth: float
    clipped: float
    flat: float
    entropy: float
    sharpness: float | None
    noise: float | None
    high_frequencies: float | None
    spectrum_slope: float | None


def traits_of(pixels: Pixels, facts: ContainerFacts) -> Traits:
    """Measure a decoded picture.

    Args:
        pixels: (height, width, 3) uint8 sRGB.
        facts: of its file.
    """
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / MOST_LOOKED_AT) ** 0.5))
    grid = pixels[::step, ::step].astype(np.float32)
    luma = grid @ LUMA
    carried = facts.has_exif or facts.has_xmp or facts.has_text or facts.has_c2pa
    middle = _middle(pixels)
    high, slope = _spectrum(middle) if middle is not None else (None, None)
    return Traits(
        format=facts.format,
        shorter_side=min(facts.width, facts.height),
        megapixels=facts.width * facts.height / 1e6,
        aspect=facts.width / facts.height,
        bytes=facts.bytes,
        bytes_per_pixel=facts.bytes / (facts.width * facts.height),
        jpeg_quality=facts.jpeg_quality,
        subsampling=facts.subsampling,
        metadata="some" if carried else "none",
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        saturation=float((grid.max(2) - grid.min(2)).mean()),
        warmth=float((grid[..., 0] - grid[..., 2]).mean()),
        clipped=float(((luma <= 2) | (luma >= 253)).mean()),
        flat=flat_share(pixels),
        entropy=_entropy(luma),
        sharpness=None if middle is None else _sharpness(middle),
        noise=None if middle is None else _noise(middle),
        high_frequencies=high,
        spectrum_slope=slope,
    )


def _middle(pixels: Pixels) -> Floats | None:
    """Luma of the central square, (side, side); None for a picture below 16 pixels."""
    height, width = pixels.shape[:2]
    shorter = min(height, width, MOST_SIDE)
    if shorter < LEAST_SIDE:
        return None
    side = 1 << (shorter.bit_length() - 1)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side].astype(np.float32) @ LUMA


def _entropy(luma: Floats) -> float:
    counts = np.bincount(np.clip(luma, 0, 255).astype(np.uint8).ravel(), minlength=256)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # no -0.0 for a constant picture


def _sharpness(luma: Floats) -> float:
    laplacian = (
        luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    )  # fmt: skip
    return float(np.log10(max(float(laplacian.var()), 1e-3)))


def _noise(luma: Floats) -> float:
    """The mean absolute answer of a mask that is blind to edges, scaled to a Gaussian's deviation."""
    corners = luma[:-2, :-2] + luma[:-2, 2:] + luma[2:, :-2] + luma[2:, 2:]
    sides = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(corners - 2 * sides + 4 * luma[1:-1, 1:-1]).mean())


def _spectrum(luma: Floats) -> tuple[float | None, float | None]:
    """Share of power above half the Nyquist frequency, and the slope of log power over log frequency."""
    side = len(luma)
    window, ring, frequency = _rings(side)
    power = np.abs(np.fft.rfft2((luma - luma.mean()) * window)) ** 2
    by_ring = np.bincount(ring.ravel(), power.ravel(), minlength=side // 2 + 1)[1 : side // 2 + 1]
    total = float(by_ring.sum())
    if total < 1e-3 * side * side:  # a flat picture has no spectrum
        return None, None
    high = float(by_ring[frequency > 0.25].sum()) / total
    counts = np.bincount(ring.ravel(), minlength=side // 2 + 1)[1 : side // 2 + 1]
    slope = np.polyfit(np.log(frequency), np.log(np.maximum(by_ring / counts, 1e-12)), 1)[0]
    return high, float(slope)


@cache
def _rings(side: int) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Hann window (side, side), ring of each rfft2 cell, and the rings' frequencies in cycles a pixel, 0..0.5."""
    hann = np.hanning(side).astype(np.float32)
    vertical = np.fft.fftfreq(side)[:, None]
    horizontal = np.fft.rfftfreq(side)[None]
    ring = np.round(np.hypot(vertical, horizontal) * side).astype(np.int64)
    return np.outer(hann, hann), ring, np.arange(1, side // 2 + 1) / side
