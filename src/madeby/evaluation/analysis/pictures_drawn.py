"""Everything an analysis draws: plots, galleries and the map, with words for those who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.evaluation.analysis.drawing.content import (
    SIGNIFICANT,
    draw_class_scores,
    draw_class_shares,
    draw_confidence,
    draw_confidence_against_score,
)
from madeby.evaluation.analysis.drawing.map import (
    MapPoints,
    draw_map_by_content,
    draw_map_by_label,
    draw_map_by_mistake,
    draw_map_by_score,
)
from madeby.evaluation.analysis.drawing.slices import draw_slices
from madeby.evaluation.analysis.embedding import Placed
from madeby.evaluation.analysis.galleries import MOST_SLICES, classes_to_show, draw_class, draw_slice
from madeby.evaluation.analysis.record import Content, ContentClass, Plot
from madeby.evaluation.analysis.slices import Found
from madeby.plots.style import Theme

Booleans = npt.NDArray[np.bool_]

MOST_ROWS = 20
MOST_SLICE_ROWS = 14
LEAST_IN_CLASS = 10


@dataclass(frozen=True)
class DrawnContent:
    """The study with its galleries named, the plots and the galleries."""

    content: Content
    plots: tuple[Plot, ...]
    galleries: tuple[Plot, ...]


def draw_content(
    content: Content, table: pl.DataFrame, wanted: Sequence[int], folder: Path, theme: Theme
) -> DrawnContent:
    """Draw the study of content: confidence, shares and scores by class, galleries of classes."""
    n_human = sum(one.human for one in content.classes)
    n_ai = sum(one.ai for one in content.classes)
    plots = []

    def drawn(path: Path, title: str, shows: str) -> None:
        plots.append(Plot(file=path.name, title=title, shows=shows))

    drawn(
        draw_confidence(content, folder / "content_confidence.png", theme),
        "How sure the content model is",
        "mean confidence of the first three content classes for each label, with 95% intervals",
    )
    if n_human and n_ai:
        telling = _telling(content.classes)
        most = sorted(telling, key=lambda one: -abs(one.difference.value) if one.difference else 0.0)
        drawn(
            draw_class_shares(_with_wanted(most, wanted), n_human, n_ai, folder / "content_shares.png", theme),
            "Contents that differ most between the labels",
            "share of each content among human and among AI pictures",
        )
    scored = [one for one in content.classes if one.score is not None and one.score.n > 1]
    if scored:
        drawn(
            draw_class_scores(_with_wanted(scored, wanted), folder / "content_scores.png", theme),
            "The detector's answer by content",
            "mean P(ai) of each content with 95% intervals, human and AI pictures apart",
        )
    both = table.filter(pl.col("confidence_1").is_not_null() & pl.col("probability").is_not_null())
    if len(both):
        drawn(
            draw_confidence_against_score(
                both["confidence_1"].to_numpy(),
                both["probability"].to_numpy(),
                both["label"].fill_null("").to_numpy().astype(np.str_),
                folder / "content_against_score.png",
                theme,
            ),
            "Content and score",
            "each picture's confidence in its content against P(ai), and the share called ai along it",
        )
    galleries = {one.index: draw_class(one, table, folder, theme) for one in classes_to_show(content, wanted)}
    named = {index: gallery.file for index, gallery in galleries.items() if gallery is not None}
    classes = tuple(one.model_copy(update={"gallery": named.get(one.index)}) for one in content.classes)
    return DrawnContent(
        content.model_copy(update={"classes": classes}),
        tuple(plots),
        tuple(gallery for gallery in galleries.values() if gallery is not None),
    )


def draw_found(
    found: Found, table: pl.DataFrame, hit: Booleans, folder: Path, theme: Theme
) -> tuple[Found, tuple[Plot, ...], tuple[Plot, ...]]:
    """Draw the slices of one outcome and a gallery of each leading one; returns the search with galleries named."""
    leading = [at for at, one in enumerate(found.search.slices) if one.resembles is None]
    if not leading:
        return found, (), ()
    outcome = found.search.outcome
    slices = list(found.search.slices)
    file = f"slices_{outcome.replace(' ', '_')}.png"
    draw_slices([slices[at] for at in leading[:MOST_SLICE_ROWS]], folder / file, theme)
    shows = f"how often a {outcome} occurs inside each slice that stands out, and outside of it"
    plot = Plot(file=file, title=f"Slices: {outcome}", shows=shows)
    galleries = []
    for number, at in enumerate(leading[:MOST_SLICES], 1):
        gallery = draw_slice(slices[at], number, table, hit, found.inside[at], folder, theme)
        if gallery is not None:
            slices[at] = slices[at].model_copy(update={"gallery": gallery.file})
            galleries.append(gallery)
    search = found.search.model_copy(update={"slices": tuple(slices)})
    return Found(search, found.inside), (plot,), tuple(galleries)


def draw_maps(table: pl.DataFrame, placed: Placed, folder: Path, theme: Theme) -> tuple[Plot, ...]:
    """Draw the map by label, content, score and mistake, as far as there are labels and scores."""
    points = MapPoints(
        places=placed.places,
        labels=table["label"].fill_null("").to_numpy().astype(np.str_),
        content=table["content"].to_numpy().astype(np.str_),
        probability=table["probability"].fill_null(float("nan")).to_numpy(),
    )
    labelled, scored = bool((points.labels != "").any()), not bool(np.isnan(points.probability).all())
    plots = []
    if labelled:
        path = draw_map_by_label(points, folder / "map_label.png", theme)
        plots.append(Plot(file=path.name, title="Map by label", shows="pictures placed by likeness, by label"))
    path = draw_map_by_content(points, folder / "map_content.png", theme)
    plots.append(Plot(file=path.name, title="Map by content", shows="pictures placed by likeness, by content"))
    if scored:
        path = draw_map_by_score(points, folder / "map_score.png", theme)
        plots.append(Plot(file=path.name, title="Map by score", shows="pictures placed by likeness, by P(ai)"))
    if labelled and scored:
        path = draw_map_by_mistake(points, folder / "map_mistake.png", theme)
        plots.append(Plot(file=path.name, title="Map by mistake", shows="pictures placed by likeness, mistakes marked"))
    return tuple(plots)


def _telling(classes: Sequence[ContentClass]) -> list[ContentClass]:
    """Classes that differ beyond chance, or with enough pictures, or with more than one, or in the end all."""
    differ = [one for one in classes if one.p_adjusted is not None and one.p_adjusted <= SIGNIFICANT]
    if len(differ) > 2:
        return differ
    for least in (LEAST_IN_CLASS, 2):
        often = [one for one in classes if one.human + one.ai >= least]
        if len(often) > 1:
            return often
    return list(classes)


def _with_wanted(classes: Sequence[ContentClass], wanted: Sequence[int]) -> list[ContentClass]:
    """The first classes, and behind them those asked for that are not among them."""
    first = list(classes[:MOST_ROWS])
    return first + [one for one in classes[MOST_ROWS:] if one.index in wanted]
