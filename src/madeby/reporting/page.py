"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madeby.errors import MadebyError
from madeby.evaluation.analysis.record import Plot
from madeby.evaluation.metrics import Figures
from madeby.networks.summary import NetworkSummary, network_summary
from madeby.reporting import words
from madeby.reporting.charts import (
    Chart,
    compact,
    comparison_charts,
    data_uri,
    photograph,
    result_charts,
    training_charts,
    tuning_charts,
)
from madeby.reporting.gallery import Gallery, galleries
from madeby.reporting.judging.comparison import judge_pairs
from madeby.reporting.judging.conclusions import (
    elsewhere,
    is_robustness_known,
    learnt,
    limits,
    next_steps,
    robustness,
)
from madeby.reporting.judging.data import judge_audit, judge_data
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.judging.results import (
    headline,
    judge_calibration,
    judge_groups,
    judge_results,
    judge_verdicts,
)
from madeby.reporting.judging.training import judge_training, judge_tuning, network_words
from madeby.reporting.material import Measured, Placed, RunMaterial
from madeby.reporting.rendering import render
from madeby.training.environment import shareable

TABLED = (
    *("accuracy", "balanced_accuracy", "auroc", "average_precision", "tpr_at_fpr_1", "tpr_at_fpr_5"),
    *("precision_ai", "recall_ai", "f1_ai", "ece", "brier", "nll"),
)
SHORT = ("accuracy", "auroc", "tpr_at_fpr_1", "ece")
GROUP_COLUMNS = ("generator", "collection", "cifar_class", "kind")
MOST_COLUMNS, MOST_GROUPS = 3, 14


@dataclass(frozen=True)
class GroupTable:
    """Figures by the values of one column, the weakest first."""

    column: str
    figure: str
    rows: tuple[tuple[str, Figures], ...]
    more: int

    @property
    def scale(self) -> float:
        """Where the scale of its intervals begins."""
        ends = [figures.intervals[self.figure] for _, figures in self.rows]
        least = min((one[0] for one in ends if one), default=0.4)
        if least >= 0.75:
            return math.floor(20 * least - 0.4) / 20
        return 0.4 if self.figure == "auroc" else 0.0


@dataclass(frozen=True)
class Embedded:
    """A picture file of an analysis, inside the page."""

    title: str
    alt: str
    uri: str


@dataclass(frozen=True)
class RunChapter:
    """What the template says of one run, in its order."""

    run: RunMaterial
    anchor: str
    learnt: Sequence[Judgement]
    data: Sequence[Judgement]
    audits: Sequence[tuple[Placed[Any], Sequence[Judgement]]]
    network: str
    layers: NetworkSummary | None
    training: Sequence[Judgement]
    training_charts: Sequence[Chart]
    tunings: Sequence[tuple[Placed[Any], Sequence[Judgement], Sequence[Chart]]]
    results: Sequence[Judgement]
    charts: dict[str, Chart]
    groups: Sequence[GroupTable]
    group_judgements: Sequence[Judgement]
    calibration: Sequence[Judgement]
    verdicts: Sequence[Judgement]
    elsewhere: Sequence[tuple[Measured, Judgement]]
    analyses: Sequence[tuple[Placed[Any], Sequence[Embedded], Sequence[Embedded]]]
    galleries: Sequence[Gallery]
    limits: Sequence[Judgement]
    next_steps: Sequence[str]
    commands: Sequence[str]


def render_page(runs: Sequence[RunMaterial], command: str) -> str:
    """The page about one run, or several side by side."""
    chapters = [_chapter(run, number) for number, run in enumerate(runs)]
    return render(
        "report.html",
        title=" and ".join([", ".join(run.name for run in runs[:-1]), runs[-1].name])
        if len(runs) > 1
        else runs[0].name,
        runs=runs,
        chapters=chapters,
        pairs=judge_pairs(runs),
        comparison=comparison_charts(runs) if len(runs) > 1 else [],
        one_data=len({run.main.pictures for run in runs if run.main}) == 1,
        tabled=[(name, words.NAMES[name]) for name in TABLED],
        short=[(name, words.NAMES[name]) for name in SHORT],
        command=command,
        headline=headline,
        robustness=robustness,
        is_robustness_known=is_robustness_known,
    )


