"""Several runs side by side: which is better, where that can be told."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from madeby.evaluation.figures import Scored, figures_of
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.material import Measured, RunMaterial
from madeby.reporting.words import number

RESAMPLES = 400
COMPARED = ("accuracy", "auroc")
CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Difference:
    """First minus second of one figure, on the same pictures, with its 95% interval (paired bootstrap)."""

    name: str
    value: float
    low: float
    high: float


def judge_pairs(runs: Sequence[RunMaterial]) -> list[Judgement]:
    """A sentence for each pair of runs."""
    told = []
    for one, other in itertools.combinations(runs, 2):
        pair = same_pictures(one, other)
        if one.main is None or other.main is None:
            missing = " and ".join(run.name for run in (one, other) if run.main is None)
            told.append(Judgement(f"{one.name} and {other.name} cannot be compared: {missing} not evaluated.", "open"))
        elif pair is None:
            told.append(
                Judgement(
                    f"{one.name} was measured on {one.main.title}, {other.name} on {other.main.title}: figures on "
                    "different pictures do not say which is better.",
                    "open",
                )
            )
        else:
            told.append(_judged(one, other, differences(*pair)))
    if len(told) > 1:
        told.append(
            Judgement(
                f"With {len(told)} pairs and two figures each at 95%, some differ by chance even among equally good "
                "runs; and whichever run is chosen by these figures is flattered by them.",
                "open",
            )
        )
    return told


def same_pictures(one: RunMaterial, other: RunMaterial) -> tuple[Measured, Measured] | None:
    """An evaluation of each run on the same pictures; None where there is none."""
    for mine, theirs in itertools.product(one.evaluations, other.evaluations):
        if mine.pictures == theirs.pictures and not mine.predictions.is_empty() and not theirs.predictions.is_empty():
            return mine, theirs
    return None


def differences(one: Measured, other: Measured, seed: int = 0) -> list[Difference]:
    """Differences of the compared figures over the pictures that both answered about; none where a label is missing."""
    wanted = ("path", "label", "probability")
    joined = one.predictions.select(wanted).join(
        other.predictions.select("path", "probability"), on="path", suffix="_other"
    )
    is_ai = (joined["label"] == "ai").to_numpy()
    if joined.is_empty() or is_ai.all() or not is_ai.any():
        return []
    scores = [joined[name].to_numpy() for name in ("probability", "probability_other")]
    weights = _weights(is_ai, np.random.default_rng(seed))
    found = []
    drawn = [_figures(score, is_ai, weights) for score in scores]
    for name in COMPARED:
        values = drawn[0][name] - drawn[1][name]
        low, high = np.percentile(values[1:], [2.5, 97.5])
        found.append(Difference(name, float(values[0]), float(low), float(high)))
    return found


def _figures(score: np.ndarray, is_ai: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Compared figures of each weighting; the first is of the pictures as they are."""
    order = np.argsort(-score, kind="stable")
    scored = Scored.sort(score, is_ai)
    step = max(1, CELLS_AT_ONCE // len(score))
    parts = [figures_of(scored, weights[at : at + step][:, order]) for at in range(0, len(weights), step)]
    return {name: np.concatenate([part[name] for part in parts]) for name in COMPARED}


def _weights(is_ai: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weights = np.ones((RESAMPLES + 1, len(is_ai)))
    for label in (False, True):
        rows = np.flatnonzero(is_ai == label)
        weights[1:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES)
    return weights


def _judged(one: RunMaterial, other: RunMaterial, found: Sequence[Difference]) -> Judgement:
    if not found:
        return Judgement(f"{one.name} and {other.name} cannot be compared: a label is missing.", "open")
    parts = []
    for each in found:
        spread = f"{_signed(each.name, each.low)} to {_signed(each.name, each.high)}"
        parts.append(f"{each.name.replace('auroc', 'AUROC')} differs by {_signed(each.name, each.value)} ({spread})")
    clear = [each for each in found if each.low > 0 or each.high < 0]
    text = f"On the same pictures, {one.name} against {other.name}: {'; '.join(parts)}."
    if not clear:
        return Judgement(f"{text} They cannot be told apart.", "open")
    better = {one.name if each.value > 0 else other.name for each in clear}
    if len(better) == 2:
        return Judgement(f"{text} Neither is better in both.", "plain")
    return Judgement(
        f"{text} {better.pop()} is better{'' if len(clear) == len(found) else f' in {clear[0].name}'}.", "good"
    )


def _signed(name: str, value: float) -> str:
    sign = "+" if value >= 0 else "−"
    return f"{sign}{number(name, abs(value))}"
