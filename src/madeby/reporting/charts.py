"""The plots of a report, each in a light and a dark variant, small enough to stand in the page itself."""

from __future__ import annotations

import base64
import io
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.evaluation.metrics import Metrics
from madeby.plots.confusion import confusion_matrix
from madeby.plots.curves import COLUMNS, Title, training_curve
from madeby.plots.overlay import Curve, Scores, epoch_overlay, roc_overlay
from madeby.plots.probability import reliability_diagram, score_histogram
from madeby.plots.ranking import precision_recall_curve, roc_curve
from madeby.plots.style import DARK, LIGHT, Theme
from madeby.plots.tuning import importance_bars, parallel_coordinates, tuning_history
from madeby.reporting.material import Measured, RunMaterial
from madeby.reporting.words import with_interval
from madeby.training.run import RunFolder, best_of
from madeby.training.tuning.outcome import traces_of
from madeby.training.tuning.records import Tuning

COLOURS = 96
MOST_SIDE = 1500
Draw = Callable[[Path, Theme], object]
Scored = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Chart:
    """A plot as PNG in both themes, the dark one drawn when it is asked for; ``alt`` says what it shows.

    Width and height are those of the light one.
    """

    alt: str
    light: bytes
    width: int
    height: int
    draw_dark: Callable[[], bytes]

    @property
    def light_uri(self) -> str:
        """The light variant as a data URI."""
        return data_uri(self.light)

    @property
    def dark_uri(self) -> str:
        """The dark variant as a data URI."""
        return data_uri(self.draw_dark())


def data_uri(data: bytes) -> str:
    """A picture's bytes as an address that needs no file; PNG or JPEG by their first bytes."""
    kind = "jpeg" if data[:2] == b"\xff\xd8" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def chart(draw: Draw, alt: str) -> Chart:
    """Draw; ``draw`` writes a PNG to the path it is given."""

    def drawn(theme: Theme) -> bytes:
        with tempfile.TemporaryDirectory(prefix="madeby-") as folder:
            out = Path(folder) / "plot.png"
            draw(out, theme)
            return compact(out.read_bytes())

    light = drawn(LIGHT)
    with Image.open(io.BytesIO(light)) as picture:
        width, height = picture.size
    return Chart(alt, light, width, height, lambda: drawn(DARK))


def drawn_chart(light: Path, dark: Path, alt: str) -> Chart:
    """A plot that lies in files, one for each theme."""
    data = compact(light.read_bytes())
    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
    return Chart(alt, data, width, height, lambda: compact(dark.read_bytes()))


