"""The area under the ROC curve with its uncertainty, and what chance reaches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

RESAMPLES = 200


def auroc(scores: Numbers, labels: npt.NDArray[np.int64], weights: Numbers | None = None) -> float:
    """The probability that a picture of class 1 scores higher than one of class 0; equal scores count half.

    Args:
        scores: (n,).
        labels: (n,) 0 or 1, both present.
        weights: (n,) how often each picture counts, by default once.
    """
    weight = np.ones(len(scores)) if weights is None else weights
    levels, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place, weight * (labels == 1), len(levels))
    negative = np.bincount(place, weight * (labels == 0), len(levels))
    below = np.cumsum(negative) - negative
    total = positive.sum() * negative.sum()
    return float((positive * (below + negative / 2)).sum() / total) if total else float("nan")


def interval(
    scores: Numbers, labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], seed: int
) -> tuple[float, float]:
    """Bootstrap 95% interval of the AUROC; whole groups are drawn, for their pictures are not independent.

    Args:
        scores: (n,).
        labels: (n,) 0 or 1.
        groups: (n,) numbers from 0.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    drawn = [
        auroc(scores, labels, np.bincount(generator.integers(0, count, count), minlength=count)[groups].astype(float))
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def chance_limit(labels: npt.NDArray[np.int64]) -> float:
    """What scores that know nothing stay below 97.5% of the time (Mann-Whitney statistic, normal limit)."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    return float(min(1.0, 0.5 + 1.96 * np.sqrt((positive + negative + 1) / (12 * positive * negative))))
