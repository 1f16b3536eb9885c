"""The plot of slices: how often the outcome occurs inside each, and outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from madeby.evaluation.analysis.record import Slice
from madeby.plots.style import FONT_SIZE, LIGHT, Theme, add_legend, dress, new_figure, save

LINE_HEIGHT = 0.5
LONG = 48
"""Letters from which a condition's range goes on a line of its own."""

TITLES = {
    "false positive": "What human pictures taken for ai have in common",
    "false negative": "What AI pictures taken for human have in common",
    "called ai": "What pictures called ai have in common",
}


def draw_slices(slices: Sequence[Slice], out: Path, theme: Theme = LIGHT) -> Path:
    """Draw slices of one outcome: the rate inside with its interval, and the rate outside as a tick."""
    outcome = slices[0].outcome
    colour = theme.ai if outcome == "false negative" else theme.human if outcome == "false positive" else theme.accent
    figure = new_figure(9.2, 1.6 + LINE_HEIGHT * len(slices), theme)
    axes = figure.add_subplot()
    for at, one in enumerate(slices):
        low, high = one.inside.low or 0.0, one.inside.high or 1.0
        axes.plot([one.outside.value, one.inside.value], [at, at], color=theme.grid, linewidth=3.5, zorder=2)
        axes.plot([low, high], [at, at], color=colour, linewidth=1.6, zorder=3)
        axes.plot(one.inside.value, at, "o", color=colour, markersize=6.5, zorder=4,
                  label="inside, with its 95% interval" if at == 0 else None)  # fmt: skip
        axes.plot(one.outside.value, at, "|", color=theme.ink, markersize=13, markeredgewidth=2, zorder=4,
                  label="all other pictures" if at == 0 else None)  # fmt: skip
        axes.annotate(f"{one.hits:,} of {one.pictures:,}", (high, at), xytext=(8, 0), textcoords="offset points",
                      va="center", color=theme.muted, fontsize=FONT_SIZE - 2)  # fmt: skip
    axes.set_yticks(range(len(slices)), [_lines(one) for one in slices])
    axes.set_ylim(len(slices) - 0.4, -1.3)  # room for the legend
    axes.margins(x=0.16)
    axes.set_xlim(0, None)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    axes.set_xlabel(f"share that is {'called ai' if outcome == 'called ai' else f'a {outcome}'}")
    dress(axes, theme, title=TITLES[outcome], subtitle="slices that stand out after correction for all looks, "
          "clearest first", grid="x")  # fmt: skip
    axes.tick_params(axis="y", length=0)
    add_legend(axes, theme, loc="upper right", ncols=2)
    return save(figure, out)


def _lines(one: Slice) -> str:
    """A slice's words, a line for each condition; a long single one is broken before its range."""
    if len(one.conditions) > 1:
        return "\nand ".join(condition.words for condition in one.conditions)
    before, found, value_range = one.words.rpartition(" (")
    return f"{before}\n({value_range}" if found and len(one.words) > LONG else one.words
