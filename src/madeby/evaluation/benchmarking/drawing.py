"""The plots of a benchmark: who tells what apart, who is right about real pictures, what degradations cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from madeby.evaluation.benchmarking.record import UNCHANGED, Benchmark, DataInfo, Row
from madeby.plots.benchmark import DotSeries, Ends, interval_dots, value_grid
from madeby.plots.style import DARK, LIGHT, Theme

FOLDER = "plots"
AS_THEY_ARE = "as they are"


@dataclass(frozen=True)
class BenchmarkPlot:
    """A plot: its file's name without ending, what it shows in words, its data set, and how it is drawn.

    Grids show one detector after every degradation.
    """

    name: str
    alt: str
    data: str
    draw: Callable[[Path, Theme], object]
    is_grid: bool = False


def plots_of(found: Benchmark) -> Iterator[BenchmarkPlot]:
    """The plots that a benchmark has figures for."""
    for data in found.data:
        rows = [row for row in found.rows if row.data == data.name]
        unchanged = [row for row in rows if row.degradation == UNCHANGED]
        yield from _dots(found, data, unchanged)
        for detector in found.detectors:
            of_detector = [row for row in rows if row.detector == detector.name]
            if len({row.degradation for row in of_detector}) > 1 and any(row.auroc for row in of_detector):
                yield _grid(found, data, detector.name, of_detector)


def draw_all(found: Benchmark, folder: Path) -> list[Path]:
    """Write every plot in both themes, ``NAME.png`` and ``NAME-dark.png``."""
    written = []
    for plot in plots_of(found):
        for theme, path in zip((LIGHT, DARK), files_of(plot, folder), strict=True):
            plot.draw(path, theme)
            written.append(path)
    return written


def files_of(plot: BenchmarkPlot, folder: Path) -> tuple[Path, Path]:
    """Where a plot lies in a benchmark's folder, light and dark."""
    return folder / FOLDER / f"{plot.name}.png", folder / FOLDER / f"{plot.name}-dark.png"


def set_name(row: Row) -> str:
    """A set as plots name it: with how many of each label, and what it is."""
    counts = ", ".join(f"{n:,} {label}" for n, label in ((row.n_human, "human"), (row.n_ai, "ai")) if n)
    return f"{'all pictures' if row.scope == 'all' else row.value} ({counts})"


def _dots(found: Benchmark, data: DataInfo, rows: list[Row]) -> Iterator[BenchmarkPlot]:
    ranked = [row for row in rows if row.auroc is not None and row.scope != "generator"]
    if ranked:
        drawing = partial(
            interval_dots, title=f"Told apart on {data.name}", label="AUROC", chance=0.5,
            subtitle="sets of one label stand beside all of the other",
        )  # fmt: skip
        alt = f"AUROC of each detector on each collection of {data.name}, with 95% intervals."
        yield BenchmarkPlot(f"{_slug(data.name)}-auroc", alt, data.name, _drawer(drawing, found, ranked, "auroc"))
    real = [row for row in rows if row.n_human and row.scope == "collection"]
    real = real or [row for row in rows if row.n_human and row.scope == "all"]
    real = [row for row in real if row.detector not in _baselines(found)]
    if real:
        drawing = partial(
            interval_dots, title=f"Right about real pictures of {data.name}", label="human pictures not called ai",
            subtitle="by each detector's own threshold", percent=True,
        )  # fmt: skip
        alt = f"Share of human pictures of {data.name} not called ai, by collection, with 95% intervals."
        name = f"{_slug(data.name)}-real-accuracy"
        yield BenchmarkPlot(name, alt, data.name, _drawer(drawing, found, real, "real_accuracy"))


def _drawer(
    drawing: Callable[..., object], found: Benchmark, rows: list[Row], figure: str
) -> Callable[[Path, Theme], object]:
    named = _names(rows)
    sets = list(dict.fromkeys(named.values()))
    series = []
    for detector in found.detectors:
        figures: dict[str, Ends] = {}
        for row in rows:
            value = getattr(row, figure)
            if row.detector == detector.name and value is not None:
                figures[named[row.scope, row.value]] = (value.value, value.low, value.high)
        if figures:
            series.append(DotSeries(detector.name, figures, quiet=detector.kind == "baseline"))
    return lambda out, theme: drawing(sets, series, out, theme=theme)


def _names(rows: list[Row]) -> dict[tuple[str, str], str]:
    """Sets by what they are called, with the counts of the detector that read most of them."""
    most: dict[tuple[str, str], Row] = {}
    for row in rows:
        known = most.setdefault((row.scope, row.value), row)
        if row.n_human + row.n_ai > known.n_human + known.n_ai:
            most[row.scope, row.value] = row
    return {key: set_name(row) for key, row in most.items()}


def _grid(found: Benchmark, data: DataInfo, detector: str, rows: list[Row]) -> BenchmarkPlot:
    degradations = [one for one in found.degradations if any(row.degradation == one for row in rows)]
    named = _names(rows)
    values: dict[tuple[str, str, str], float] = {
        (row.scope, row.value, row.degradation): row.auroc.value for row in rows if row.auroc is not None
    }
    cells = [[values.get((*key, one)) for one in degradations] for key in named]
    columns = [one or AS_THEY_ARE for one in degradations]

    def draw(out: Path, theme: Theme) -> object:
        return value_grid(
            list(named.values()), columns, cells, out, title=f"{detector} on {data.name}",
            subtitle="AUROC after each degradation; 0.50 is chance", theme=theme,
        )  # fmt: skip

    alt = f"AUROC of {detector} on each set of {data.name} after each degradation."
    return BenchmarkPlot(f"{_slug(data.name)}-degradations-{_slug(detector)}", alt, data.name, draw, True)


def _baselines(found: Benchmark) -> set[str]:
    return {one.name for one in found.detectors if one.kind == "baseline"}


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
