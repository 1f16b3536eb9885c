"""Shortcut three: which colours a picture has, wherever they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.shortcuts.features import Features, features_of

SEES = "colour statistics alone: of 576 evenly spread pixels, wherever they lie"

_HUES = 6


def colour_features(colours: npt.NDArray[np.uint8]) -> Features:
    """Colour statistics.

    Args:
        colours: (n, rows, columns, 3) uint8 sRGB pixels; their arrangement is ignored.
    """
    pixels = colours.reshape(len(colours), -1, 3).astype(np.float32)
    luminance = pixels @ np.asarray((0.299, 0.587, 0.114), np.float32)
    highest, lowest = pixels.max(axis=2), pixels.min(axis=2)
    chroma = highest - lowest
    quantiles = np.quantile(luminance, (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99), axis=1).T
    return features_of(
        {
            "brightness": np.column_stack([luminance.mean(axis=1), quantiles]),
            "contrast": luminance.std(axis=1),
            "saturation": np.column_stack([chroma.mean(axis=1), chroma.std(axis=1), (chroma < 8).mean(axis=1)]),
            "hues": _hues(pixels, highest, chroma),
            "colour cast": np.column_stack([(pixels[..., one] - luminance).mean(axis=1) for one in (0, 2)]),
            "clipped blacks and whites": np.column_stack([(lowest >= 253).mean(axis=1), (highest <= 2).mean(axis=1)]),
            "how channels vary together": _correlations(pixels),
        }
    )


def _hues(
    pixels: npt.NDArray[np.float32], highest: npt.NDArray[np.float32], chroma: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """(n, 6): how the chroma spreads over red, yellow, green, cyan, blue and magenta."""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    safe = np.maximum(chroma, 1)
    hue = np.where(
        highest == red,
        ((green - blue) / safe) % 6,
        np.where(highest == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    sector = np.round(hue).astype(np.int64) % _HUES
    total = np.maximum(chroma.sum(axis=1), 1)
    parts = [np.where(sector == one, chroma, 0).sum(axis=1) / total for one in range(_HUES)]
    return np.stack(parts, axis=1).astype(np.float32)


def _correlations(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 3): correlation of red with green, red with blue, green with blue; 1 where a channel is constant."""
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    found = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        together = (centred[..., one] * centred[..., other]).mean(axis=1)
        scale = spread[:, one] * spread[:, other]
        found.append(np.where(scale > 1, together / np.maximum(scale, 1), 1))
    return np.stack(found, axis=1).astype(np.float32)
