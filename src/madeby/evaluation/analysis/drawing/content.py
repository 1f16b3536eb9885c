"""Plots of what pictures show: confidence by rank, classes of each label, content against the detector's score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from madeby.evaluation.analysis.estimates import rate
from madeby.evaluation.analysis.record import Content, ContentClass, Estimate
from madeby.plots.style import FONT_SIZE, LIGHT, Theme, add_legend, dress, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

SIGNIFICANT = 0.05
"""Corrected p-value up to which a difference between the labels counts as more than chance."""

RANK_NAMES = ("best class", "second", "third")
STEPS = 10
LEAST_IN_STEP = 10
LINE_HEIGHT = 0.27


def draw_confidence(content: Content, out: Path, theme: Theme = LIGHT) -> Path:
    """Draw the mean confidence of the first three classes with intervals, for human and AI pictures."""
    from matplotlib.ticker import PercentFormatter

    figure = new_figure(6.4, 3.9, theme)
    axes = figure.add_subplot()
    ranks = np.arange(len(content.confidence), dtype=float)
    series = [
        ("human", [one.human for one in content.confidence], theme.human, "o"),
        ("ai", [one.ai for one in content.confidence], theme.ai, "D"),
    ]
    if all(one is None for _, values, _, _ in series for one in values):
        series = [("all pictures", [one.everything for one in content.confidence], theme.accent, "o")]
    shift = {1: (0.0,), 2: (-0.09, 0.09)}[len(series)]
    for (name, values, colour, marker), aside in zip(series, shift, strict=True):
        known = [(at, one) for at, one in zip(ranks, values, strict=True) if one is not None]
        if not known:
            continue
        label = f"{name} ({known[0][1].n:,})"
        _points(axes, [at + aside for at, _ in known], [one for _, one in known], colour, marker, label)
        for at, one in known:
            right = aside >= 0
            axes.annotate(f"{one.value:.1%}", (at + aside, one.value), xytext=(9 if right else -9, 0),
                          textcoords="offset points", va="center", ha="left" if right else "right",
                          color=theme.ink, fontsize=FONT_SIZE - 1)  # fmt: skip
    axes.set_xticks(ranks, RANK_NAMES[: len(ranks)])
    axes.set_xlim(-0.5, len(ranks) - 0.5)
    axes.set_ylim(0, None)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("mean confidence")
    subtitle = f"{content.model}, {content.classes_known:,} classes; lines are 95% intervals"
    dress(axes, theme, title="How sure the content model is", subtitle=subtitle, grid="y")
    add_legend(axes, theme, loc="upper right")
    return save(figure, out)


def draw_class_shares(
    classes: Sequence[ContentClass], n_human: int, n_ai: int, out: Path, theme: Theme = LIGHT
) -> Path:
    """Draw each class's share among human and AI pictures, joined by a line; classes come in the order given."""
    figure = new_figure(7.2, 1.5 + LINE_HEIGHT * len(classes), theme)
    axes = figure.add_subplot()
    for at, one in enumerate(classes):
        human, ai = one.human / max(n_human, 1), one.ai / max(n_ai, 1)
        axes.plot([human, ai], [at, at], color=theme.grid, linewidth=3.5, solid_capstyle="round", zorder=2)
        axes.plot(
            human, at, "o", color=theme.human, markersize=6, zorder=3, clip_on=False, label="human" if at == 0 else None
        )
        axes.plot(ai, at, "D", color=theme.ai, markersize=5.5, zorder=3, clip_on=False, label="ai" if at == 0 else None)
        axes.annotate(f"{one.human:,} : {one.ai:,}", (max(human, ai), at), xytext=(9, 0), textcoords="offset points",
                      va="center", color=theme.muted, fontsize=FONT_SIZE - 2)  # fmt: skip
    axes.set_yticks(range(len(classes)), [one.name for one in classes])
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.margins(x=0.14)
    axes.set_xlim(0, None)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    axes.set_xlabel("share of the label's pictures")
    sure = all(one.p_adjusted is not None and one.p_adjusted <= SIGNIFICANT for one in classes)
    chance = "all beyond chance" if sure else "some or all may be chance"
    dress(axes, theme, title="Contents that differ most between the labels",
          subtitle=f"{chance}; beside the marks: human : ai pictures", grid="x")  # fmt: skip
    axes.tick_params(axis="y", length=0, pad=9)
    add_legend(axes, theme, loc="lower right")
    return save(figure, out)


