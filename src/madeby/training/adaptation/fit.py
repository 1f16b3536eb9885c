"""A new linear head near an old one: how far from it, the pictures themselves decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from madeby.training.adaptation.head import Floats
from madeby.training.adaptation.memory import Labels, Memory, Remembered
from madeby.training.figures import auroc

PENALTIES = tuple(10.0**power for power in np.arange(-3, 3.1, 0.5))
FOLDS = 5

AS_GOOD = 0.005
"""AUROC that counts for nothing even where its standard error is less, as it is where all pictures are told apart."""


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
    """What is added to the old logit: ``weight`` (d,) times the features, and ``shift``."""

    weight: Floats
    shift: float

    def of(self, features: Floats) -> Floats:
        """What is added for pictures (n, d)."""
        return np.asarray(features @ self.weight + self.shift)


@dataclass(frozen=True)
class Chosen:
    """The change fitted on all pictures, and (n,) logits of each from a fit that had not seen it.

    ``logits_of_remembered`` (m,) are those of the pictures that the memory keeps, from fits that had not seen their
    collections, and ``folds_of_remembered`` (m,) says which of the fits; empty where it keeps none.
    """

    penalty: float | None
    change: Change
    logits: Floats
    logits_of_remembered: Floats
    folds_of_remembered: npt.NDArray[np.int64]
    tried: tuple[Tried, ...]


@dataclass(frozen=True)
class _Examples:
    """Pictures to learn from: features (n, d), the old logits, labels, what each counts, and its fold.

    ``rehearsed`` (n,) are those that the memory keeps: they count as much as the others, whatever rows are taken.
    """

    features: Floats
    old: Floats
    labels: Labels
    weights: Floats
    folds: npt.NDArray[np.int64]
    rehearsed: npt.NDArray[np.bool_]

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> _Examples:
        return _Examples(*(getattr(self, field.name)[rows] for field in fields(self)))

    def and_also(self, other: _Examples) -> _Examples:
        """Both."""
        return _Examples(
            *(np.concatenate([getattr(self, field.name), getattr(other, field.name)]) for field in fields(self))
        )

    def fitted(self, penalty: float | None, memory: Memory | None) -> Change:
        """See :func:`fit_change`."""
        weights = np.zeros(len(self.labels))
        for part in (self.rehearsed, ~self.rehearsed):
            weights[part] = _halves(self.weights[part], self.labels[part])
        return fit_change(self.features, self.old, self.labels, penalty, memory, weights)


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

    Pictures that the memory keeps are learnt from again and count as much as all others together (rehearsal, Robins
    1995); only the user's judge the penalties.

    Args:
        features: (n, d) what the head sees.
        old: (n,) the old head's calibrated logits.
        labels: (n,) 0 human, 1 ai.
        groups: (n,) pictures of one group are never on both sides; see :func:`groups_for_folds`.
        seed: of the folds.
        memory: what the bundle remembers, its answers calibrated as ``old``; see :func:`fit_change`.
    """
    count = len(labels)
    folds = _folds(features, labels, groups, seed)
    examples = _Examples(features, old, labels, np.ones(count), folds, np.zeros(count, bool))
    if memory is not None and memory.pictures is not None:
        examples = examples.and_also(_rehearsed(memory.features(), memory.pictures))
    is_ai = labels.astype(np.float64)
    penalties = (*PENALTIES, None)
    logits = []
    for penalty in penalties:
        unseen = np.zeros(len(examples.labels))
        for fold in range(FOLDS):
            judged = examples[examples.folds == fold]
            change = examples[examples.folds != fold].fitted(penalty, memory)
            unseen[examples.folds == fold] = judged.old + change.of(judged.features)
        logits.append(unseen)
    weights = _halves(np.ones(count), labels)
    tried = tuple(
        Tried(penalty, float((weights * (np.logaddexp(0, each) - is_ai * each)).sum()), auroc(each, is_ai))
        for penalty, each in zip(penalties, (each[:count] for each in logits), strict=True)
    )
    best = max(each.auroc for each in tried)
    enough = best - max(AS_GOOD, _standard_error(best, labels))
    chosen = max(place for place, each in enumerate(tried) if each.auroc >= enough)
    return Chosen(
        penalties[chosen],
        examples.fitted(penalties[chosen], memory),
        logits[chosen][:count],
        logits[chosen][count:],
        examples.folds[count:],
        tried,
    )


def _folds(features: Floats, labels: Labels, groups: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """(n,) the fold that judges each picture."""
    from sklearn.model_selection import StratifiedGroupKFold

    folds = np.zeros(len(labels), np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, judged) in enumerate(splitter.split(features, labels, groups)):
        folds[judged] = number
    return folds


def _rehearsed(features: Floats, pictures: Remembered) -> _Examples:
    """Remembered pictures as examples: collections count by the root of their size and are whole in one fold.

    Those of each label are dealt out evenly: a fold that lacked many of one label would lean to the other. They are
    dealt alike whatever the seed, so that a model that is adapted again is judged as it was the first time.
    """
    collections = np.unique(pictures.collections)
    mostly_ai = np.array([pictures.labels[pictures.collections == each].mean() > 0.5 for each in collections])
    fold_of = np.zeros(len(collections), np.int64)
    for part in (~mostly_ai, mostly_ai):
        fold_of[part] = np.arange(part.sum()) % FOLDS
    weights = np.zeros(len(pictures.labels))
    for label in (0, 1):
        for each in collections:
            group = (pictures.labels == label) & (pictures.collections == each)
            weights[group] = 1 / np.sqrt(max(1, group.sum()))
    folds = fold_of[np.searchsorted(collections, pictures.collections)]
    return _Examples(features, pictures.logits, pictures.labels, weights, folds, np.ones(len(folds), bool))


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
    features: Floats,
    old: Floats,
    labels: Labels,
    penalty: float | None,
    memory: Memory | None = None,
    weights: Floats | None = None,
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
        weights: (n,) what each counts among those of its label; None: all alike.
    """
    from scipy.optimize import minimize

    known = memory or Memory.of_users(features)
    standard = known.standard(features) if penalty is not None else np.zeros((len(old), 0))
    shares = _halves(np.ones(len(old)) if weights is None else weights, labels)

    def loss(values: Floats) -> tuple[float, Floats]:
        logits = old + standard @ values[:-1] + values[-1]
        errors = shares * (1 / (1 + np.exp(-np.clip(logits, -500, 500))) - labels)
        gradient = np.append(standard.T @ errors + (penalty or 0.0) * values[:-1], errors.sum())
        cost = (shares * (np.logaddexp(0, logits) - labels * logits)).sum()
        return float(cost + (penalty or 0.0) / 2 * values[:-1] @ values[:-1]), gradient

    found = minimize(loss, np.zeros(standard.shape[1] + 1), jac=True, method="L-BFGS-B").x
    weight = known.change_of(found[:-1]) if penalty is not None else np.zeros(features.shape[1])
    return Change(weight, float(found[-1] - known.mean @ weight))


def _halves(weights: Floats, labels: Labels) -> Floats:
    """The weights (n,) scaled so that those of each label that is there sum to one half."""
    scaled = np.zeros(len(weights))
    for label in (0, 1):
        if (of_label := labels == label).any():
            scaled[of_label] = weights[of_label] / weights[of_label].sum() / 2
    return scaled
