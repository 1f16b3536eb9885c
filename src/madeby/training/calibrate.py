"""From raw logits on validation pictures to probabilities one can believe and thresholds one can promise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.detector.bundle import Calibration, Profile, Thresholds
from madeby.detector.calibration import probability_of
from madeby.detector.thresholds import fit_each_profile

Floats = npt.NDArray[np.float64]

FEWEST_OF_A_LABEL = 10
"""With fewer pictures of a label than this, nothing is fitted."""

SLOPE_RANGE = (1e-3, 1e3)


@dataclass(frozen=True)
class Scores:
    """Validation pictures as the exported bundle sees them: (n,) raw logits and (n,) labels 0 or 1.

    ``collections`` says where each comes from, None where unknown; it is empty where no one knows.
    """

    logits: Floats
    labels: npt.NDArray[np.int8]
    collections: tuple[str | None, ...] = ()

    @property
    def human(self) -> Floats:
        """Logits of the photographs and other human pictures."""
        return np.asarray(self.logits[self.labels == 0])

    @property
    def ai(self) -> Floats:
        """Logits of the AI-made pictures."""
        return np.asarray(self.logits[self.labels == 1])


def fit_calibration(scores: Scores, fitted_on: str) -> Calibration:
    """Platt scaling with Platt's smoothed targets and both labels weighed alike.

    Equal weights make P(ai) = 0.5 the even point whatever the validation set's mix. Where the fitted slope makes
    no sense (scores that run backwards or say nothing) temperature scaling is tried, then nothing.

    Args:
        scores: validation logits and labels.
        fitted_on: what the data is called in the bundle.
    """
    n = len(scores.logits)
    counts = len(scores.human), len(scores.ai)
    if min(counts) < FEWEST_OF_A_LABEL or not np.isfinite(scores.logits).all():
        return Calibration(fitted_on=fitted_on, n=n)
    slope, intercept = _fit(scores, with_intercept=True)
    if SLOPE_RANGE[0] <= slope <= SLOPE_RANGE[1] and math.isfinite(intercept):
        return Calibration(method="platt", slope=slope, intercept=intercept, fitted_on=fitted_on, n=n)
    slope, _ = _fit(scores, with_intercept=False)
    if SLOPE_RANGE[0] <= slope <= SLOPE_RANGE[1]:
        return Calibration(method="temperature", slope=slope, fitted_on=fitted_on, n=n)
    return Calibration(fitted_on=fitted_on, n=n)


def _fit(scores: Scores, *, with_intercept: bool) -> tuple[float, float]:
    """Slope and intercept of least weighted cross-entropy (Platt 1999, targets (n+ + 1)/(n+ + 2), 1/(n- + 2))."""
    from scipy.optimize import minimize

    n_human, n_ai = len(scores.human), len(scores.ai)
    is_ai = scores.labels == 1
    targets = np.where(is_ai, (n_ai + 1) / (n_ai + 2), 1 / (n_human + 2))
    weights = np.where(is_ai, 0.5 / n_ai, 0.5 / n_human)
    spread = float(scores.logits.std()) or 1.0
    scaled = scores.logits / spread

    def loss(parameters: Floats) -> tuple[float, Floats]:
        values = parameters[0] * scaled + (parameters[1] if with_intercept else 0.0)
        losses = np.logaddexp(0.0, values) - targets * values
        errors = weights * (1 / (1 + np.exp(-np.clip(values, -500, 500))) - targets)
        slope_gradient = float((errors * scaled).sum())
        return float((weights * losses).sum()), np.array(
            [slope_gradient, float(errors.sum()) if with_intercept else 0.0]
        )

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B")
    return float(found.x[0]) / spread, float(found.x[1]) if with_intercept else 0.0


def fit_profiles(scores: Scores, calibration: Calibration, set_on: str) -> dict[Profile, Thresholds]:
    """Thresholds of every profile, by :func:`madeby.detector.thresholds.fit_each_profile`.

    Args:
        scores: validation logits, labels and, if known, collections.
        calibration: what makes probabilities of the logits.
        set_on: what the data is called in the bundle.
    """
    human, ai = (
        np.array([probability_of(float(logit), calibration) for logit in logits])
        for logits in (scores.human, scores.ai)
    )
    named = [name for name, label in zip(scores.collections, scores.labels.tolist(), strict=False) if label == 0]
    return fit_each_profile(human, ai, set_on, collections=named)
