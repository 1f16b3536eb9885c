"""The typed metrics of an evaluation, as ``metrics.json`` holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from madeby.evaluation.figures import FIGURES, Scored, confusion_of, figures_of
from madeby.schema import Frozen, ModelInfo

Floats = npt.NDArray[np.float64]

CELLS_AT_ONCE = 2_000_000
"""Size of the weight matrix that is worked through at once: 16 MB of float64."""

Interval = tuple[float, float]


class Thresholds(Protocol):
    """Where verdicts begin: ``ai`` at or above one probability, ``human`` at or below the other."""

    @property
    def ai(self) -> float:
        """From here up a picture is called ``ai``."""

    @property
    def human(self) -> float:
        """From here down a picture is called ``human``."""


class Abstention(Frozen):
    """What the verdicts come to with the bundle's thresholds; shares 0..1, null where nothing could count.

    ``coverage`` is the share of pictures with a verdict other than ``uncertain``, ``accuracy_decided`` how many of
    those verdicts are right, ``false_alarm_rate`` the share of human pictures called ``ai``, ``detection_rate`` the
    share of AI pictures called ``ai``, ``miss_rate`` the share of AI pictures called ``human``.
    """

    coverage: float | None
    accuracy_decided: float | None
    false_alarm_rate: float | None
    detection_rate: float | None
    miss_rate: float | None
    threshold_ai: float
    threshold_human: float


class Figures(Frozen):
    """The figures of one set of pictures; null where a label they need has no pictures.

    ``confusion`` has rows true human and ai, columns predicted human and ai. ``intervals`` holds the 95% interval of
    each figure (percentile bootstrap, each label resampled on its own so that its count stays). ``beside`` says
    which human pictures were put beside a set that has none of its own.
    """

    n: int
    n_human: int
    n_ai: int
    accuracy: float | None
    balanced_accuracy: float | None
    precision_macro: float | None
    recall_macro: float | None
    f1_macro: float | None
    precision_ai: float | None
    recall_ai: float | None
    f1_ai: float | None
    auroc: float | None
    average_precision: float | None
    tpr_at_fpr_1: float | None
    tpr_at_fpr_5: float | None
    ece: float | None
    brier: float | None
    nll: float | None
    confusion: tuple[tuple[int, int], tuple[int, int]]
    intervals: dict[str, Interval | None]
    abstention: Abstention
    beside: str | None = None


class Metrics(Figures):
    """All of ``metrics.json``: the figures over everything, the verdicts, and the figures by column and value.

    ``repeats`` counts pictures that occur, pixel for pixel, in the splits ``train`` or ``val`` too, null where that
    cannot be told; ``without_repeats`` are the figures of the others, null where there are no repeats. ``flips``
    says whether each picture and its mirror image were read and their logits averaged, ``degradation`` what was done to
    the pictures before (``resize=0.5,jpeg=60``), ``provider`` what ran the model. ``seed`` is that of the ``bootstrap``
    resamples.
    """

    split: str
    data: str
    manifest_sha256: str
    model: ModelInfo
    unreadable: int
    bootstrap: int
    seed: int = 0
    flips: bool = False
    degradation: str = ""
    provider: str = "cpu"
    repeats: int | None = None
    without_repeats: Figures | None = None
    by: dict[str, dict[str, Figures]]


def measure(
    probability: Floats,
    is_ai: npt.NDArray[np.bool_],
    thresholds: Thresholds,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
    beside: str | None = None,
) -> Figures:
    """Figures with intervals for n pictures, and what verdicts the thresholds give; both arrays (n,), n at least 1."""
    scored = Scored.sort(probability, is_ai)
    point = figures_of(scored, np.ones((1, len(probability))))
    intervals = _intervals(scored, bootstrap, np.random.default_rng(seed))
    values: dict[str, Any] = {name: _number(point[name][0]) for name in FIGURES}
    return Figures(
        n=len(probability),
        n_human=int((~is_ai).sum()),
        n_ai=int(is_ai.sum()),
        confusion=confusion_of(scored),
        intervals={name: intervals[name] if values[name] is not None else None for name in FIGURES},
        abstention=abstention_of(probability, is_ai, thresholds),
        beside=beside,
        **values,
    )


def measure_by(
    probability: Floats,
    is_ai: npt.NDArray[np.bool_],
    columns: Mapping[str, Sequence[object]],
    thresholds: Thresholds,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, Figures]]:
    """Figures for each value of each column; rows without a value are left out.

    A generator has no human pictures of its own, so all human pictures are put beside each (``beside`` says so);
    every other value stands alone.
    """
    blocks: dict[str, dict[str, Figures]] = {}
    for column, values in columns.items():
        cells = np.array(["" if value is None else str(value) for value in values])
        blocks[column] = {}
        for value in sorted(set(cells.tolist()) - {""}):
            rows = cells == value
            beside = None
            if column == "generator" and not (rows & ~is_ai).any():
                rows, beside = rows | ~is_ai, "all human pictures"
            blocks[column][value] = measure(
                probability[rows], is_ai[rows], thresholds, bootstrap=bootstrap, seed=seed, beside=beside
            )
    return blocks


def abstention_of(probability: Floats, is_ai: npt.NDArray[np.bool_], thresholds: Thresholds) -> Abstention:
    """What the verdicts come to: ``ai`` from one threshold up, ``human`` from the other down."""
    called_ai = probability >= thresholds.ai
    called_human = ~called_ai & (probability <= thresholds.human)
    decided = called_ai | called_human
    right = (called_ai & is_ai) | (called_human & ~is_ai)
    return Abstention(
        coverage=_mean(decided),
        accuracy_decided=_mean(right[decided]),
        false_alarm_rate=_mean(called_ai[~is_ai]),
        detection_rate=_mean(called_ai[is_ai]),
        miss_rate=_mean(called_human[is_ai]),
        threshold_ai=thresholds.ai,
        threshold_human=thresholds.human,
    )


def _intervals(scored: Scored, bootstrap: int, rng: np.random.Generator) -> dict[str, Interval | None]:
    if bootstrap < 1:
        return dict.fromkeys(FIGURES)
    n = len(scored.probability)
    drawn: dict[str, list[Floats]] = {name: [] for name in FIGURES}
    at_once = max(1, CELLS_AT_ONCE // n)
    for start in range(0, bootstrap, at_once):
        weights = np.zeros((min(at_once, bootstrap - start), n))
        for label in (0.0, 1.0):
            rows = np.flatnonzero(scored.is_ai == label)
            if len(rows):
                even = np.full(len(rows), 1 / len(rows))
                weights[:, rows] = rng.multinomial(len(rows), even, size=len(weights))
        for name, values in figures_of(scored, weights).items():
            drawn[name].append(values)
    return {name: _percentiles(np.concatenate(values)) for name, values in drawn.items()}


def _percentiles(values: Floats) -> Interval | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _mean(values: npt.NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
