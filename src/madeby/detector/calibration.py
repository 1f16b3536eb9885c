"""From a raw logit to a calibrated probability."""

from __future__ import annotations

import math

from madeby.detector.bundle import Calibration


def probability_of(logit: float, calibration: Calibration) -> float:
    """Calibrated P(ai), 0..1: ``sigmoid(slope * logit + intercept)``, without overflow for any logit."""
    value = calibration.slope * logit + calibration.intercept
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    power = math.exp(value)
    return power / (1.0 + power)
