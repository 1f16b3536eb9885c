"""The search for what mistakes have in common.

Every candidate condition, and every pair of two, is compared with all other pictures by Fisher's exact test. With
hundreds of looks some will seem striking by chance, so p-values are corrected (Benjamini and Hochberg 1995): single
conditions and pairs are a family each, held to half the level, hence the expected share of false finds over both
stays below the level. A pair's null hypothesis is that it is no worse than either part alone or than what lies
outside; its p-value is the largest of the three (Berger 1982, intersection-union).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.evaluation.analysis.characteristics import Candidate, candidates
from madeby.evaluation.analysis.estimates import corrected, more_often, rate, rate_difference
from madeby.evaluation.analysis.record import Outcome, Slice, SliceSearch

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LEVEL = 0.05
LEAST_PICTURES, LEAST_SHARE = 10, 0.01
LEAST_HITS = 5
MOST_KEPT = 60
RESEMBLING = 0.5
"""A slice resembles another if more than this share of the smaller one's pictures lie in both."""


@dataclass(frozen=True, eq=False)
class Found:
    """The search as data, and for each of its slices the (n,) rows of the table that lie inside."""

    search: SliceSearch
    inside: tuple[Booleans, ...] = ()


@dataclass(frozen=True, eq=False)
class _Tested:
    """A tested slice before correction: places of its conditions, pictures and hits inside, p-value."""

    parts: tuple[int, ...]
    pictures: int
    hits: int
    p: float
    p_adjusted: float = 1.0


def search_slices(table: pl.DataFrame, hit: Booleans, outcome: Outcome, shared: Sequence[str] = ()) -> Found:
    """Find slices in which the outcome is more frequent than among all other pictures.

    Args:
        table: the population (human pictures for false positives, AI pictures for false negatives), with traits.
        hit: (n,) which of them show the outcome.
        outcome: what it is called.
        shared: further columns that pictures may have in common.
    """
    n, hits = len(hit), int(hit.sum())
    least = max(LEAST_PICTURES, round(LEAST_SHARE * n))
    reason = _too_few(n, hits, least, outcome)
    met = [] if reason else candidates(table, shared, least)
    if not reason and not met:
        reason = "the pictures have nothing measured that differs among them"
    if reason:
        return Found(_record(outcome, n, hits, (), 0, 0, least, not_run=reason))
    inside = np.stack([one.inside for one in met])
    singles = _singles(inside, hit)
    pairs = _pairs(inside, hit, met, least)
    standing = sorted(
        (one for family in (singles, pairs) for one in _standing_out(family)),
        key=lambda one: (one.p_adjusted, one.p, -one.hits / one.pictures),
    )
    masks = [np.logical_and.reduce(inside[list(one.parts)]) for one in standing[:MOST_KEPT]]
    slices = tuple(_described(one, met, n, hits, outcome) for one in standing[:MOST_KEPT])
    names = tuple(dict.fromkeys(one.condition.characteristic for one in met))
    record = _record(
        outcome, n, hits, names, len(singles), len(pairs), least, found=len(standing), slices=_related(slices, masks)
    )
    return Found(record, tuple(masks))


def _too_few(n: int, hits: int, least: int, outcome: Outcome) -> str | None:
    if n < 2 * least:
        return f"{n} pictures are too few to compare parts of them ({2 * least} are needed)"
    if hits < LEAST_HITS:
        return f"{hits} of {n:,} pictures are too few to have something in common ({LEAST_HITS} are needed)"
    if n - hits < LEAST_HITS:
        return f"nearly every picture is a {outcome}: there is nothing to compare with"
    return None


def _singles(inside: Booleans, hit: Booleans) -> list[_Tested]:
    pictures, hits = inside.sum(1), (inside & hit).sum(1)
    p = more_often(hits, pictures, int(hit.sum()), len(hit))
    return [_Tested((at,), int(pictures[at]), int(hits[at]), float(p[at])) for at in range(len(inside))]


