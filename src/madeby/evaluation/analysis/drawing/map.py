"""The map of pictures by likeness, coloured by content, by score and by mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from madeby.plots.style import LIGHT, Theme, add_legend, dress, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#7f7f7f")
"""Okabe and Ito's, with violet and grey for their yellow and black, which fade on one of the backgrounds."""

OTHER = "other"
MOST_NAMED = 7


@dataclass(frozen=True, eq=False)
class MapPoints:
    """Pictures of a map: (n, 2) places, label and content of each ('' unknown), P(ai) (NaN unknown)."""

    places: Floats
    labels: npt.NDArray[np.str_]
    content: npt.NDArray[np.str_]
    probability: Floats

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """(n,) pictures on the wrong side of P(ai) 0.5; false where label or score is unknown."""
        called = self.probability >= 0.5
        wrong: npt.NDArray[np.bool_] = ((self.labels == "human") & called) | (
            (self.labels == "ai") & (self.probability < 0.5)
        )
        return wrong


def named_contents(content: Sequence[str]) -> tuple[str, ...]:
    """The most frequent contents, which get a colour of their own; all others share one."""
    return tuple(name for name, _ in Counter(content).most_common(MOST_NAMED))


def draw_map_by_label(points: MapPoints, out: Path, theme: Theme = LIGHT) -> Path:
    """Draw human and AI pictures in their colours."""
    figure = new_figure(6.4, 6.0, theme)
    axes = figure.add_subplot()
    for label, colour, marker in (("human", theme.human, "o"), ("ai", theme.ai, "D"), ("", theme.accent, "o")):
        rows = points.labels == label
        if rows.any():
            name = f"{label or 'pictures'} ({int(rows.sum()):,})"
            _scatter(axes, points.places[rows], colour, marker, name, 0.6, _size(len(points.labels)))
    _finish(axes, theme, "Map by label", "pictures of like content lie near each other; axes mean nothing")
    return save(figure, out)


def draw_map_by_content(points: MapPoints, out: Path, theme: Theme = LIGHT) -> Path:
    """Draw the most frequent contents in colours, all others in grey."""
    figure = new_figure(8.0, 6.0, theme)
    axes = figure.add_subplot()
    named, size = named_contents(points.content.tolist()), _size(len(points.content))
    rest = ~np.isin(points.content, named)
    if rest.any():
        _scatter(axes, points.places[rest], theme.muted, "o", f"{OTHER} ({int(rest.sum()):,})", 0.28, size)
    for name, colour in zip(named, PALETTE, strict=False):
        rows = points.content == name
        _scatter(axes, points.places[rows], colour, "o", f"{name} ({int(rows.sum()):,})", 0.85, 1.6 * size)
    _finish(axes, theme, "Map by content", "the most frequent best classes", beside=True)
    return save(figure, out)


def draw_map_by_score(points: MapPoints, out: Path, theme: Theme = LIGHT) -> Path:
    """Draw P(ai) from the human colour over grey to the AI colour."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    figure = new_figure(7.2, 6.0, theme)
    axes = figure.add_subplot()
    middle = np.mean([to_rgb(theme.grid), to_rgb(theme.muted)], axis=0).tolist()  # stands out from either background
    shade = LinearSegmentedColormap.from_list("score", [theme.human, middle, theme.ai])
    known = ~np.isnan(points.probability)
    drawn = axes.scatter(points.places[known, 0], points.places[known, 1], c=points.probability[known], cmap=shade,
                         vmin=0, vmax=1, s=_size(len(known)), linewidths=0)  # fmt: skip
    bar = figure.colorbar(drawn, ax=axes, shrink=0.6, aspect=24)
    bar.set_label("P(ai)", color=theme.ink)
    bar.ax.tick_params(colors=theme.muted, labelcolor=theme.ink)
    bar.outline.set_visible(False)
    _finish(axes, theme, "Map by score", "what the detector says", legend=False)
    return save(figure, out)


def draw_map_by_mistake(points: MapPoints, out: Path, theme: Theme = LIGHT) -> Path:
    """Draw mistakes in their label's colour over all other pictures in grey."""
    figure = new_figure(6.4, 6.0, theme)
    axes = figure.add_subplot()
    wrong, size = points.wrong, _size(len(points.labels))
    _scatter(axes, points.places[~wrong], theme.muted, "o", f"right ({int((~wrong).sum()):,})", 0.28, size)
    for label, taken, colour, marker in (("human", "ai", theme.human, "o"), ("ai", "human", theme.ai, "D")):
        rows = wrong & (points.labels == label)
        if rows.any():
            name = f"{label}, taken for {taken} ({int(rows.sum()):,})"
            _scatter(axes, points.places[rows], colour, marker, name, 0.9, 2.2 * size)
    _finish(axes, theme, "Map by mistake", "where the detector errs")
    return save(figure, out)


def _scatter(axes: Axes, places: Floats, colour: str, marker: str, name: str, alpha: float, size: float) -> None:
    area = size * (0.8 if marker == "D" else 1.0)  # a diamond looks larger than a disc of the same area
    axes.scatter(places[:, 0], places[:, 1], color=colour, marker=marker, s=area, alpha=alpha, linewidths=0, label=name)


def _size(n: int) -> float:
    """Area of a mark in square points: fewer pictures, larger marks."""
    return float(np.clip(12000 / max(n, 1), 7, 40))


def _finish(axes: Axes, theme: Theme, title: str, subtitle: str, *, legend: bool = True, beside: bool = False) -> None:
    dress(axes, theme, title=title, subtitle=subtitle, grid="")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_box_aspect(1)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    if legend:
        placing = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if beside else {
            "loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 3}  # fmt: skip
        add_legend(axes, theme, markerscale=1.6, scatteryoffsets=[0.5], **placing)
