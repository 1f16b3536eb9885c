"""How much of a picture is one flat colour: text, drawings and screenshots are, photographs hardly ever."""

from __future__ import annotations

import numpy as np

from madeby.detector.views import Pixels

LOOKED_AT = 1 << 16
"""Pixels that are looked at, on an even grid over the picture."""


def flat_share(pixels: Pixels, above: float = 0.0) -> float:
    """Share, 0..1, of the (height, width, 3) picture's pixels that have its most frequent exact colour.

    Of 1,900 photographs of several collections and of CIFAR-10, 0.2% had a share above one half.

    Args:
        pixels: sRGB bytes.
        above: 0 is given for a share that is surely no larger than this, which saves the count.
    """
    height, width = pixels.shape[:2]
    step = max(1, int((height * width / LOOKED_AT) ** 0.5))
    looked_at = pixels[::step, ::step].reshape(-1, 3)
    # No colour is more frequent than its green is.
    if np.bincount(looked_at[:, 1]).max() <= above * len(looked_at):
        return 0.0
    parts = looked_at.astype(np.uint32)
    colours = (parts[:, 0] << 16) | (parts[:, 1] << 8) | parts[:, 2]
    return float(np.unique(colours, return_counts=True)[1].max() / len(colours))
