"""How much of a picture is one flat colour: text, drawings and screenshots are, photographs hardly ever."""

from __future__ import annotations

import numpy as np

from madeby.detector.views import Pixels

LOOKED_AT = 1 << 16
"""Pixels that are looked at, on an even grid over the picture."""


def flat_share(pixels: Pixels) -> float:
    """Share, 0..1, of the (height, width, 3) picture's pixels that have its most frequent exact colour.

    Of 1,900 photographs of several collections and of CIFAR-10, 0.2% had a share above one half.
    """
    height, width = pixels.shape[:2]
    step = max(1, int((height * width / LOOKED_AT) ** 0.5))
    looked_at = pixels[::step, ::step].reshape(-1, 3).astype(np.uint32)
    colours = (looked_at[:, 0] << 16) | (looked_at[:, 1] << 8) | looked_at[:, 2]
    return float(np.unique(colours, return_counts=True)[1].max() / len(colours))
