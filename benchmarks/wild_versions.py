"""What happens to pictures before `wild` and `wild-lite` learn from them; see wild_heads.py."""

from __future__ import annotations

import numpy as np

from madeby.pictures.degradations import degradation


def as_the_world_leaves_it(pixels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A picture rescaled and re-encoded by chance, once or twice, whatever its label."""
    for _ in range(1 + int(draw.random() < 0.4)):
        if draw.random() < 0.8:
            long_side = np.exp(draw.uniform(np.log(320), np.log(1200)))
            factor = float(np.clip(long_side / max(pixels.shape[:2]), 0.02, 1.5))
            pixels = degradation("resize").apply(pixels, factor)
        codec = "jpeg" if draw.random() < 0.85 else "webp"
        pixels = degradation(codec).apply(pixels, float(draw.integers(40, 96)))
    return pixels


def smaller_and_harder(pixels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A picture made small and compressed hard, by chance, whatever its label."""
    factor = np.exp(draw.uniform(np.log(320), np.log(640))) / max(pixels.shape[:2])
    pixels = degradation("resize").apply(pixels, float(np.clip(factor, 0.02, 1.5)))
    return degradation("jpeg").apply(pixels, float(draw.integers(30, 61)))


VERSIONS = {"usual": (0, as_the_world_leaves_it), "harder": (11, smaller_and_harder)}
"""What happens to the pictures before they are looked at, and what is added to the seed for it."""


def version_of(pixels: np.ndarray, version: str, seed: int, row: int) -> np.ndarray:
    """The picture in this row of the chosen ones as this version has it."""
    offset, change = VERSIONS[version]
    return change(pixels, np.random.default_rng([seed + offset, row]))
