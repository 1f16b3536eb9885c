"""From scores to the table: a row for each detector, degradation and set of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.evaluation.analysis.estimates import rate
from madeby.evaluation.benchmarking.pictures import KEY, DataSet
from madeby.evaluation.benchmarking.record import UNCHANGED, Cuts, DetectorInfo, Figure, Row, Scope
from madeby.evaluation.figures import Scored, figures_of
from madeby.evaluation.metrics import CELLS_AT_ONCE, Figures, measure

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Cells = Mapping[tuple[str, str], Mapping[str, float]]

COLUMNS: tuple[Scope, ...] = ("collection", "generator")
BESIDE = {"human": "all ai pictures", "ai": "all human pictures"}


@dataclass(frozen=True)
class PictureSet:
    """One set of a data set's pictures: ``own`` (n,) marks them among all rows."""

    scope: Scope
    value: str
    own: Booleans


def sets_of(data: DataSet) -> list[PictureSet]:
    """All pictures, those of each collection and of each generator; a lone collection is all, and not repeated."""
    rows = data.rows
    sets = [PictureSet("all", "all", np.ones(rows.height, np.bool_))]
    for column in COLUMNS:
        values = np.array(["" if value is None else value for value in rows[column].to_list()])
        found = sorted(set(values.tolist()) - {""})
        if column == "collection" and len(found) == 1 and (values != "").all():
            sets[0] = PictureSet("collection", found[0], sets[0].own)
        else:
            sets += [PictureSet(column, value, values == value) for value in found]
    return sets


def rows_of(
    data: DataSet,
    detectors: list[DetectorInfo],
    degradations: list[str],
    scores: Cells,
    *,
    bootstrap: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Row]:
    """The rows of one data set, by set, then detector, then degradation."""
    keys = data.rows[KEY].to_list()
    is_ai = (data.rows["label"] == "ai").to_numpy()
    columns = {
        cell: np.array([given.get(key, np.nan) for key in keys], np.float64)
        for cell, given in scores.items()
        if cell[1] in degradations
    }
    measured = _Measured(is_ai, bootstrap, seed)
    sets = sets_of(data)
    for done, one in enumerate(sets):
        for detector in detectors:
            unchanged = columns.get((detector.name, UNCHANGED))
            for degradation in degradations:
                given = columns.get((detector.name, degradation))
                if given is not None and not np.isnan(given[one.own]).all():
                    yield _row(data.info.name, one, detector, degradation, given, unchanged, is_ai, measured)
        if progress is not None:
            progress(done + 1, len(sets))


def _row(
    data: str,
    one: PictureSet,
    detector: DetectorInfo,
    degradation: str,
    given: Floats,
    unchanged: Floats | None,
    is_ai: Booleans,
    measured: _Measured,
) -> Row:
    known = ~np.isnan(given)
    own = one.own & known
    n_human, n_ai = int((own & ~is_ai).sum()), int((own & is_ai).sum())
    both, beside = own, None
    if not n_ai or not n_human:
        beside = BESIDE["human" if n_human else "ai"]
        both = own | (known & (is_ai if n_human else ~is_ai))
        beside = beside if (both & ~own).any() else None
    ranked = measured.figures(given, both, detector.thresholds)
    alone = ranked if beside is None else measured.figures(given, own, detector.thresholds, intervals=False)
    called_ai = given >= detector.thresholds.ai
    called_human = ~called_ai & (given <= detector.thresholds.human)
    right = own & np.where(is_ai, called_ai, called_human)
    decided = int((own & (called_ai | called_human)).sum())
    return Row(
        data=data,
        scope=one.scope,
        value=one.value,
        detector=detector.name,
        degradation=degradation,
        n_human=n_human,
        n_ai=n_ai,
        unread=int((one.own & ~known).sum()),
        beside=beside,
        auroc=_figure(ranked, "auroc"),
        auroc_drop=measured.drop(unchanged, given, both) if degradation and unchanged is not None else None,
        tpr_at_fpr_1=_figure(ranked, "tpr_at_fpr_1"),
        tpr_at_fpr_5=_figure(ranked, "tpr_at_fpr_5"),
        real_accuracy=_share(int((own & ~is_ai & ~called_ai).sum()), n_human),
        found=_share(int((own & is_ai & called_ai).sum()), n_ai),
        ece=_figure(alone, "ece") if n_human and n_ai else None,
        coverage=_share(decided, n_human + n_ai),
        accuracy_decided=_share(int(right.sum()), decided),
    )


class _Measured:
    """Figures of parts of a data set; a part that two sets have in common is measured once."""

    def __init__(self, is_ai: Booleans, bootstrap: int, seed: int) -> None:
        self._is_ai, self._bootstrap, self._seed = is_ai, bootstrap, seed
        self._known: dict[tuple[bytes, bytes, bool], Figures] = {}
        self._drops: dict[tuple[bytes, bytes, bytes], Figure | None] = {}

    def figures(self, scores: Floats, part: Booleans, cuts: Cuts, *, intervals: bool = True) -> Figures:
        key = scores.tobytes(), part.tobytes(), intervals
        if key not in self._known:
            bootstrap = self._bootstrap if intervals else 0
            self._known[key] = measure(scores[part], self._is_ai[part], cuts, bootstrap=bootstrap, seed=self._seed)
        return self._known[key]

    def drop(self, before: Floats, after: Floats, part: Booleans) -> Figure | None:
        part = part & ~np.isnan(before)
        key = before.tobytes(), after.tobytes(), part.tobytes()
        if key not in self._drops:
            self._drops[key] = _drop(before[part], after[part], self._is_ai[part], self._bootstrap, self._seed)
        return self._drops[key]


def _drop(before: Floats, after: Floats, is_ai: Booleans, bootstrap: int, seed: int) -> Figure | None:
    """AUROC before minus after on the same pictures, with its paired bootstrap interval; None for one label."""
    if is_ai.all() or not is_ai.any():
        return None
    n, rng = len(is_ai), np.random.default_rng(seed)
    value = float((_auroc(before, is_ai, np.ones((1, n))) - _auroc(after, is_ai, np.ones((1, n))))[0])
    if bootstrap < 1:
        return Figure(value=value)
    drawn = []
    at_once = max(1, CELLS_AT_ONCE // n)
    for start in range(0, bootstrap, at_once):
        weights = np.zeros((min(at_once, bootstrap - start), n))
        for label in (False, True):
            rows = np.flatnonzero(is_ai == label)
            weights[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=len(weights))
        drawn.append(_auroc(before, is_ai, weights) - _auroc(after, is_ai, weights))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
    return Figure(value=value, low=float(low), high=float(high))


def _auroc(scores: Floats, is_ai: Booleans, weights: Floats) -> Floats:
    order = np.argsort(-scores, kind="stable")  # the order of Scored.sort
    return figures_of(Scored.sort(scores, is_ai), weights[:, order])["auroc"]


def _figure(figures: Figures, name: str) -> Figure | None:
    value, ends = getattr(figures, name), figures.intervals[name]
    if value is None:
        return None
    return Figure(value=value, low=ends[0] if ends else None, high=ends[1] if ends else None)


def _share(hits: int, n: int) -> Figure | None:
    found = rate(hits, n)
    return None if found is None else Figure(value=found.value, low=found.low, high=found.high)
