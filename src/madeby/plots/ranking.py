"""ROC and precision-recall curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.plots.style import FONT_SIZE, LIGHT, Theme, dress, new_figure, save

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
MARKED_RATES = (0.01, 0.05)


def roc_curve(probability: Floats, is_ai: Booleans, out: Path, *, subtitle: str = "", theme: Theme = LIGHT) -> Path:
    """Draw true against false positive rate, plain and with the low rates spread out; both arrays (n,)."""
    from matplotlib.ticker import PercentFormatter

    found, alarms = cumulative(probability, is_ai)
    tpr, fpr = found / found[-1], alarms / alarms[-1]
    figure = new_figure(8.4, 4.2, theme)
    plain, low = figure.subplots(1, 2)
    plain.plot([0, 1], [0, 1], color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)))
    plain.step(fpr, tpr, where="post", color=theme.ai, linewidth=1.8)
    plain.set_xlim(-0.02, 1.02)
    least = 0.5 / alarms[-1]
    low.step(np.maximum(fpr, least), tpr, where="post", color=theme.ai, linewidth=1.8)
    low.set_xscale("log")
    low.set_xlim(least, 1)
    for place, rate in enumerate(MARKED_RATES):
        reached = float(tpr[fpr <= rate + 1e-12].max(initial=0.0))
        low.axvline(rate, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)))
        low.plot(rate, reached, "o", color=theme.ai, markersize=6, markeredgecolor=theme.background)
        # left above or, one under the other, right below: where a rising curve leaves room
        aside = (-6, 7) if (above := reached < 0.9) else (6, -14 - 15 * place)
        low.annotate(f"{reached:.1%} at {rate:.0%}", (rate, reached), xytext=aside,
                     textcoords="offset points", ha="right" if above else "left", color=theme.ink,
                     fontsize=FONT_SIZE - 1)  # fmt: skip
    for axes in (plain, low):
        axes.set_box_aspect(1)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("human pictures called ai")
        axes.set_ylabel("ai pictures found")
        axes.xaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g}%")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    dress(plain, theme, title="ROC curve", subtitle=subtitle)
    dress(low, theme, title="At few false alarms", subtitle="the same, rates on a logarithmic scale")
    return save(figure, out)


def precision_recall_curve(
    probability: Floats, is_ai: Booleans, out: Path, *, subtitle: str = "", theme: Theme = LIGHT
) -> Path:
    """Draw precision against recall of ``ai``, with the share of AI pictures as the level of chance."""
    from matplotlib.ticker import PercentFormatter

    found, alarms = cumulative(probability, is_ai)
    recall, precision = found[1:] / found[-1], found[1:] / (found[1:] + alarms[1:])
    figure = new_figure(5.4, 4.4, theme)
    axes = figure.add_subplot()
    chance = float(is_ai.mean())
    axes.axhline(chance, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.annotate("chance", (0.01, chance), xytext=(0, 4), textcoords="offset points", color=theme.muted,
                  fontsize=FONT_SIZE - 1)  # fmt: skip
    axes.step(recall, precision, where="pre", color=theme.ai, linewidth=1.8)
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("ai pictures found (recall)")
    axes.set_ylabel("right among those called ai (precision)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    dress(axes, theme, title="Precision and recall", subtitle=subtitle)
    return save(figure, out)


def cumulative(probability: Floats, is_ai: Booleans) -> tuple[Floats, Floats]:
    """AI and human pictures at or above each threshold, from none to all; ties move together."""
    order = np.argsort(-probability, kind="stable")
    falling, ai = probability[order], is_ai[order].astype(np.float64)
    last_of_tie = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    found, alarms = np.cumsum(ai)[last_of_tie], np.cumsum(1 - ai)[last_of_tie]
    return np.append(0.0, found), np.append(0.0, alarms)
