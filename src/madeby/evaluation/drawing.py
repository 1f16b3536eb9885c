"""The plots of an evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.evaluation.metrics import Figures, Metrics
from madeby.plots.confusion import confusion_matrix
from madeby.plots.probability import reliability_diagram, score_histogram
from madeby.plots.ranking import precision_recall_curve, roc_curve


def draw_evaluation(
    probability: npt.NDArray[np.float64], is_ai: npt.NDArray[np.bool_], metrics: Metrics, folder: Path
) -> list[Path]:
    """Draw confusion matrix, reliability, score histogram and, where both labels are there, ROC and precision-recall.

    Returns:
        The files written.
    """
    abstention = metrics.abstention
    decided = "" if abstention.coverage is None else f"{abstention.coverage:.1%} of pictures get a verdict"
    drawn = [
        confusion_matrix(metrics.confusion, folder / "confusion.png", subtitle=_worded(metrics, "accuracy")),
        reliability_diagram(probability, is_ai, folder / "reliability.png", subtitle=_worded(metrics, "ece")),
        score_histogram(
            probability,
            is_ai,
            folder / "scores.png",
            threshold_human=abstention.threshold_human,
            threshold_ai=abstention.threshold_ai,
            subtitle=decided,
        ),
    ]
    if metrics.n_human and metrics.n_ai:
        drawn += [
            roc_curve(probability, is_ai, folder / "roc.png", subtitle=_worded(metrics, "auroc")),
            precision_recall_curve(
                probability, is_ai, folder / "precision_recall.png", subtitle=_worded(metrics, "average_precision")
            ),
        ]
    return drawn


_WORDS = {
    "accuracy": "accuracy",
    "ece": "expected calibration error",
    "auroc": "area under the curve",
    "average_precision": "average precision",
}


def _worded(figures: Figures, name: str) -> str:
    value, interval = getattr(figures, name), figures.intervals[name]
    if value is None:
        return f"{_WORDS[name]}: not defined for one class"
    spread = f" ({interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
    return f"{_WORDS[name]} {value:.4f}{spread}"
