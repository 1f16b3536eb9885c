"""The study of what the pictures show: confidence, classes of each label, and the detector's answers by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.evaluation.analysis.content_model import ContentModel
from madeby.evaluation.analysis.estimates import (
    corrected,
    different,
    mean,
    mean_difference,
    rank_correlation,
    rate,
    rate_difference,
)
from madeby.evaluation.analysis.looking import RANKS
from madeby.evaluation.analysis.record import Content, ContentClass, Correlation, Estimate, RankConfidence
from madeby.schema import Label

Floats = npt.NDArray[np.float64]

LEAST_TESTED = 10
"""Pictures of a class below which its share in the labels is not compared."""

DECISION = 0.5


def study_content(table: pl.DataFrame, model: ContentModel, wanted: Sequence[str], seed: int) -> Content | None:
    """Compare what human and AI pictures show.

    Args:
        table: pictures with ``label``, ``probability``, ``class_1..3`` and ``confidence_1..3``.
        model: the content model that looked at them.
        wanted: classes that were asked for, to be listed even if rare.
        seed: of the bootstrap.

    Returns:
        None if no picture could be looked at.
    """
    seen = table.filter(pl.col("class_1").is_not_null())
    if seen.is_empty():
        return None
    rng = np.random.default_rng(seed)
    classes, tested = _classes(seen, model, rng)
    shown = {one.index for one in classes}
    return Content(
        model=model.name,
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        pictures=len(seen),
        classes_known=len(model.classes),
        confidence=tuple(one for rank in RANKS if (one := _confidence(seen, rank, rng)) is not None),
        classes=classes,
        classes_tested=tested,
        correlations=_correlations(seen),
        missing_classes=tuple(name for name in wanted if model.find(name) not in shown),
    )


def _confidence(seen: pl.DataFrame, rank: int, rng: np.random.Generator) -> RankConfidence | None:
    column = f"confidence_{rank}"
    everything = mean(_numbers(seen, column), rng)
    if everything is None:
        return None
    human, ai = (_numbers(_of(seen, label), column) for label in Label)
    return RankConfidence(
        rank=rank,
        everything=everything,
        human=mean(human, rng),
        ai=mean(ai, rng),
        difference=mean_difference(ai, human, rng),
    )


def _classes(seen: pl.DataFrame, model: ContentModel, rng: np.random.Generator) -> tuple[tuple[ContentClass, ...], int]:
    """Every class that occurs, most pictures first, and how many were compared between the labels."""
    n_human, n_ai = (len(_of(seen, label)) for label in Label)
    found = [
        _one_class(part, int(key[0]), model, n_human, n_ai, rng)
        for key, part in seen.partition_by("class_1", as_dict=True, maintain_order=True).items()
    ]
    found.sort(key=lambda one: (-one.pictures, one.index))
    tested = [at for at, one in enumerate(found) if n_human and n_ai and one.human + one.ai >= LEAST_TESTED]
    p = corrected(np.asarray([different(found[at].ai, n_ai, found[at].human, n_human) for at in tested], np.float64))
    for at, value in zip(tested, p.tolist(), strict=True):
        found[at] = found[at].model_copy(update={"p_adjusted": value})
    return tuple(found), len(tested)


def _one_class(
    part: pl.DataFrame, index: int, model: ContentModel, n_human: int, n_ai: int, rng: np.random.Generator
) -> ContentClass:
    of_human, of_ai = (_of(part, label) for label in Label)
    human, ai = (_numbers(of_label, "probability") for of_label in (of_human, of_ai))
    return ContentClass(
        index=index,
        name=model.classes[index],
        human=len(of_human),
        ai=len(of_ai),
        unlabelled=len(part) - len(of_human) - len(of_ai),
        difference=rate_difference(len(of_ai), n_ai, len(of_human), n_human) if n_human and n_ai else None,
        confidence=mean(_numbers(part, "confidence_1"), rng),
        score_human=mean(human, rng),
        score_ai=mean(ai, rng),
        score=mean(_numbers(part, "probability"), rng),
        error_human=rate(int((human >= DECISION).sum()), len(human)),
        error_ai=rate(int((ai < DECISION).sum()), len(ai)),
    )


def _correlations(seen: pl.DataFrame) -> tuple[Correlation, ...]:
    """Of confidence with P(ai), for each label and for the pictures without one."""
    parts: list[tuple[Label | None, pl.DataFrame]] = [(label, _of(seen, label)) for label in Label]
    parts.append((None, seen.filter(pl.col("label").is_null())))
    found = []
    for label, part in parts:
        scored = part.filter(pl.col("probability").is_not_null())
        rho: Estimate | None = rank_correlation(_numbers(scored, "confidence_1"), _numbers(scored, "probability"))
        if rho is not None:
            found.append(Correlation(label=label, rho=rho))
    return tuple(found)


def _of(table: pl.DataFrame, label: Label) -> pl.DataFrame:
    return table.filter(pl.col("label") == label.value)


def _numbers(table: pl.DataFrame, column: str) -> Floats:
    return table[column].drop_nulls().to_numpy().astype(np.float64)
