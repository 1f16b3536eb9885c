"""Figures with intervals, and tests that stay honest when there are many of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from madeby.evaluation.analysis.record import Estimate

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

Z = 1.959963984540054
"""97.5% point of the normal distribution."""

RESAMPLES = 1000
LEAST_FOR_INTERVAL = 10
"""Pictures below which a bootstrap interval would promise more than it knows."""

CELLS_AT_ONCE = 2_000_000


def rate(hits: int, n: int) -> Estimate | None:
    """A share with Wilson's (1927) interval; None of nothing."""
    if n == 0:
        return None
    low, high = _wilson(hits, n)
    return Estimate(value=hits / n, low=low, high=high, n=n)


def rate_difference(hits: int, n: int, other_hits: int, other_n: int) -> Estimate:
    """First share minus second with Newcombe's (1998, method 10) interval; both n at least 1."""
    share, other = hits / n, other_hits / other_n
    low, high = _wilson(hits, n)
    other_low, other_high = _wilson(other_hits, other_n)
    difference = share - other
    return Estimate(
        value=difference,
        low=difference - float(np.hypot(share - low, other_high - other)),
        high=difference + float(np.hypot(high - share, other - other_low)),
        n=n + other_n,
    )


def mean(values: Floats, rng: np.random.Generator) -> Estimate | None:
    """A mean with its percentile bootstrap interval; None of nothing, no interval below 10 values."""
    if not len(values):
        return None
    low, high = _percentiles(_resampled(values, rng)) if len(values) >= LEAST_FOR_INTERVAL else (None, None)
    return Estimate(value=float(values.mean()), low=low, high=high, n=len(values))


def mean_difference(values: Floats, others: Floats, rng: np.random.Generator) -> Estimate | None:
    """First mean minus second, each side resampled on its own."""
    if not len(values) or not len(others):
        return None
    enough = min(len(values), len(others)) >= LEAST_FOR_INTERVAL
    low, high = _percentiles(_resampled(values, rng) - _resampled(others, rng)) if enough else (None, None)
    return Estimate(value=float(values.mean() - others.mean()), low=low, high=high, n=len(values) + len(others))


def rank_correlation(values: Floats, others: Floats) -> Estimate | None:
    """Spearman's rho with the interval of Bonett and Wright (2000); None below 10 pairs or for constant values."""
    from scipy.stats import rankdata

    n = len(values)
    if n < LEAST_FOR_INTERVAL or np.ptp(values) == 0 or np.ptp(others) == 0:
        return None
    rho = float(np.corrcoef(rankdata(values), rankdata(others))[0, 1])
    centre, spread = np.arctanh(np.clip(rho, -0.999999, 0.999999)), Z * np.sqrt((1 + rho**2 / 2) / (n - 3))
    return Estimate(value=rho, low=float(np.tanh(centre - spread)), high=float(np.tanh(centre + spread)), n=n)


def more_often(hits: Any, n: Any, all_hits: Any, all_n: Any) -> Floats:
    """Fisher's exact one-sided p-value that ``hits`` of ``n`` drawn from ``all_hits`` of ``all_n`` is by chance.

    Arguments are counts or arrays of counts that broadcast.
    """
    from scipy.stats import hypergeom

    return np.asarray(np.minimum(hypergeom.sf(np.asarray(hits) - 1, all_n, all_hits, n), 1.0), np.float64)


def different(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Fisher's exact two-sided p-value for two shares."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[hits, n - hits], [other_hits, other_n - other_hits]]).pvalue)


def corrected(p: Floats) -> Floats:
    """P-values corrected for their number by Benjamini and Hochberg (1995); what stays below q holds at most the
    share q of false finds, on average."""
    if not len(p):
        return p
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    least = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(least, 1.0)
    return adjusted


def _wilson(hits: int, n: int) -> tuple[float, float]:
    share = hits / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At 0 and n the bound is exact; rounding must not put the share outside its own interval.
    low = 0.0 if hits == 0 else max(0.0, float(middle - half))
    high = 1.0 if hits == n else min(1.0, float(middle + half))
    return low, high


def _resampled(values: Floats, rng: np.random.Generator) -> Floats:
    """Means of resamples, drawn a few at a time to bound memory."""
    at_once = max(1, CELLS_AT_ONCE // len(values))
    parts = []
    for start in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - start)
        parts.append(values[rng.integers(len(values), size=(count, len(values)))].mean(1))
    return np.concatenate(parts)


def _percentiles(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