def _pairs(inside: Booleans, hit: Booleans, met: Sequence[Candidate], least: int) -> list[_Tested]:
    """Pairs of conditions on different characteristics, with enough pictures in the pair and in what each part has
    besides it."""
    cells = inside.astype(np.float32)  # counts up to 2**24 are exact
    both = np.rint(cells @ cells.T).astype(np.int64)
    both_hits = np.rint((cells * hit) @ cells.T).astype(np.int64)
    pictures, hits = np.diag(both), np.diag(both_hits)
    names = np.asarray([one.condition.characteristic for one in met])
    enough = (both >= least) & (pictures[:, None] - both >= least) & (pictures[None] - both >= least)
    first, second = np.nonzero(np.triu(enough & (names[:, None] != names[None]), 1))
    if not len(first):
        return []
    n_both, k_both = both[first, second], both_hits[first, second]
    p = np.maximum.reduce(
        [
            more_often(k_both, n_both, int(hit.sum()), len(hit)),
            more_often(k_both, n_both, hits[first], pictures[first]),
            more_often(k_both, n_both, hits[second], pictures[second]),
        ]
    )
    rows = zip(first.tolist(), second.tolist(), n_both.tolist(), k_both.tolist(), p.tolist(), strict=True)
    return [_Tested((one, other), count, hit_count, value) for one, other, count, hit_count, value in rows]


def _standing_out(family: Sequence[_Tested]) -> list[_Tested]:
    """Those that stay below half the level; their p-values are doubled so that all compare with the level."""
    adjusted = corrected(np.asarray([one.p for one in family], np.float64)) * 2
    return [
        replace(one, p_adjusted=float(value)) for one, value in zip(family, adjusted, strict=True) if value <= LEVEL
    ]


def _described(one: _Tested, met: Sequence[Candidate], n: int, hits: int, outcome: Outcome) -> Slice:
    conditions = tuple(met[at].condition for at in one.parts)
    outside, outside_hits = n - one.pictures, hits - one.hits
    inside_rate, outside_rate = rate(one.hits, one.pictures), rate(outside_hits, outside)
    assert inside_rate is not None and outside_rate is not None  # both have the least count of pictures
    return Slice(
        outcome=outcome,
        conditions=conditions,
        words=" and ".join(condition.words for condition in conditions),
        pictures=one.pictures,
        hits=one.hits,
        hit_share=one.hits / hits,
        inside=inside_rate,
        outside=outside_rate,
        difference=rate_difference(one.hits, one.pictures, outside_hits, outside),
        ratio=inside_rate.value / outside_rate.value if outside_hits else None,
        p=one.p,
        p_adjusted=one.p_adjusted,
    )


def _related(slices: Sequence[Slice], masks: Sequence[Booleans]) -> tuple[Slice, ...]:
    """Point slices at the earliest one, itself pointing nowhere, that holds mostly the same pictures."""
    leading: list[int] = []
    related = []
    for at, one in enumerate(slices):
        like = next((lead for lead in leading if _overlap(masks[lead], masks[at]) > RESEMBLING), None)
        if like is None:
            leading.append(at)
        related.append(one.model_copy(update={"resembles": like}))
    return tuple(related)


def _overlap(one: Booleans, other: Booleans) -> float:
    return float((one & other).sum() / min(one.sum(), other.sum()))


def _record(
    outcome: Outcome,
    pictures: int,
    hits: int,
    characteristics: tuple[str, ...],
    tested: int,
    tested_pairs: int,
    least: int,
    *,
    found: int = 0,
    slices: tuple[Slice, ...] = (),
    not_run: str | None = None,
) -> SliceSearch:
    return SliceSearch(
        outcome=outcome,
        pictures=pictures,
        hits=hits,
        characteristics=characteristics,
        tested=tested,
        tested_pairs=tested_pairs,
        least_pictures=least,
        level=LEVEL,
        found=found,
        slices=slices,
        not_run=not_run,
    )
