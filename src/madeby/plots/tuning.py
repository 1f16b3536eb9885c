"""A search over recipes: how it went, which fields mattered, and where the good configurations lie."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.plots.style import FONT_SIZE, LIGHT, Theme, add_legend, dress, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scalar = bool | int | float | str
MOST_SHOWN = 18
"""Characters of a value that fit beside an axis."""


@dataclass(frozen=True)
class Trace:
    """One trial: its number, what it tried, the best figure it reached, and whether it was ended early."""

    number: int
    parameters: Mapping[str, Scalar]
    value: float
    pruned: bool = False


def tuning_history(
    traces: Sequence[Trace], out: Path, *, figure: str, lower_is_better: bool, theme: Theme = LIGHT
) -> Path:
    """Draw each trial's figure in order, and the best so far; ``traces`` at least one."""
    from matplotlib.ticker import MaxNLocator

    drawing = new_figure(6.4, 4.0, theme)
    axes = drawing.add_subplot()
    complete = [trace for trace in traces if not trace.pruned]
    for chosen, name, colour, marker in (
        (complete, "seen through", theme.accent, "o"),
        ([trace for trace in traces if trace.pruned], "ended early", theme.muted, "x"),
    ):
        if chosen:
            axes.plot([one.number for one in chosen], [one.value for one in chosen], marker, color=colour,
                      label=name, markersize=5.5)  # fmt: skip
    subtitle = "no trial was seen through"
    if complete:
        best = _best(complete, lower_is_better)
        pick = min if lower_is_better else max
        reached = [pick(one.value for one in complete[: at + 1]) for at in range(len(complete))]
        last = max(trace.number for trace in traces)
        axes.step([*(one.number for one in complete), last], [*reached, reached[-1]], where="post",
                  color=theme.ink, linewidth=1.2, label="best so far", zorder=1)  # fmt: skip
        subtitle = f"best: trial {best.number} with {best.value:.4g}"
    axes.margins(x=0.04, y=0.12)
    axes.set_xlabel("trial")
    axes.set_ylabel(figure)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    dress(axes, theme, title="Search", subtitle=subtitle, grid="y")
    add_legend(axes, theme, loc="best")
    return save(drawing, out)


def importance_bars(shares: Mapping[str, float], out: Path, *, figure: str, theme: Theme = LIGHT) -> Path:
    """Draw each field's share, 0..1, in the differences between trials, the largest above."""
    from matplotlib.ticker import PercentFormatter

    ordered = sorted(shares.items(), key=lambda item: item[1])
    drawing = new_figure(6.4, 1.5 + 0.42 * len(ordered), theme)
    axes = drawing.add_subplot()
    names, values = [name for name, _ in ordered], [share for _, share in ordered]
    axes.barh(names, values, height=0.62, color=theme.accent)
    for at, value in enumerate(values):
        axes.annotate(f"{value:.0%}", (value, at), xytext=(5, 0), textcoords="offset points", va="center",
                      color=theme.ink, fontsize=FONT_SIZE - 1)  # fmt: skip
    axes.set_xlim(0, max(1e-6, *values) * 1.14)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    dress(axes, theme, title="What mattered", subtitle=f"share in the differences of {figure} between trials", grid="x")
    return save(drawing, out)


