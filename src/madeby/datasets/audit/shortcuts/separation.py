"""How well a small classifier separates the classes by some facts, cross-validated, and which facts carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.findings import Carrier, ShortcutTest
from madeby.datasets.audit.shortcuts.auroc import auroc, chance_limit, interval
from madeby.datasets.audit.shortcuts.features import Features

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Indices = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Folds = list[tuple[Indices, Indices]]

FOLDS = 5
FEWEST = 10
"""Pictures of each class below which no figure would mean anything."""

SHOWN_CARRIERS = 3


def separation(
    name: Literal["file facts", "content", "colour"],
    sees: str,
    features: Features,
    labels: Indices,
    alike: Indices,
    groups: Indices,
    *,
    grouped: bool,
    seed: int,
) -> ShortcutTest:
    """Measure how well gradient-boosted trees tell the classes apart by some facts.

    Args:
        name: of the test.
        sees: what the classifier gets to see, in words.
        features: the facts of n pictures.
        labels: (n,) 0 or 1.
        alike: (n,) look-alikes have the same number and are never divided between learning and testing.
        groups: (n,) the same for pictures of one group, look-alikes included.
        grouped: whether the data set names groups.
        seed: of the folds and draws.
    """
    from threadpoolctl import threadpool_limits

    groups, alike = (np.unique(ids, return_inverse=True)[1].astype(np.int64) for ids in (groups, alike))
    folds = _folds_or_reason(labels, groups, seed)
    if isinstance(folds, str):
        return ShortcutTest(name=name, sees=sees, pictures=len(labels), grouped=grouped, not_run=folds)

    # One thread: on a busy machine the trees' many short parallel steps wait for each other far longer than they work.
    with threadpool_limits(1):
        scores, models = _held_out(features.values, labels, folds, seed)
        reached = auroc(scores, labels)
        carriers = _carriers(features, labels, folds, models, reached, seed)
        divided = _folds(labels, alike, seed) if grouped else []
        inside = auroc(_held_out(features.values, labels, divided, seed)[0], labels) if divided else None
    low, high = interval(scores, labels, groups, seed)
    return ShortcutTest(
        name=name,
        sees=sees,
        auroc=reached,
        low=min(low, reached),
        high=max(high, reached),
        chance_high=chance_limit(labels),
        pictures=len(labels),
        folds=len(folds),
        grouped=grouped,
        inside_groups=inside,
        carriers=carriers,
    )


def held_out_scores(features: Features, labels: Indices, groups: Indices, seed: int) -> Numbers | str:
    """Log-odds of class 1 for each picture, from trees that learnt from other groups of pictures.

    Args:
        features: the facts of n pictures.
        labels: (n,) 0 or 1.
        groups: (n,) the same for pictures that must not be divided between learning and testing.
        seed: of the folds and trees.

    Returns:
        (n,) scores, or the reason why there are none.
    """
    from threadpoolctl import threadpool_limits

    folds = _folds_or_reason(labels, np.unique(groups, return_inverse=True)[1].astype(np.int64), seed)
    if isinstance(folds, str):
        return folds
    with threadpool_limits(1):
        return _held_out(features.values, labels, folds, seed)[0]


def _folds_or_reason(labels: Indices, groups: Indices, seed: int) -> Folds | str:
    fewest = int(np.bincount(labels, minlength=2).min())
    if fewest < FEWEST:
        return "one class only" if not fewest else f"the smaller class has {fewest} of the {FEWEST} pictures needed"
    return _folds(labels, groups, seed) or "all pictures of a class are of one group, so none can be held out"


def _folds(labels: Indices, groups: Indices, seed: int) -> Folds:
    """Up to 5 folds with both classes on both sides and whole groups; none if that cannot be."""
    from sklearn.model_selection import StratifiedGroupKFold

    units = min(len(np.unique(groups[labels == label])) for label in (0, 1))
    for count in range(min(FOLDS, units), 1, -1):
        folds = list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(labels, labels, groups))
        if all(len(np.unique(labels[part])) == 2 for fold in folds for part in fold):
            return folds
    return []


def _held_out(
    values: npt.NDArray[np.float32], labels: Indices, folds: Folds, seed: int, trees: int = 60
) -> tuple[Numbers, list[HistGradientBoostingClassifier]]:
    """(n,) scores of pictures that the model had not seen, and the model of each fold."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    scores = np.zeros(len(labels))
    models = []
    for learning, testing in folds:
        model = HistGradientBoostingClassifier(
            max_iter=trees,
            learning_rate=0.15,
            max_leaf_nodes=15,
            min_samples_leaf=int(np.clip(len(learning) // 40, 2, 20)),
            early_stopping=False,
            random_state=seed,
        )
        absent = np.isnan(values[learning]).all(axis=0)  # the trees refuse a fact that no picture has
        given = np.where(absent, np.float32(0), values)
        model.fit(given[learning], labels[learning])
        scores[testing] = model.decision_function(given[testing])
        models.append(model)
    return scores, models


def _carriers(
    features: Features,
    labels: Indices,
    folds: Folds,
    models: list[HistGradientBoostingClassifier],
    reached: float,
    seed: int,
) -> tuple[Carrier, ...]:
    """The facts that separate best by themselves, with what shuffling each costs the whole."""
    generator = np.random.default_rng(seed)
    found = []
    for fact, columns in features.facts.items():
        values = features.values[:, columns]
        if (np.nanmin(values, axis=0, initial=np.inf) >= np.nanmax(values, axis=0, initial=-np.inf)).all():
            continue  # the same for every picture
        alone = auroc(_held_out(values, labels, folds, seed, trees=30)[0], labels)
        shuffled = np.zeros(len(labels))
        for (_, testing), model in zip(folds, models, strict=True):
            mixed = features.values[testing]
            mixed[:, columns] = mixed[generator.permutation(len(testing))][:, columns]
            shuffled[testing] = model.decision_function(mixed)
        found.append(Carrier(fact=fact, alone=alone, drop=reached - auroc(shuffled, labels)))
    found.sort(key=lambda carrier: (-max(carrier.alone - 0.5, carrier.drop), carrier.fact))
    return tuple(found[:SHOWN_CARRIERS])
