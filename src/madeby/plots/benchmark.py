"""Several detectors on several sets of pictures: figures with intervals, and grids of figures."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madeby.plots.overlay import series_colour
from madeby.plots.style import FONT_SIZE, LIGHT, Theme, add_legend, dress, new_figure, save

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
LINE_WIDTH = 28
"""Characters of a name before it is broken."""

NO_BREAK = "\N{NO-BREAK SPACE}"

Ends = tuple[float, float | None, float | None]
"""A figure and its interval's ends, None where there is none."""


@dataclass(frozen=True)
class DotSeries:
    """One detector's figure on each set that it has one for; ``quiet`` ones are drawn to compare with only."""

    name: str
    figures: Mapping[str, Ends]
    quiet: bool = False


def interval_dots(
    sets: Sequence[str],
    series: Sequence[DotSeries],
    out: Path,
    *,
    title: str,
    label: str,
    subtitle: str = "",
    chance: float | None = None,
    percent: bool = False,
    theme: Theme = LIGHT,
) -> Path:
    """Draw figures from 0 to 1 as dots with their intervals, a band of lines for each set, the first on top.

    Args:
        sets: names of the sets, at least one.
        series: detectors.
        out: the PNG.
        title: what is shown.
        label: of the axis.
        subtitle: below the title.
        chance: where guessing stands, None for no such line.
        percent: whether the axis reads in percent.
        theme: the colours.
    """
    from matplotlib.ticker import PercentFormatter

    step = 1 / (len(series) + 1)
    figure = new_figure(6.4, 1.9 + len(sets) * (0.26 + 0.2 * len(series)) + 0.24 * math.ceil(len(series) / 3), theme)
    axes = figure.add_subplot()
    for place, one in enumerate(series):
        colour = theme.muted if one.quiet else series_colour(theme, place)
        marker = MARKERS[place % len(MARKERS)]
        heights, values, below, above = [], [], [], []
        for at, name in enumerate(sets):
            if name in one.figures:
                value, low, high = one.figures[name]
                heights.append(at - 0.5 + step * (place + 1))
                values.append(value)
                below.append(max(0.0, value - (value if low is None else low)))
                above.append(max(0.0, (value if high is None else high) - value))
        axes.errorbar(values, heights, xerr=[below, above], fmt=marker, color=colour, ecolor=colour, elinewidth=1.4,
                      markersize=5.5, markerfacecolor=theme.background if one.quiet else colour, markeredgewidth=1.3,
                      label=one.name, alpha=0.9)  # fmt: skip
    for at in range(0, len(sets), 2):
        axes.axhspan(at - 0.5, at + 0.5, color=theme.surface, linewidth=0, zorder=0)
    if chance is not None:
        axes.axvline(chance, color=theme.muted, linewidth=1.0, linestyle=(0, (2, 3)))
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(sets) - 0.5, -0.5)
    axes.set_yticks(range(len(sets)), [_broken(name) for name in sets])
    axes.set_xlabel(label)
    if percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    dress(axes, theme, title=title, subtitle=subtitle, grid="x")
    axes.tick_params(axis="y", length=0)
    add_legend(axes, theme, loc="upper center", bbox_to_anchor=(0.5, -0.55 / (figure.get_figheight() - 1.4)),
               ncols=min(3, len(series)))  # fmt: skip
    return save(figure, out)


def value_grid(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    out: Path,
    *,
    title: str,
    subtitle: str = "",
    theme: Theme = LIGHT,
) -> Path:
    """Draw figures from 0 to 1 as a grid, chance (0.5) plain, better in the accent's shade, worse in that of ``ai``.

    Args:
        rows: names, top to bottom.
        columns: names, left to right.
        values: one sequence a row; None leaves a cell empty.
        out: the PNG.
        title: what is shown.
        subtitle: below it.
        theme: the colours.
    """
    from matplotlib.colors import LinearSegmentedColormap

    matrix = np.array([[np.nan if value is None else value for value in row] for row in values], float)
    figure = new_figure(3.6 + 0.72 * len(columns), 1.7 + 0.42 * len(rows), theme)
    axes = figure.add_subplot()
    shade = LinearSegmentedColormap.from_list("shade", [theme.ai, theme.background, theme.accent])
    axes.imshow(np.ma.masked_invalid(matrix), cmap=shade, vmin=-0.35, vmax=1.35, aspect="auto")
    for at, row in enumerate(values):
        for place, value in enumerate(row):
            text = "–" if value is None else f"{value:.2f}"
            axes.text(place, at, text, ha="center", va="center", color=theme.muted if value is None else theme.ink,
                      fontsize=FONT_SIZE - 1)  # fmt: skip
    axes.set_xticks(range(len(columns)), [name.replace(",", "\n") for name in columns], rotation=35, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(rows)), [_broken(name) for name in rows])
    dress(axes, theme, title=title, subtitle=subtitle, grid="")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    return save(figure, out)


def _broken(name: str) -> str:
    """A name in lines; what stands in brackets behind it stays together."""
    before, bracket, behind = name.partition(" (")
    return "\n".join(textwrap.wrap(before + bracket + behind.replace(" ", NO_BREAK), LINE_WIDTH)) or name
