"""What came of a study, written where people look: the table, the best recipe, the plots."""

from __future__ import annotations

import csv
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from madeby.datasets.atomic import written_atomically
from madeby.plots.tuning import Trace, importance_bars, parallel_coordinates, tuning_history
from madeby.training.recipe_files import save_recipe
from madeby.training.tuning.records import State, TrialRow, Tuning
from madeby.training.tuning.space import Choices, recipe_of
from madeby.training.tuning.study import FIGURES, FOLDER, PLACE, PROBLEM, Study, parameters_of
from madeby.training.tuning.trial import Material

TUNING_FILE, TABLE_FILE, BEST_FILE = "tuning.json", "trials.csv", "best.yaml"
STATES: dict[TrialState, State] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
LEAST_FOR_IMPORTANCE = 4
"""Complete trials below which nothing is said about the fields' importance."""


def outcome_of(study: Study, count: int) -> Tuning:
    """The study as it stands."""
    rows = tuple(row_of(trial, study) for trial in study.trials()[:count])
    return Tuning(study=study.name, plan=study.plan, target=count, trials=rows, importance=_importance(study))


def row_of(trial: FrozenTrial, study: Study) -> TrialRow:
    """One trial's row."""
    kept = trial.user_attrs
    return TrialRow(
        number=trial.number,
        state=STATES[trial.state],
        parameters=parameters_of(trial, study.plan),
        place=str(kept[PLACE]).partition(":")[0] if PLACE in kept else None,
        folder=kept.get(FOLDER),
        problem=kept.get(PROBLEM),
        **kept.get(FIGURES, {}),
    )


def write_outcome(tuning: Tuning, folder: Path, material: Material) -> list[Path]:
    """Write ``tuning.json``, ``trials.csv`` and, once there is one, ``best.yaml``; returns the files."""
    written = [folder / TUNING_FILE, folder / TABLE_FILE]
    with written_atomically(written[0]) as path:
        path.write_text(tuning.to_json() + "\n", encoding="utf-8")
    with written_atomically(written[1]) as path:
        _write_table(tuning, path)
    if best := tuning.best:
        written.append(folder / BEST_FILE)
        with written_atomically(written[-1]) as path:
            save_recipe(recipe_of(best.parameters, material.recipe, material.overrides), path)
            said = f"# Trial {best.number} of the study {tuning.study}: {tuning.plan.monitor} {best.value:.6g}.\n"
            path.write_text(said + path.read_text(encoding="utf-8"), encoding="utf-8")
    return written


def draw_outcome(tuning: Tuning, folder: Path) -> list[Path]:
    """Draw history, parallel coordinates and importance, as far as there is something to draw; returns the files."""
    traces = traces_of(tuning)
    if not traces:
        return []
    monitor, lower = tuning.plan.monitor, tuning.plan.mode == "min"
    logarithmic = {
        name for name, one in tuning.plan.space.dimensions.items() if not isinstance(one, Choices) and one.log
    }
    drawn = [
        tuning_history(traces, folder / "history.png", figure=monitor, lower_is_better=lower),
        parallel_coordinates(
            traces, folder / "parallel.png", figure=monitor, lower_is_better=lower, logarithmic=logarithmic
        ),
    ]
    if tuning.importance:
        drawn.append(importance_bars(tuning.importance, folder / "importance.png", figure=monitor))
    return drawn


def traces_of(tuning: Tuning) -> list[Trace]:
    """What the plots show: the trials that have a figure."""
    return [
        Trace(row.number, dict(row.parameters), row.value, row.state == "pruned")
        for row in tuning.trials
        if row.value is not None and row.state in {"complete", "pruned"}
    ]


def _write_table(tuning: Tuning, path: Path) -> None:
    figures = ("value", "best_epoch", "epochs", "val_loss", "val_accuracy", "val_auroc", "seconds")
    names = tuple(tuning.plan.space.dimensions)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("trial", "state", *names, *figures, "place", "folder", "problem"))
        for row in tuning.trials:
            values = [row.parameters.get(name) for name in names]
            measured = [getattr(row, name) for name in figures]
            writer.writerow((row.number, row.state, *values, *measured, row.place, row.folder, row.problem))


def _importance(study: Study) -> dict[str, float]:
    complete = [trial for trial in study.trials() if trial.state == TrialState.COMPLETE]
    if len(complete) < LEAST_FOR_IMPORTANCE or len({trial.value for trial in complete}) < 2:
        return {}
    if len(study.plan.space.dimensions) == 1:
        return dict.fromkeys(study.plan.space.dimensions, 1.0)
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    shares = optuna.importance.get_param_importances(study.study, evaluator=evaluator)
    return {name: round(float(share), 4) for name, share in shares.items()}
