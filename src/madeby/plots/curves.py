"""Training curves: loss and accuracy by epoch."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from madeby.errors import DataError
from madeby.plots.style import LIGHT, Theme, add_legend, dress, new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Title = Literal["Loss", "Accuracy"]
COLUMNS: dict[Title, tuple[str, ...]] = {
    "Loss": ("train_loss", "val_loss"),
    "Accuracy": ("train_accuracy", "val_accuracy", "val_auroc"),
}
NAMES = {
    "train_loss": "training",
    "val_loss": "validation",
    "train_accuracy": "training accuracy",
    "val_accuracy": "validation accuracy",
    "val_auroc": "validation AUROC",
}


def training_curves(
    metrics_csv: Path, folder: Path, *, best_epoch: float | None = None, theme: Theme = LIGHT
) -> list[Path]:
    """Draw ``loss.png`` and ``accuracy.png`` from a run's figures by epoch.

    Args:
        metrics_csv: a table with ``epoch`` and any of ``train_loss``, ``train_accuracy``, ``val_loss``,
            ``val_accuracy``, ``val_auroc``; empty or unparsable cells are gaps.
        folder: where the plots go.
        best_epoch: the epoch whose weights were kept, to be marked.
        theme: the colours.

    Returns:
        The files written.

    Raises:
        DataError: the table is missing, or has no epochs.
    """
    return [
        training_curve(metrics_csv, title, folder / f"{title.lower()}.png", best_epoch=best_epoch, theme=theme)
        for title in COLUMNS
    ]


def training_curve(
    metrics_csv: Path, title: Title, out: Path, *, best_epoch: float | None = None, theme: Theme = LIGHT
) -> Path:
    """Draw one of the plots of :func:`training_curves`, whose arguments and errors these are."""
    epochs, series = read_metrics(metrics_csv)
    chosen = {column: series[column] for column in COLUMNS[title]}
    return save(_curves(epochs, chosen, best_epoch, title=title, theme=theme), out)


def read_metrics(metrics_csv: Path) -> tuple[list[float], dict[str, list[float]]]:
    """Epochs and the figures of each known column, NaN where a cell holds no number.

    Rows of the same epoch are merged, the last number winning, since loggers write training and validation
    figures as rows of their own.

    Raises:
        DataError: the table is missing, or has no epochs.
    """
    if not metrics_csv.is_file():
        raise DataError(f"{metrics_csv} does not exist: it is written by training, one row an epoch")
    by_epoch: dict[float, dict[str, float]] = {}
    with metrics_csv.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch = _number(row.get("epoch"))
            if math.isnan(epoch):
                continue
            figures = by_epoch.setdefault(epoch, dict.fromkeys(NAMES, math.nan))
            for column in NAMES:
                value = _number(row.get(column))
                if not math.isnan(value):
                    figures[column] = value
    if not by_epoch:
        raise DataError(f"{metrics_csv} has no epochs to draw: it needs a column 'epoch' and one row an epoch")
    epochs = sorted(by_epoch)
    return epochs, {column: [by_epoch[epoch][column] for epoch in epochs] for column in NAMES}


def _number(cell: str | None) -> float:
    try:
        value = float(cell or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _curves(
    epochs: list[float], series: dict[str, list[float]], best: float | None, *, title: str, theme: Theme
) -> Figure:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = new_figure(6.4, 4.0, theme)
    axes = figure.add_subplot()
    notes = []
    marker = "o" if len(epochs) <= 40 else ""
    for column, values in series.items():
        points = [(e, v) for e, v in zip(epochs, values, strict=True) if not math.isnan(v)]
        if not points:
            continue
        name = NAMES[column]
        colour = theme.muted if column.startswith("train") else theme.accent
        dashes = "--" if column == "val_auroc" else "-"
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, dashes, color=colour, label=name, linewidth=1.8, marker=marker, markersize=3.2)
        at_best = dict(points).get(best) if best is not None else None
        if best is not None and at_best is not None:
            axes.plot(best, at_best, "o", color=colour, markersize=7, markeredgecolor=theme.background, zorder=5)
            notes.append(f"{name.removesuffix(' accuracy')} {at_best:.4f}")
    if best is not None:
        axes.axvline(best, color=theme.muted, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if title == "Accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    subtitle = f"best epoch {best:g}: " + ", ".join(notes) if notes else ""
    dress(axes, theme, title=title, subtitle=subtitle, grid="y")
    if axes.get_legend_handles_labels()[0]:
        add_legend(axes, theme, loc="best")
    else:
        axes.text(0.5, 0.5, "not recorded", color=theme.muted, ha="center", transform=axes.transAxes)
    return figure
