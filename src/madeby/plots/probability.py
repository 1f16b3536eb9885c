"""Whether probabilities mean what they say, and how they are spread: reliability diagram and histogram."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.plots.style import FONT_SIZE, LIGHT, Theme, add_legend, dress, new_figure, save

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
BINS = 15


def reliability_diagram(
    probability: Floats, is_ai: Booleans, out: Path, *, subtitle: str = "", theme: Theme = LIGHT
) -> Path:
    """Draw the share of AI pictures against P(ai) in 15 equal-width bins, and how many pictures each holds."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = counts > 0
    said = np.bincount(bins, probability, BINS)[filled] / counts[filled]
    share = np.bincount(bins, is_ai, BINS)[filled] / counts[filled]
    figure = new_figure(5.4, 5.2, theme)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)))
    # The 95% range of a share by chance alone (normal approximation), so that thin bins do not look like faults.
    spread = 1.96 * np.sqrt(np.maximum(said * (1 - said), 1e-6) / counts[filled])
    above.errorbar(said, share, yerr=spread, fmt="o-", color=theme.accent, ecolor=theme.muted, elinewidth=1,
                   markersize=5, linewidth=1.6)  # fmt: skip
    above.set_ylim(-0.03, 1.03)
    above.set_ylabel("share that is ai")
    below.bar((np.arange(BINS) + 0.5) / BINS, counts, width=0.92 / BINS, color=theme.accent)
    below.set_yscale("symlog", linthresh=10)
    below.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    below.set_xlim(0, 1)
    below.set_xlabel("probability given")
    below.set_ylabel("pictures")
    dress(above, theme, title="Reliability", subtitle=subtitle)
    dress(below, theme, grid="y")
    return save(figure, out)


def score_histogram(
    probability: Floats,
    is_ai: Booleans,
    out: Path,
    *,
    threshold_human: float,
    threshold_ai: float,
    subtitle: str = "",
    theme: Theme = LIGHT,
) -> Path:
    """Draw how P(ai) is spread among human and AI pictures, with the thresholds of the verdict."""
    from matplotlib.ticker import PercentFormatter

    figure = new_figure(6.4, 4.0, theme)
    axes = figure.add_subplot()
    edges = np.linspace(0, 1, 41).tolist()
    for values, name, colour in ((probability[~is_ai], "human", theme.human), (probability[is_ai], "ai", theme.ai)):
        if len(values):
            even = np.full(len(values), 1 / len(values))
            axes.hist(values, edges, weights=even, color=colour, alpha=0.25)
            axes.hist(values, edges, weights=even, color=colour, histtype="step", linewidth=1.6,
                      label=f"{name} ({len(values):,})")  # fmt: skip
    axes.set_xlim(-0.01, 1.01)
    axes.margins(y=0.3)  # room for the thresholds' words and, below them, the legend
    top = axes.get_ylim()[1]
    for threshold, words, side in ((threshold_human, "human ≤", "left"), (threshold_ai, "≥ ai", "right")):
        if 0 <= threshold <= 1:
            axes.axvline(threshold, color=theme.ink, linewidth=1.0, linestyle=(0, (2, 3)))
            axes.text(threshold, top, f" {words} ", ha="right" if side == "left" else "left", va="top",
                      color=theme.muted, fontsize=FONT_SIZE - 1)  # fmt: skip
    axes.set_xlabel("P(ai)")
    axes.set_ylabel("share of the class")
    axes.set_yticks([share for share in axes.get_yticks() if 0 <= share <= 1])
    axes.set_ylim(0, top)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    dress(axes, theme, title="Scores by class", subtitle=subtitle, grid="y")
    add_legend(axes, theme, loc="upper center", bbox_to_anchor=(0.5, 0.94), ncols=2)
    return save(figure, out)