def compact(png: bytes) -> bytes:
    """A plot with the few colours it needs."""
    with Image.open(io.BytesIO(png)) as drawn:
        drawn.thumbnail((MOST_SIDE, 4 * MOST_SIDE), Image.Resampling.LANCZOS)
        few = drawn.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def photograph(data: bytes, side: int = MOST_SIDE) -> bytes:
    """A sheet of pictures as JPEG of at most ``side`` pixels width."""
    with Image.open(io.BytesIO(data)) as sheet:
        shown = sheet.convert("RGB")
    shown.thumbnail((side, 3 * side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue()


def training_charts(run: RunMaterial) -> list[Chart]:
    """Loss and accuracy by epoch."""
    if not run.epochs:
        return []
    best = best_of(run.epochs, run.recipe).epoch
    metrics = RunFolder(run.folder).metrics

    def drawing(name: Title) -> Draw:
        return lambda out, theme: training_curve(metrics, name, out, best_epoch=best, theme=theme)

    return [
        chart(
            drawing(name),
            f"{name} by epoch of {run.name}, training and validation; the best epoch is {best}.",
        )
        for name in COLUMNS
    ]


def result_charts(measured: Measured) -> dict[str, Chart]:
    """Confusion, ROC, precision-recall, reliability and scores, as far as they can be drawn."""
    metrics = measured.metrics
    charts = {
        "confusion": chart(
            lambda out, theme: confusion_matrix(
                metrics.confusion, out, subtitle=_said(metrics, "accuracy"), theme=theme
            ),
            f"Confusion matrix, called human and ai: {metrics.confusion[0]} of human, {metrics.confusion[1]} of ai.",
        )
    }
    if measured.predictions.is_empty():
        return charts
    probability, is_ai = scores_of(measured)
    abstention = metrics.abstention
    charts["reliability"] = chart(
        lambda out, theme: reliability_diagram(probability, is_ai, out, subtitle=_said(metrics, "ece"), theme=theme),
        f"Reliability diagram: the share that is ai against the probability given; {_said(metrics, 'ece')}.",
    )
    charts["scores"] = chart(
        lambda out, theme: score_histogram(
            probability,
            is_ai,
            out,
            threshold_human=abstention.threshold_human,
            threshold_ai=abstention.threshold_ai,
            theme=theme,
        ),
        "Histogram of P(ai) among human and AI pictures, with the thresholds of the verdict.",
    )
    if metrics.n_human and metrics.n_ai:
        charts["roc"] = chart(
            lambda out, theme: roc_curve(probability, is_ai, out, subtitle=_said(metrics, "auroc"), theme=theme),
            f"ROC curve; {_said(metrics, 'auroc')}.",
        )
        charts["precision_recall"] = chart(
            lambda out, theme: precision_recall_curve(
                probability, is_ai, out, subtitle=_said(metrics, "average_precision"), theme=theme
            ),
            f"Precision against recall of ai; {_said(metrics, 'average_precision')}.",
        )
    return charts


def roc_of(measured: Measured) -> Chart | None:
    """The ROC curve alone, its false alarms on a logarithmic scale; None where it is not defined."""
    if measured.predictions.is_empty() or measured.metrics.auroc is None:
        return None
    scores = Scores(measured.data, *scores_of(measured))
    said = f"area under the curve {with_interval(measured.metrics, 'auroc')}"
    return chart(lambda out, theme: roc_overlay([scores], out, subtitle=said, theme=theme), f"ROC curve; {said}.")


def tuning_charts(tuning: Tuning) -> list[Chart]:
    """History, configurations and importance of a study."""
    traces = traces_of(tuning)
    if not traces:
        return []
    figure, lower = tuning.plan.monitor, tuning.plan.mode == "min"
    charts = [
        chart(
            lambda out, theme: tuning_history(traces, out, figure=figure, lower_is_better=lower, theme=theme),
            f"{figure} of each trial in order, and the best so far.",
        ),
        chart(
            lambda out, theme: parallel_coordinates(traces, out, figure=figure, lower_is_better=lower, theme=theme),
            f"Each trial as a line over its values and its {figure}.",
        ),
    ]
    if tuning.importance:
        charts.append(
            chart(
                lambda out, theme: importance_bars(tuning.importance, out, figure=figure, theme=theme),
                f"Share of each field in the differences of {figure}.",
            )
        )
    return charts


def comparison_charts(runs: Sequence[RunMaterial]) -> list[Chart]:
    """ROC curves and validation AUROC by epoch of all runs over each other."""
    scores = [
        Scores(run.name, *scores_of(run.main))
        for run in runs
        if run.main and not run.main.predictions.is_empty() and run.main.metrics.auroc is not None
    ]
    charts = []
    if len(scores) > 1:
        different = len({run.main.pictures for run in runs if run.main}) > 1
        note = "measured on different pictures" if different else "measured on the same pictures"
        charts.append(
            chart(
                lambda out, theme: roc_overlay(scores, out, subtitle=note, theme=theme),
                f"ROC curves of the runs, {note}.",
            )
        )
    curves = [
        Curve(run.name, [row.epoch for row in run.epochs], [row.val_auroc for row in run.epochs])
        for run in runs
        if any(math.isfinite(row.val_auroc) for row in run.epochs)
    ]
    if len(curves) > 1:
        charts.append(
            chart(
                lambda out, theme: epoch_overlay(curves, out, figure_name="validation AUROC", theme=theme),
                "Validation AUROC by epoch of the runs.",
            )
        )
    return charts


def scores_of(measured: Measured) -> Scored:
    """Probabilities and whether each picture is AI."""
    table = measured.predictions
    return table["probability"].to_numpy(), (table["label"] == "ai").to_numpy()


def _said(metrics: Metrics, name: str) -> str:
    words = {"accuracy": "accuracy", "ece": "calibration error", "auroc": "area under the curve"}
    return f"{words.get(name, name.replace('_', ' '))} {with_interval(metrics, name)}"
