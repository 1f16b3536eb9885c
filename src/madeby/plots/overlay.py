"""Several detectors or trainings in one plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.plots.ranking import cumulative
from madeby.plots.style import LIGHT, Theme, add_legend, dress, new_figure, save

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))


@dataclass(frozen=True)
class Scores:
    """A detector's (n,) probabilities of its pictures, and which are AI."""

    name: str
    probability: Floats
    is_ai: Booleans


@dataclass(frozen=True)
class Curve:
    """A figure by epoch."""

    name: str
    epochs: Sequence[float]
    values: Sequence[float]


def roc_overlay(scores: Sequence[Scores], out: Path, *, subtitle: str = "", theme: Theme = LIGHT) -> Path:
    """Draw ROC curves over each other, false alarms on a logarithmic scale; each with pictures of both labels."""
    from matplotlib.ticker import PercentFormatter

    figure = new_figure(6.4, 4.6, theme)
    axes = figure.add_subplot()
    least = min(0.5 / max(1, int((~one.is_ai).sum())) for one in scores)
    rates = np.geomspace(least, 1, 200)
    axes.plot(rates, rates, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)), label="guessing")
    for place, one in enumerate(scores):
        found, alarms = cumulative(one.probability, one.is_ai)
        axes.step(np.maximum(alarms / alarms[-1], least), found / found[-1], where="post", linewidth=1.8,
                  color=series_colour(theme, place), linestyle=DASHES[place % len(DASHES)], label=one.name)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(least, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("human pictures called ai")
    axes.set_ylabel("ai pictures found")
    axes.xaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g}%")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    dress(axes, theme, title="ROC curves" if len(scores) > 1 else "ROC curve", subtitle=subtitle)
    add_legend(axes, theme, loc="upper left")
    return save(figure, out)


def epoch_overlay(curves: Sequence[Curve], out: Path, *, figure_name: str, theme: Theme = LIGHT) -> Path:
    """Draw one figure by epoch for several trainings."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(6.4, 4.6, theme)
    axes = figure.add_subplot()
    for place, curve in enumerate(curves):
        axes.plot(curve.epochs, curve.values, color=series_colour(theme, place), linewidth=1.8, marker="o",
                  markersize=3, linestyle=DASHES[place % len(DASHES)], label=curve.name)  # fmt: skip
    axes.set_xlabel("epoch")
    axes.set_ylabel(figure_name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    dress(axes, theme, title=figure_name[:1].upper() + figure_name[1:], grid="y")
    add_legend(axes, theme, loc="best")
    return save(figure, out)


def series_colour(theme: Theme, place: int) -> str:
    """A colour for the series of that place, never those of the two classes."""
    more = ("#cc79a7", "#8a6d00", theme.ink) if theme is LIGHT else ("#e39ac4", "#e6c84f", theme.ink)
    return (theme.accent, *more)[place % 4]
