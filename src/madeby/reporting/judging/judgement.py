"""One sentence of judgement, and the statistics that several rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Tone = Literal["good", "plain", "bad", "open"]
Floats = npt.NDArray[np.float64]
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Judgement:
    """A sentence. ``tone`` is ``open`` where it says that something cannot be told, or was not measured."""

    text: str
    tone: Tone = "plain"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927); ``count`` at least 1."""
    share, z2 = hits / count, Z95 * Z95
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 * float(np.sqrt(share * (1 - share) / count + z2 / (4 * count * count))) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(hits: int, n: int, other_hits: int, other_n: int) -> tuple[float, float]:
    """95% interval of the first share minus the second (Newcombe 1998, method 10); counts at least 1."""
    share, other = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(other_hits, other_n)
    below, above = np.hypot(share - low, other_high - other), np.hypot(high - share, other - other_low)
    return float(share - other - below), float(share - other + above)


def chance_ece(probability: Floats, bins: int = 15) -> float:
    """The calibration error that perfectly calibrated probabilities show on so many pictures by chance alone.

    The mean of a half-normal distribution a bin, weighted as the expected calibration error weighs bins.
    """
    place = np.minimum((probability * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    said = np.bincount(place, probability, bins)[filled] / counts[filled]
    spread = np.sqrt(2 * said * (1 - said) / (np.pi * counts[filled]))
    return float((counts[filled] / len(probability) * spread).sum())
