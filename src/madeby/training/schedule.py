"""Learning-rate schedules as a factor of the recipe's learning rate."""

from __future__ import annotations

import math

ONE_CYCLE_RISE = 0.3
"""Share of a one-cycle schedule that rises (Smith & Topin 2018)."""

ONE_CYCLE_START, CYCLE_END = 0.04, 1e-3


def schedule_factor(schedule: str, step: int, steps: int, warmup_steps: int = 0) -> float:
    """The factor at one optimiser step.

    Args:
        schedule: ``constant``, ``cosine``, ``one_cycle``, or ``plateau`` (constant here: its drops depend on the
            figures, not on the step).
        step: the step about to be taken, from 0.
        steps: steps of the whole training.
        warmup_steps: steps of a linear rise from near 0 before the schedule starts; a one-cycle schedule rises
            by itself and takes the longer of both rises.

    Returns:
        A number from 0 to 1.
    """
    if schedule == "one_cycle":
        rise = max(warmup_steps, ONE_CYCLE_RISE * steps)
        if step < rise:
            return ONE_CYCLE_START + (1 - ONE_CYCLE_START) * _half_cosine(step / rise)
        return CYCLE_END + (1 - CYCLE_END) * (1 - _half_cosine((step - rise) / max(1, steps - rise)))
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if schedule == "cosine":
        done = (step - warmup_steps) / max(1, steps - warmup_steps)
        return CYCLE_END + (1 - CYCLE_END) * (1 - _half_cosine(done))
    return 1.0


def _half_cosine(share: float) -> float:
    """From 0 to 1, level at both ends."""
    return (1 - math.cos(math.pi * min(1.0, max(0.0, share)))) / 2