def draw_class_scores(classes: Sequence[ContentClass], out: Path, theme: Theme = LIGHT) -> Path:
    """Draw the detector's mean P(ai) by class with intervals, human and AI pictures apart; in the order given."""
    figure = new_figure(7.2, 1.5 + LINE_HEIGHT * len(classes), theme)
    axes = figure.add_subplot()
    axes.axvline(0.5, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
    labelled = any(one.score_human or one.score_ai for one in classes)
    series = (
        (("human", "score_human", theme.human, "o", -0.13), ("ai", "score_ai", theme.ai, "D", 0.13))
        if labelled
        else (("all pictures", "score", theme.accent, "o", 0.0),)
    )
    for name, field, colour, marker, aside in series:
        known = [(at + aside, score) for at, one in enumerate(classes) if (score := getattr(one, field)) is not None]
        if known:
            _points(axes, [at for at, _ in known], [one for _, one in known], colour, marker, name, upright=False)
    axes.set_yticks(range(len(classes)), [f"{one.name} ({one.pictures:,})" for one in classes])
    axes.set_ylim(len(classes) - 0.4, -1.6 if labelled else -0.6)  # room for the legend
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("mean P(ai)")
    dress(axes, theme, title="The detector's answer by content",
          subtitle="human pictures belong left of 0.5, ai right; 95% intervals from 10 pictures up")  # fmt: skip
    axes.tick_params(axis="y", length=0)
    if labelled:
        add_legend(axes, theme, loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return save(figure, out)


def draw_confidence_against_score(
    confidence: Floats, probability: Floats, labels: npt.NDArray[np.str_], out: Path, theme: Theme = LIGHT
) -> Path:
    """Draw content confidence against P(ai), one panel a label, with the share called ai in ten equal parts.

    Args:
        confidence: (n,) of the best class.
        probability: (n,) P(ai).
        labels: (n,) ``human``, ``ai`` or empty.
        out: the PNG.
        theme: the colours.
    """
    from matplotlib.ticker import PercentFormatter

    colours = {"human": theme.human, "ai": theme.ai, "": theme.accent}
    panels = [label for label in colours if (labels == label).any()]
    figure = new_figure(4.4 * len(panels), 4.3, theme)
    for axes, label in zip(np.ravel(figure.subplots(1, len(panels), sharey=True, squeeze=False)), panels, strict=True):
        rows = labels == label
        n = int(rows.sum())
        axes.plot(confidence[rows], probability[rows], ".", color=colours[label], rasterized=True,
                  markersize=3.5 if n > 500 else 6, alpha=float(np.clip(600 / n, 0.12, 0.7)),
                  markeredgewidth=0)  # fmt: skip
        steps = _steps(confidence[rows], probability[rows] >= 0.5)
        if steps:
            _points(axes, [at for at, _ in steps], [one for _, one in steps], theme.ink, "o", "share called ai")
            axes.plot([at for at, _ in steps], [one.value for _, one in steps], color=theme.ink, linewidth=1.2)
        axes.axhline(0.5, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("confidence in the content")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        title = {"human": "Human pictures", "ai": "AI pictures", "": "Content and score"}[label]
        dress(axes, theme, title=title, subtitle=f"{n:,} pictures" + ("; line: share called ai" if steps else ""))
    figure.axes[0].set_ylabel("P(ai); share called ai")
    return save(figure, out)


def _steps(confidence: Floats, called: npt.NDArray[np.bool_]) -> list[tuple[float, Estimate]]:
    """Share called ai in ten equal parts of the confidence, where they hold enough pictures."""
    step = np.minimum((confidence * STEPS).astype(int), STEPS - 1)
    found = []
    for at in range(STEPS):
        rows = step == at
        share = rate(int(called[rows].sum()), int(rows.sum()))
        if share is not None and share.n >= LEAST_IN_STEP:
            found.append((float(confidence[rows].mean()), share))
    return found


def _points(
    axes: Axes,
    places: Sequence[float],
    values: Sequence[Estimate],
    colour: str,
    marker: str,
    label: str,
    *,
    upright: bool = True,
) -> None:
    """Marks with their intervals, upright or lying."""
    heights = [one.value for one in values]
    spread = [
        [0.0 if one.low is None else max(one.value - one.low, 0.0) for one in values],
        [0.0 if one.high is None else max(one.high - one.value, 0.0) for one in values],
    ]
    look = {"fmt": marker, "color": colour, "elinewidth": 1.6, "markersize": 5.5, "label": label, "zorder": 4}
    if upright:
        axes.errorbar(places, heights, yerr=spread, **look)  # type: ignore[arg-type]  # a mixed dict of settings
    else:
        axes.errorbar(heights, places, xerr=spread, **look)  # type: ignore[arg-type]  # a mixed dict of settings
