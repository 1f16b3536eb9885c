"""The figures that training watches, from logits and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Loss (mean cross-entropy, nats), accuracy at logit 0 and area under the ROC curve, each 0..1 but the first."""

    loss: float
    accuracy: float
    auroc: float


def figures_of(logits: Floats, labels: Floats) -> Figures:
    """Figures of (n,) logits against (n,) labels 0 and 1; AUROC is NaN where a label is missing."""
    with np.errstate(invalid="ignore"):  # infinite logits of a training that diverged
        loss = np.logaddexp(0.0, logits) - labels * logits
    accuracy = ((logits > 0) == (labels > 0.5)).mean()
    return Figures(float(loss.mean()), float(accuracy), auroc(logits, labels))


def auroc(logits: Floats, labels: Floats) -> float:
    """Chance that an ai picture scores above a human one, ties half (Mann & Whitney 1947)."""
    positive = labels > 0.5
    n_positive = int(positive.sum())
    n_negative = len(labels) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    _, inverse, counts = np.unique(logits, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def auroc_within(logits: Floats, labels: Floats, folds: npt.NDArray[np.int64]) -> float:
    """:func:`auroc` of pairs that one and the same fit answered about; NaN where no fold has both labels.

    Fits of several folds differ in their even points too, which says nothing about how well each of them orders.

    Args:
        logits: (n,).
        labels: (n,) 0 human, 1 ai.
        folds: (n,) which fit answered about each.
    """
    areas, pairs = [], []
    for fold in np.unique(folds):
        judged = folds == fold
        n_ai = int((labels[judged] > 0.5).sum())
        if count := n_ai * (int(judged.sum()) - n_ai):
            areas.append(auroc(logits[judged], labels[judged]))
            pairs.append(count)
    return float(np.average(areas, weights=pairs)) if pairs else float("nan")


def mean_by_picture(logits: Floats, picture: npt.NDArray[np.int64]) -> Floats:
    """Mean logit of each picture's views: (views,) with (views,) picture numbers to (pictures,)."""
    return np.asarray(np.bincount(picture, logits) / np.bincount(picture))
