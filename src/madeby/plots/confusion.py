"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from madeby.plots.style import FONT_SIZE, LIGHT, Theme, dress, new_figure, save

LABELS = ("human", "ai")


def confusion_matrix(counts: Sequence[Sequence[int]], out: Path, *, subtitle: str = "", theme: Theme = LIGHT) -> Path:
    """Draw counts and shares of each row, rows true human and ai, columns predicted human and ai."""
    from matplotlib.colors import LinearSegmentedColormap

    matrix = np.asarray(counts, float)
    totals = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros_like(matrix), where=totals > 0)
    figure = new_figure(4.6, 4.4, theme)
    axes = figure.add_subplot()
    shade = LinearSegmentedColormap.from_list("shade", [theme.background, theme.accent])
    axes.imshow(shares, cmap=shade, vmin=0, vmax=1.15)
    for row in range(2):
        for column in range(2):
            axes.text(column, row - 0.06, f"{matrix[row, column]:,.0f}", ha="center", va="center",
                      color=theme.ink, fontsize=FONT_SIZE + 5, fontweight="bold")  # fmt: skip
            axes.text(column, row + 0.17, f"{shares[row, column]:.1%}", ha="center", va="center",
                      color=theme.ink, fontsize=FONT_SIZE)  # fmt: skip
    axes.set_xticks([0, 1], LABELS)
    axes.set_yticks([0, 1], LABELS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    dress(axes, theme, title="Confusion matrix", subtitle=subtitle, grid="")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    return save(figure, out)
