"""The figures of a detector on labelled pictures, computed for many weightings of the pictures at once.

A bootstrap resample is a weighting (how often each picture was drawn), so the point estimates and all resamples
go through the same code: scores are sorted once, and every figure is a sum or a cumulative sum of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FIGURES = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_ai",
    "recall_ai",
    "f1_ai",
    "auroc",
    "average_precision",
    "tpr_at_fpr_1",
    "tpr_at_fpr_5",
    "ece",
    "brier",
    "nll",
)
"""Names of the figures, in the order of the report."""

DECISION = 0.5
ECE_BINS = 15
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Scored:
    """Pictures sorted by falling P(ai): (n,) probabilities, (n,) 1.0 for ai and 0.0 for human.

    ``last_of_tie`` are the positions after which a threshold can lie: pictures with equal probability cannot be
    told apart by any.
    """

    probability: Floats
    is_ai: Floats
    last_of_tie: npt.NDArray[np.int64]

    @classmethod
    def sort(cls, probability: Floats, is_ai: npt.NDArray[np.bool_]) -> Scored:
        """Sort pictures; both arrays (n,)."""
        order = np.argsort(-probability, kind="stable")
        falling = probability[order]
        last_of_tie = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
        return cls(falling, is_ai[order].astype(np.float64), last_of_tie)


def figures_of(scored: Scored, weights: Floats) -> dict[str, Floats]:
    """Every figure of :data:`FIGURES` for each weighting.

    Predictions are ``ai`` from probability 0.5. Precision of a label never predicted is 0, as in scikit-learn.
    ``ece`` is the expected calibration error (Naeini et al. 2015) of P(ai) in 15 equal-width bins, ``brier`` the
    mean squared error, ``nll`` the mean cross-entropy in nats. ``tpr_at_fpr_1`` is the highest share of AI pictures
    found by a threshold that at most 1% of the human ones reach.

    Args:
        scored: n pictures.
        weights: (resamples, n), how often each picture counts, in the order of ``scored``.

    Returns:
        Name to (resamples,) values; NaN where a figure needs a label that has no pictures.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return _decisions(scored, weights) | _ranking(scored, weights) | _calibration(scored, weights)


def confusion_of(scored: Scored) -> tuple[tuple[int, int], tuple[int, int]]:
    """Counts at probability 0.5: rows true human and ai, columns predicted human and ai."""
    called = scored.probability >= DECISION
    ai = scored.is_ai == 1
    return (
        (int((~ai & ~called).sum()), int((~ai & called).sum())),
        (int((ai & ~called).sum()), int((ai & called).sum())),
    )


def _decisions(scored: Scored, weights: Floats) -> dict[str, Floats]:
    called = (scored.probability >= DECISION).astype(np.float64)
    true_ai = weights @ (scored.is_ai * called)
    false_ai = weights @ ((1 - scored.is_ai) * called)
    false_human = weights @ (scored.is_ai * (1 - called))
    true_human = weights @ ((1 - scored.is_ai) * (1 - called))
    recall_ai, recall_human = true_ai / (true_ai + false_human), true_human / (true_human + false_ai)
    precision_ai, precision_human = _share(true_ai, false_ai), _share(true_human, false_human)
    f1_ai = _f1(true_ai, false_ai, false_human)
    f1_human = _f1(true_human, false_human, false_ai)
    # A figure about one label means nothing where that label has no pictures.
    precision_ai, f1_ai = (np.where(np.isnan(recall_ai), np.nan, figure) for figure in (precision_ai, f1_ai))
    precision_human, f1_human = (
        np.where(np.isnan(recall_human), np.nan, figure) for figure in (precision_human, f1_human)
    )
    return {
        "accuracy": (true_ai + true_human) / weights.sum(1),
        "balanced_accuracy": (recall_ai + recall_human) / 2,
        "precision_macro": (precision_ai + precision_human) / 2,
        "recall_macro": (recall_ai + recall_human) / 2,
        "f1_macro": (f1_ai + f1_human) / 2,
        "precision_ai": precision_ai,
        "recall_ai": recall_ai,
        "f1_ai": f1_ai,
    }


def _ranking(scored: Scored, weights: Floats) -> dict[str, Floats]:
    at = scored.last_of_tie
    found = np.cumsum(weights * scored.is_ai, axis=1)[:, at]
    alarms = np.cumsum(weights * (1 - scored.is_ai), axis=1)[:, at]
    tpr, fpr = found / found[:, -1:], alarms / alarms[:, -1:]
    steps = np.diff(fpr, axis=1, prepend=0.0)
    before = np.concatenate([np.zeros((len(tpr), 1)), tpr[:, :-1]], axis=1)
    precision = np.where(found + alarms > 0, found / (found + alarms), 0.0)
    return {
        "auroc": (steps * (tpr + before) / 2).sum(1),
        "average_precision": np.where(
            np.isnan(fpr[:, -1]), np.nan, (np.diff(tpr, axis=1, prepend=0.0) * precision).sum(1)
        ),
        "tpr_at_fpr_1": _tpr_at(tpr, fpr, 0.01),
        "tpr_at_fpr_5": _tpr_at(tpr, fpr, 0.05),
    }


def _tpr_at(tpr: Floats, fpr: Floats, most: float) -> Floats:
    """The highest TPR of a threshold whose FPR is at most ``most``; calling nothing ai is always allowed."""
    best = np.where(fpr <= most + 1e-12, tpr, 0.0).max(1)
    return np.where(np.isnan(fpr[:, -1]) | np.isnan(tpr[:, -1]), np.nan, best)


def _calibration(scored: Scored, weights: Floats) -> dict[str, Floats]:
    probability, is_ai = scored.probability, scored.is_ai
    total = weights.sum(1)
    safe = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    bins = np.minimum((probability * ECE_BINS).astype(int), ECE_BINS - 1)
    in_bin = np.equal.outer(bins, np.arange(ECE_BINS)).astype(np.float64)
    gap = np.abs(weights @ (in_bin * (probability - is_ai)[:, None])).sum(1)
    return {
        "ece": gap / total,
        "brier": weights @ (probability - is_ai) ** 2 / total,
        "nll": weights @ -(is_ai * np.log(safe) + (1 - is_ai) * np.log1p(-safe)) / total,
    }


def _share(part: Floats, rest: Floats) -> Floats:
    """``part`` of ``part + rest``; 0 of nothing."""
    return np.where(part + rest > 0, part / (part + rest), 0.0)


def _f1(true: Floats, false_alarms: Floats, misses: Floats) -> Floats:
    """Harmonic mean of precision and recall from counts; 0 where nothing was found."""
    return _share(2 * true, false_alarms + misses)
