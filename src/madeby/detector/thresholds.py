"""Where a verdict may leave ``uncertain``: thresholds with a promise, from pictures that were not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.detector.bundle import Profile, Thresholds
from madeby.errors import MadebyError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """Shares, 0 to 1: of human pictures that may be called ``ai``, and of AI pictures that may be called ``human``."""

    false_alarms: float
    misses: float


TARGETS: Mapping[Profile, Targets] = {
    Profile.CAUTIOUS: Targets(0.005, 0.025),
    Profile.BALANCED: Targets(0.01, 0.05),
    Profile.EAGER: Targets(0.05, 0.10),
}
"""What each profile promises; ``balanced`` answers where none is asked for."""


def profile_named(name: str) -> Profile:
    """The profile of a name.

    Raises:
        MadebyError: there is none of that name.
    """
    if name not in set(Profile):
        raise MadebyError(f"there is no threshold profile {name!r}; there are {', '.join(Profile)}")
    return Profile(name)


def fit_thresholds(
    human: Floats,
    ai: Floats,
    set_on: str,
    *,
    targets: Targets = TARGETS[Profile.BALANCED],
    collections: Sequence[str | None] = (),
) -> Thresholds:
    """Thresholds with a finite-sample promise (split conformal prediction; Vovk et al. 2005).

    ``ai`` is the k-th smallest probability of the human pictures, k = ceil((n + 1)(1 - target)): a new picture drawn
    like them lies above it with a chance of at most the target. Where n is too small for any such k, ``ai`` is 1.1:
    never. ``human`` mirrors this with the AI pictures and the misses (-0.1: never). Where the human pictures come
    from several collections the promise is kept for each that is large enough to have one, not only for all together.

    Args:
        human: (n,) calibrated probabilities of human pictures.
        ai: (m,) those of AI pictures.
        set_on: what the pictures are called in the bundle.
        targets: the shares that are promised.
        collections: (n,) where each human picture comes from, None where unknown; empty where no one knows.
    """
    above = conformal_bound(human, targets.false_alarms)
    below = conformal_bound(-ai, targets.misses)
    if above is not None and collections:
        named = np.array([name or "" for name in collections])
        each = (conformal_bound(human[named == name], targets.false_alarms) for name in np.unique(named) if name)
        above = max([above, *(bound for bound in each if bound is not None)])
    # The verdict starts at the threshold, the bound itself is still to be spared: the next number is the threshold.
    return Thresholds(
        ai=1.1 if above is None else max(0.5, math.nextafter(above, 2.0)),
        human=-0.1 if below is None else min(0.5, math.nextafter(-below, -1.0)),
        false_alarm_target=targets.false_alarms,
        miss_target=targets.misses,
        n_human=len(human),
        n_ai=len(ai),
        set_on=set_on,
    )


def fit_each_profile(
    human: Floats,
    ai: Floats,
    set_on: str,
    *,
    targets: Mapping[Profile, Targets] = TARGETS,
    collections: Sequence[str | None] = (),
) -> dict[Profile, Thresholds]:
    """Thresholds of every profile, by :func:`fit_thresholds`; one that promises more never gives a verdict sooner.

    A small collection may be large enough for the promise of a profile that dares much and too small for that of
    another: its pictures then count for both.
    """
    fitted: dict[Profile, Thresholds] = {}
    ai_from, human_to = 0.5, 0.5
    for profile in sorted(targets, key=lambda profile: -targets[profile].false_alarms):
        fit = fit_thresholds(human, ai, set_on, targets=targets[profile], collections=collections)
        ai_from, human_to = max(ai_from, fit.ai), min(human_to, fit.human)
        fitted[profile] = fit.model_copy(update={"ai": ai_from, "human": human_to})
    return {profile: fitted[profile] for profile in targets}


def stricter(one: Mapping[Profile, Thresholds], other: Mapping[Profile, Thresholds]) -> dict[Profile, Thresholds]:
    """Thresholds of every profile that keep what both promise; each counts the pictures of the side it is from."""
    return {
        profile: thresholds.model_copy(
            update={
                "ai": max(thresholds.ai, other[profile].ai),
                "human": min(thresholds.human, other[profile].human),
                "n_human": max((each.ai, each.n_human) for each in (thresholds, other[profile]))[1],
                "n_ai": min((each.human, each.n_ai) for each in (thresholds, other[profile]))[1],
                "set_on": f"{thresholds.set_on}; {other[profile].set_on}",
            }
        )
        for profile, thresholds in one.items()
    }


def conformal_bound(values: Floats, alpha: float) -> float | None:
    """The bound that one more value of the same kind exceeds with a chance of at most ``alpha``; None if too few."""
    n = len(values)
    k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    return float(np.sort(values)[k - 1]) if 1 <= k <= n else None


def fewest_for(alpha: float) -> int:
    """How many pictures it takes to promise ``alpha``: 99 for 1%."""
    return math.ceil(1 / alpha - 1e-9) - 1
