"""A new linear head near an old one: how far from it, the pictures themselves decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.training.adaptation.head import Floats
from madeby.training.adaptation.memory import Memory
from madeby.training.figures import auroc

PENALTIES = tuple(10.0**power for power in np.arange(-3, 3.1, 0.5))
FOLDS = 5

AS_GOOD = 0.005
"""AUROC that counts for nothing even where its standard error is less, as it is where all pictures are told apart."""

Labels = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Tried:
    """One strength of the pull towards the old head, judged on pictures that were left out of each fit.

    ``log_loss`` in nats with both labels weighed alike; ``penalty`` None keeps the old head but for its even point.
    """

    penalty: float | None
    log_loss: float
    auroc: float


@dataclass(frozen=True)
class Change:
    """What is added to the old logit: ``change`` (d,) per feature, and ``shift``."""

    change: Floats
    shift: float


@dataclass(frozen=True)
class Chosen:
    """The change fitted on all pictures, and (n,) logits of each from a fit that had not seen it."""

    penalty: float | None
    change: Change
    logits: Floats
    tried: tuple[Tried, ...]


def choose(
    features: Floats,
    old: Floats,
    labels: Labels,
    groups: Sequence[str],
    seed: int,
    memory: Memory | None = None,
) -> Chosen:
    """Fit the change for every penalty in turn, in cross-validation, and take the most cautious of the good ones.

    That is the strongest pull whose AUROC lies below the best by no more than its standard error (after the rule of
    Breiman et al. 1984): it forgets no more of what the old head knew than these pictures demand. The loss would not
    do: where pictures are told apart it falls on and on as the head grows more sure of itself, and forgets the rest.

    Args:
        features: (n, d) what the head sees.
        old: (n,) the old head's calibrated logits.
        labels: (n,) 0 human, 1 ai.
        groups: (n,) pictures of one group are never on both sides; see :func:`groups_for_folds`.
        seed: of the folds.
        memory: what the bundle remembers; see :func:`fit_change`.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    folds = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels, groups))
    penalties = (*PENALTIES, None)
    logits = []
    for penalty in penalties:
        unseen = np.zeros(len(labels))
        for learn, judge in folds:
            change = fit_change(features[learn], old[learn], labels[learn], penalty, memory)
            unseen[judge] = old[judge] + features[judge] @ change.change + change.shift
        logits.append(unseen)
    weights, is_ai = _weights(labels), labels.astype(np.float64)
    tried = tuple(
        Tried(penalty, float((weights * (np.logaddexp(0, each) - is_ai * each)).sum()), auroc(each, is_ai))
        for penalty, each in zip(penalties, logits, strict=True)
    )
    best = max(each.auroc for each in tried)
    enough = best - max(AS_GOOD, _standard_error(best, labels))
    chosen = max(place for place, each in enumerate(tried) if each.auroc >= enough)
    return Chosen(
        penalties[chosen], fit_change(features, old, labels, penalties[chosen], memory), logits[chosen], tried
    )


def _standard_error(area: float, labels: Labels) -> float:
    """Of an AUROC (Hanley and McNeil 1982)."""
    n_ai, n_human = int(labels.sum()), int((labels == 0).sum())
    ai_pairs, human_pairs = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_ai - 1) * (ai_pairs - area**2) + (n_human - 1) * (human_pairs - area**2)
    return float(np.sqrt(max(0.0, spread) / (n_ai * n_human)))


def groups_for_folds(named: Sequence[str | None], labels: Labels) -> tuple[list[str], bool]:
    """Which pictures must stay together, and whether that is what the manifest says.

    A picture of no named group stands for itself. Where a label has fewer groups than there are folds (a whole
    collection that is one group, say) every picture does: the judgement is then about pictures of the same groups.
    """
    own = [f"picture {number}" for number in range(len(named))]
    groups = [group or alone for group, alone in zip(named, own, strict=True)]
    counts = [len({group for group, given in zip(groups, labels, strict=True) if given == label}) for label in (0, 1)]
    return (groups, True) if min(counts) >= FOLDS else (own, False)


def fit_change(
    features: Floats, old: Floats, labels: Labels, penalty: float | None, memory: Memory | None = None
) -> Change:
    """Logistic regression on top of the old logit, with half the penalty times the squared change.

    The change is measured by what it does to the pictures that the bundle remembers or, if it remembers none, in
    standard deviations of each feature over these pictures.

    Args:
        features: (n, d).
        old: (n,) the old logits, to which the change is added.
        labels: (n,) 0 human, 1 ai; both weigh alike.
        penalty: None allows a shift alone.
        memory: what the bundle remembers of the pictures that it learnt from.
    """
    from scipy.optimize import minimize

    known = memory or Memory.of_users(features)
    standard = known.standard(features) if penalty is not None else np.zeros((len(old), 0))
    weights = _weights(labels)

    def loss(values: Floats) -> tuple[float, Floats]:
        logits = old + standard @ values[:-1] + values[-1]
        errors = weights * (1 / (1 + np.exp(-np.clip(logits, -500, 500))) - labels)
        gradient = np.append(standard.T @ errors + (penalty or 0.0) * values[:-1], errors.sum())
        cost = (weights * (np.logaddexp(0, logits) - labels * logits)).sum()
        return float(cost + (penalty or 0.0) / 2 * values[:-1] @ values[:-1]), gradient

    found = minimize(loss, np.zeros(standard.shape[1] + 1), jac=True, method="L-BFGS-B").x
    change = known.change_of(found[:-1]) if penalty is not None else np.zeros(features.shape[1])
    return Change(change, float(found[-1] - known.mean @ change))


def _weights(labels: Labels) -> Floats:
    """(n,) weights that sum to 1, half of it for each label."""
    is_ai = labels == 1
    return np.asarray(np.where(is_ai, 0.5 / is_ai.sum(), 0.5 / (~is_ai).sum()), np.float64)