def _chapter(run: RunMaterial, number: int) -> RunChapter:
    main = run.main
    return RunChapter(
        run=run,
        anchor=f"run{number}",
        learnt=learnt(run),
        data=judge_data(run),
        audits=[(audit, judge_audit(audit, run)) for audit in run.audits],
        network=network_words(run),
        layers=_layers(run),
        training=judge_training(run),
        training_charts=training_charts(run),
        tunings=[(one, judge_tuning(one, run), tuning_charts(one.record)) for one in run.tunings],
        results=judge_results(main, run) if main else (),
        charts=result_charts(main) if main else {},
        groups=_groups(main) if main else (),
        group_judgements=judge_groups(main) if main else (),
        calibration=judge_calibration(main, run) if main else (),
        verdicts=judge_verdicts(main, run) if main else (),
        elsewhere=[(one, elsewhere(run, one)) for one in run.elsewhere],
        analyses=[
            (one, _embedded(one, one.record.plots, False), _embedded(one, one.record.galleries, True))
            for one in run.analyses
        ],
        galleries=galleries(main) if main else (),
        limits=limits(run),
        next_steps=next_steps(run),
        commands=commands(run),
    )


def commands(run: RunMaterial) -> list[str]:
    """What to type to repeat everything, as far as it is known."""
    told = []
    data = run.data.name if run.data else "MANIFEST"
    name = run.folder.name
    if run.audits:
        told.append(f"madeby data audit {shlex.quote(Path(run.audits[0].record.manifest).name)} --json audit.json")
    if run.environment and run.environment.command:
        told.append(shareable(run.environment.command))
    else:
        told.append(
            f"madeby train --data {shlex.quote(data)} --recipe {shlex.quote(name)}/config.yaml -o {shlex.quote(name)}"
        )
    for measured in run.evaluations:
        metrics = measured.metrics
        options = f"{f' --seed {metrics.seed}' if metrics.seed else ''}{' --flips' if metrics.flips else ''}"
        options += "".join(f" --degrade {step}" for step in metrics.degradation.split(",") if step)
        told.append(
            f"madeby evaluate {shlex.quote(name)} --data {shlex.quote(metrics.data)} --split {metrics.split} "
            f"--bootstrap {metrics.bootstrap}{options} -o {shlex.quote(measured.folder.name)}"
        )
    told += [shareable(one.record.command) for one in run.analyses if one.record.command]
    return told


def _layers(run: RunMaterial) -> NetworkSummary | None:
    """The network taken apart; None where that needs what is not here."""
    recipe = run.recipe
    options = {**recipe.network_options, **({"weights": "none"} if "weights" in recipe.network_options else {})}
    try:
        return network_summary(recipe.network, options, recipe.size)
    except MadebyError:
        return None


def _groups(measured: Measured) -> list[GroupTable]:
    named = measured.metrics.by
    columns = [name for name in (*GROUP_COLUMNS, *named) if len(named.get(name, {})) > 1]
    tables = []
    for column in list(dict.fromkeys(columns))[:MOST_COLUMNS]:
        rows = list(named[column].items())
        figure = "auroc" if any(figures.auroc is not None for _, figures in rows) else "accuracy"
        rows.sort(key=lambda item: _weakest_first(item[0], getattr(item[1], figure)))
        more = max(0, len(rows) - MOST_GROUPS)
        tables.append(GroupTable(column.replace("_", " "), figure, tuple(rows[:MOST_GROUPS]), more))
    return tables


def _weakest_first(name: str, value: float | None) -> tuple[bool, float, str]:
    return value is None, value or 0.0, name


def _embedded(placed: Placed[Any], plots: Sequence[Plot], photographs: bool) -> list[Embedded]:
    shown = []
    for plot in plots:
        file = placed.path / plot.file
        try:
            data = photograph(file.read_bytes(), 1200) if photographs else compact(file.read_bytes())
        except OSError:  # gone, or no picture any more
            continue
        shown.append(Embedded(plot.title, plot.shows, data_uri(data)))
    return shown
