"""A benchmark as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madeby.datasets.atomic import written_atomically
from madeby.evaluation.benchmarking.drawing import AS_THEY_ARE, files_of, plots_of, set_name
from madeby.evaluation.benchmarking.record import PAGE_FILE, UNCHANGED, Benchmark, DataInfo, DetectorInfo, Row
from madeby.reporting.charts import Chart, drawn_chart
from madeby.reporting.judging.benchmark import judge_data_set, judge_failures
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.rendering import render


@dataclass(frozen=True)
class SetBlock:
    """One set of pictures and what each detector reached on it, as it is."""

    name: str
    value: str
    beside: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Ladder:
    """One detector after every degradation: for each set its name and a row a degradation, None where it has none."""

    detector: str
    degradations: tuple[str, ...]
    sets: tuple[tuple[str, tuple[Row | None, ...]], ...]


@dataclass(frozen=True)
class Chapter:
    """What the page says of one data set, in its order."""

    data: DataInfo
    anchor: str
    judgements: Sequence[Judgement]
    charts: Sequence[Chart]
    collections: Sequence[SetBlock]
    generators: Sequence[SetBlock]
    ladders: Sequence[Ladder]


def write_benchmark_page(found: Benchmark, folder: Path) -> Path:
    """Write ``benchmark.html`` into a benchmark's folder, where its plots lie.

    Raises:
        DataError: it cannot be written there.
    """
    page = folder / PAGE_FILE
    with written_atomically(page) as temporary:
        temporary.write_text(render_benchmark(found, folder), encoding="utf-8")
    return page


def render_benchmark(found: Benchmark, folder: Path) -> str:
    """The page: detectors, then each data set by collection, generator and degradation; its plots lie in the folder."""
    return render(
        "benchmark.html",
        found=found,
        title=f"Benchmark on {' and '.join(one.name for one in found.data)}",
        failures=judge_failures(found),
        chapters=[_chapter(found, data, number, folder) for number, data in enumerate(found.data)],
        has_baselines=any(one.kind == "baseline" for one in found.detectors),
        as_they_are=AS_THEY_ARE,
        shade=shade,
    )


def shade(row: Row | None) -> str:
    """How strongly a cell is coloured: the AUROC's distance from chance in percent of the way, as CSS wants it."""
    if row is None or row.auroc is None:
        return ""
    distance = row.auroc.value - 0.5
    colour = "--accent" if distance >= 0 else "--ai"
    return f"background: color-mix(in srgb, var({colour}) {round(min(1.0, 2 * abs(distance)) * 42)}%, transparent)"


def _chapter(found: Benchmark, data: DataInfo, number: int, folder: Path) -> Chapter:
    rows = [row for row in found.rows if row.data == data.name]
    plots = [plot for plot in plots_of(found) if plot.data == data.name and not plot.is_grid]
    return Chapter(
        data=data,
        anchor=f"data{number}",
        judgements=judge_data_set(found, data),
        charts=[drawn_chart(*files_of(plot, folder), plot.alt) for plot in plots],
        collections=_blocks(rows, ("all", "collection")),
        generators=_blocks(rows, ("generator",)),
        ladders=[ladder for one in found.detectors if (ladder := _ladder(found, one, rows)) is not None],
    )


def _blocks(rows: Sequence[Row], scopes: tuple[str, ...]) -> list[SetBlock]:
    blocks: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.scope in scopes and row.degradation == UNCHANGED:
            blocks.setdefault((row.scope, row.value), []).append(row)
    return [
        SetBlock(set_name(max(block, key=_size)), value, block[0].beside, tuple(block))
        for (_, value), block in blocks.items()
    ]


def _ladder(found: Benchmark, detector: DetectorInfo, rows: Sequence[Row]) -> Ladder | None:
    own = [row for row in rows if row.detector == detector.name]
    degradations = [one for one in found.degradations if any(row.degradation == one for row in own)]
    if len(degradations) < 2:
        return None
    sets: dict[tuple[str, str], dict[str, Row]] = {}
    for row in own:
        sets.setdefault((row.scope, row.value), {})[row.degradation] = row
    named = [
        (set_name(max(given.values(), key=_size)), tuple(given.get(one) for one in degradations))
        for given in sets.values()
    ]
    return Ladder(detector.name, tuple(degradations), tuple(named))


def _size(row: Row) -> int:
    return row.n_human + row.n_ai
