"""What can be told of these very pictures without a look at traces of their making.

A small classifier is fitted to file facts alone, and one to blurred thumbnails alone, as the audit does, each on parts
of the pictures and asked about the others. What they reach is no detection: a detector that does no better may have
learnt no more than that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from madeby.datasets.audit.shortcuts import content, file_facts
from madeby.datasets.audit.shortcuts.run import groups_of
from madeby.datasets.audit.shortcuts.separation import held_out_scores
from madeby.datasets.audit.survey import Survey, survey
from madeby.datasets.audit.twins import find_twins
from madeby.datasets.manifest import COLUMNS
from madeby.errors import DataError
from madeby.evaluation.benchmarking.pictures import KEY, DataSet
from madeby.evaluation.benchmarking.record import DetectorInfo

BASELINES = {
    "file facts": (file_facts.SEES, lambda seen: file_facts.file_features(seen.facts)),
    "content": (content.SEES, lambda seen: content.content_features(seen.thumbnails[seen.sample])),
}
"""Names to what each sees, in words and as features of a survey's sample."""


def baseline_infos() -> list[DetectorInfo]:
    """The baselines as the table names them."""
    return [
        DetectorInfo(name=name, kind="baseline", note=f"fitted on these pictures and cross-validated; sees {sees}")
        for name, (sees, _) in BASELINES.items()
    ]


def baseline_scores(
    data: DataSet,
    *,
    seed: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Held-out P(ai) of every picture from each baseline.

    Returns:
        For each baseline that could be fitted its scores by picture, and notes on what could not be.
    """
    table = data.rows.select(*COLUMNS).with_columns(pl.lit(None, pl.String).alias("problem"))
    try:
        seen = survey(table, sample=2 * table.height, seed=seed, threads=threads, progress=progress)
    except DataError as error:
        return {}, [f"{data.info.name}: no baselines: {error}"]
    keys = data.rows[KEY].to_list()
    names = [keys[row] for row in seen.seen[seen.sample]]
    found: dict[str, dict[str, float]] = {}
    notes = []
    for name in BASELINES:
        scores = _held_out(name, seen, seed)
        if isinstance(scores, str):
            notes.append(f"{data.info.name}: no baseline of {name}: {scores}")
        else:
            found[name] = dict(zip(names, scores, strict=True))
    return found, notes


def _held_out(name: str, seen: Survey, seed: int) -> list[float] | str:
    """P(ai) of the survey's sample, or why there is none."""
    labels, groups = seen.labels[seen.sample], groups_of(seen, find_twins(seen))[seen.sample]
    decisions = held_out_scores(BASELINES[name][1](seen), labels, groups, seed)
    if isinstance(decisions, str):
        return decisions
    return [float(value) for value in 1 / (1 + np.exp(-np.clip(decisions, -500, 500)))]