def parallel_coordinates(
    traces: Sequence[Trace],
    out: Path,
    *,
    figure: str,
    lower_is_better: bool,
    logarithmic: Collection[str] = (),
    theme: Theme = LIGHT,
) -> Path:
    """Draw each trial as a line over one axis a field and one for the figure, better trials on top and stronger.

    Args:
        traces: at least one trial; all have the same fields.
        out: the PNG.
        figure: name of the figure.
        lower_is_better: whether small values are good.
        logarithmic: fields whose axes are logarithmic.
        theme: the colours.
    """
    from matplotlib.colors import LinearSegmentedColormap

    names = list(traces[0].parameters)
    scales = [_Scale([trace.parameters[name] for trace in traces], name in logarithmic) for name in names]
    result = _Scale([trace.value for trace in traces], False, flip=lower_is_better)
    drawing = new_figure(max(6.4, 1.7 * (len(names) + 1)), 4.2, theme)
    axes = drawing.add_subplot()
    shade = LinearSegmentedColormap.from_list("shade", [theme.grid, theme.accent])
    ranked = sorted(traces, key=lambda trace: result.height(trace.value))
    for rank, trace in enumerate(ranked):
        heights = [scale.height(trace.parameters[name]) for name, scale in zip(names, scales, strict=True)]
        best = rank == len(ranked) - 1
        axes.plot(
            range(len(names) + 1),
            [*heights, result.height(trace.value)],
            color=theme.ai if best else shade(0.15 + 0.85 * rank / max(1, len(ranked) - 1)),
            linewidth=2.4 if best else 1.3,
            linestyle=(0, (2, 2)) if trace.pruned else "-",
            solid_capstyle="round",
        )
    for at, scale in enumerate((*scales, result)):
        axes.axvline(at, color=theme.muted, linewidth=0.9, zorder=0)
        for height, text in scale.ticks():
            mat = {"facecolor": theme.background, "edgecolor": "none", "pad": 0.8, "alpha": 0.8}
            axes.annotate(text, (at, height), xytext=(5, 0), textcoords="offset points", va="center", zorder=6,
                          color=theme.ink, fontsize=FONT_SIZE - 2, bbox=mat)  # fmt: skip
    axes.set_xlim(-0.12, len(names) + 0.55)
    axes.set_ylim(-0.08, 1.08)
    axes.set_xticks(range(len(names) + 1), [*names, figure])
    subtitle = f"the best, trial {ranked[-1].number}, in orange; up is better on the last axis"
    dress(axes, theme, title="Configurations", subtitle=subtitle, grid="")
    _bare(axes)
    return save(drawing, out)


class _Scale:
    """Where a field's values stand on an axis from 0 to 1."""

    def __init__(self, values: Sequence[Scalar], logarithmic: bool, *, flip: bool = False) -> None:
        self._numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        self._log, self._flip = logarithmic and self._numeric, flip
        distinct = sorted(dict.fromkeys(values), key=_order)
        self._distinct: list[Scalar] = distinct
        self._few = len(distinct) <= 6
        ends = [self._position(value) for value in (distinct[0], distinct[-1])] if self._numeric else [0.0, 0.0]
        self._low, self._high = ends

    def _position(self, value: Scalar) -> float:
        return math.log10(float(value)) if self._log else float(value)

    def height(self, value: Scalar) -> float:
        """0 at the foot of the axis, 1 at its head."""
        if not self._numeric or (self._few and not self._flip):
            height = self._distinct.index(value) / max(1, len(self._distinct) - 1) if len(self._distinct) > 1 else 0.5
        elif self._high == self._low:
            height = 0.5
        else:
            height = (self._position(value) - self._low) / (self._high - self._low)
        return 1 - height if self._flip else height

    def ticks(self) -> list[tuple[float, str]]:
        """Heights and words: every value where they are few, else the ends and the middle."""
        if (self._few and not self._flip) or not self._numeric:
            return [(self.height(value), _short(value)) for value in self._distinct]
        places = [self._low, (self._low + self._high) / 2, self._high] if self._high > self._low else [self._low]
        marks = []
        for at, place in enumerate(places):
            share = at / max(1, len(places) - 1) if len(places) > 1 else 0.5
            marks.append((1 - share if self._flip else share, f"{10**place if self._log else place:.4g}"))
        return marks


def _order(value: Scalar) -> tuple[int, float, str]:
    if isinstance(value, str):
        return 1, 0.0, value
    return 0, float(value), ""


def _short(value: Scalar) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def _best(traces: Sequence[Trace], lower_is_better: bool) -> Trace:
    return min(traces, key=lambda trace: trace.value if lower_is_better else -trace.value)


def _bare(axes: Axes) -> None:
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(length=0, labelsize=FONT_SIZE - 0.5)
