"""One look for every plot: restrained, safe for colour-blind readers, in a light and a dark variant.

Figures are built on :class:`matplotlib.figure.Figure` and styled by explicit calls; neither pyplot nor the
global rcParams is touched, so that plots can be drawn from several threads and never disturb a notebook.
Human and AI keep their two colours (of the Okabe-Ito palette, chosen to stay apart under all common colour
vision deficiencies) in every plot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 160
FONT_SIZE = 10.0


@dataclass(frozen=True)
class Theme:
    """The colours of one variant, as ``#rrggbb``.

    ``human`` and ``ai`` are the two classes, ``accent`` a third series that is neither; ``ink`` is text,
    ``muted`` secondary text, ``grid`` hairlines, ``surface`` a mat a little apart from ``background``.
    """

    background: str
    surface: str
    ink: str
    muted: str
    grid: str
    human: str
    ai: str
    accent: str


LIGHT = Theme(
    background="#ffffff",
    surface="#f3f4f6",
    ink="#1f2328",
    muted="#656d76",
    grid="#e3e6ea",
    human="#0072b2",
    ai="#d55e00",
    accent="#009e73",
)
DARK = Theme(
    background="#15181c",
    surface="#22262c",
    ink="#e8eaed",
    muted="#9aa2ab",
    grid="#30353c",
    human="#56b4e9",
    ai="#f0883e",
    accent="#2fbf94",
)


def new_figure(width: float, height: float, theme: Theme = LIGHT) -> Figure:
    """An empty figure of ``width`` x ``height`` inches on the theme's background, laid out by itself."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.14)
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=theme.background, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def dress(
    axes: Axes,
    theme: Theme = LIGHT,
    *,
    title: str = "",
    subtitle: str = "",
    grid: Literal["x", "y", "both", ""] = "both",
) -> None:
    """Give axes the house look.

    Args:
        axes: what to style; call after plotting, so that labels and legend exist.
        theme: the colours.
        title: what the plot shows, in bold at the left; ``subtitle`` below it in muted ink.
        subtitle: the data or the figure to remember.
        grid: which hairlines to draw: ``x``, ``y``, ``both`` or empty for none.
    """
    axes.set_facecolor(theme.background)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(theme.muted)
        axes.spines[side].set_linewidth(0.8)
    axes.tick_params(colors=theme.muted, labelcolor=theme.ink, labelsize=FONT_SIZE - 1, length=3, width=0.8)
    axes.tick_params(which="minor", colors=theme.muted, length=2, width=0.6)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(theme.ink)
        label.set_fontsize(FONT_SIZE)
    axes.grid(visible=False)
    if grid:
        axes.grid(visible=True, axis=grid, color=theme.grid, linewidth=0.8)
    _head(axes, theme, title, subtitle)


def add_legend(axes: Axes, theme: Theme = LIGHT, **placement: Any) -> None:
    """A legend without a frame's weight, in the theme's ink; ``placement`` as for ``Axes.legend``."""
    legend = axes.legend(fontsize=FONT_SIZE - 1, labelcolor=theme.ink, handlelength=1.6, **placement)
    frame = legend.get_frame()
    frame.set_facecolor(theme.background)
    frame.set_edgecolor("none")
    frame.set_alpha(0.85)


def save(figure: Figure, out: Path) -> Path:
    """Write the figure as PNG, making its folder; returns ``out``."""
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, format="png", dpi=DOTS_PER_INCH, facecolor=figure.get_facecolor())
    return out


def _head(axes: Axes, theme: Theme, title: str, subtitle: str) -> None:
    """Title and subtitle as one block above the axes, flush with the left spine."""
    if subtitle:
        words = axes.annotate(
            subtitle,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, 7),
            textcoords="offset points",
            color=theme.muted,
            fontsize=FONT_SIZE - 0.5,
            va="bottom",
        )
        words.set_in_layout(False)  # a long line must not squeeze the axes
    if title:
        axes.set_title(
            title,
            loc="left",
            color=theme.ink,
            fontsize=FONT_SIZE + 2,
            fontweight="bold",
            pad=24 if subtitle else 10,
        )
