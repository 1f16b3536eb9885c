"""One trial: a training like any other, told to the study epoch by epoch, and ended early where it is hopeless."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.trial import TrialState

from madeby.errors import MadebyError, RecipeError
from madeby.training.fit import train
from madeby.training.progress import Progress, Silent
from madeby.training.recipe import Recipe
from madeby.training.recipe_files import load_recipe
from madeby.training.run import EpochFigures, RunFolder, best_of
from madeby.training.tuning.records import TrialRow
from madeby.training.tuning.space import Parameters, recipe_of
from madeby.training.tuning.study import FIGURES, FOLDER, GIVEN_UP, PROBLEM, Study

HEARTBEAT_SECONDS = 30.0


class TuningProgress(Progress, Protocol):
    """What a study tells whoever watches, besides what its trainings tell."""

    def trial_begins(self, number: int, count: int, parameters: Parameters, resumed: bool) -> None:
        """Trial ``number``, from 0, of ``count`` starts, or goes on where it was interrupted."""

    def trial_ends(self, row: TrialRow) -> None:
        """A trial is over."""


class SilentTuning(Silent):
    """Watches and says nothing."""

    def trial_begins(self, number: int, count: int, parameters: Parameters, resumed: bool) -> None:
        """Nothing."""

    def trial_ends(self, row: TrialRow) -> None:
        """Nothing."""


class TakenOverError(Exception):
    """Another machine took the trial over: this one was not heard of for too long."""


@dataclass(frozen=True)
class Material:
    """What every trial of a worker trains on."""

    data: Path
    cache: Path
    recipe: str | None
    overrides: dict[str, Any]


def run_trial(
    study: Study, trial: optuna.trial.Trial, material: Material, count: int, progress: TuningProgress
) -> None:
    """Train one configuration and enter how it ended. What fails is entered as failed, and the study goes on."""
    folder = study.folder / "trials" / str(trial.number)
    study.note(trial.number, FOLDER, str(folder.resolve()))
    try:
        recipe = recipe_of(trial.params, material.recipe, material.overrides)
        run = RunFolder(folder)
        resumed = _can_go_on(run, recipe)
        progress.trial_begins(trial.number, count, dict(trial.params), resumed)
        if not run.finished:
            train(
                material.data,
                folder,
                overrides=None if resumed else recipe.model_dump(mode="json"),
                resume=resumed,
                cache=material.cache,
                progress=Watcher(study, trial, recipe, progress),
            )
    except TakenOverError:
        return
    except (MadebyError, RuntimeError, MemoryError) as error:  # torch says out of memory by RuntimeError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        study.note(trial.number, PROBLEM, reason)
        study.end(trial, TrialState.FAIL)
        return
    rows = run.read_metrics()
    study.note(trial.number, FIGURES, figures_of(rows, recipe, run))
    if study.trial(trial.number).user_attrs.get(GIVEN_UP) == len(rows):
        study.end(trial, TrialState.PRUNED)
    else:
        study.end(trial, TrialState.COMPLETE, getattr(best_of(rows, recipe), recipe.monitor))


def figures_of(rows: list[EpochFigures], recipe: Recipe, run: RunFolder) -> dict[str, float]:
    """What the table says of a run: its best epoch's figures, how many epochs it had and how long it took."""
    best = best_of(rows, recipe)
    seconds = run.read_json(run.summary).get("seconds", 0.0)
    return {
        "value": getattr(best, recipe.monitor),
        "best_epoch": best.epoch,
        "epochs": len(rows),
        "val_loss": best.val_loss,
        "val_accuracy": best.val_accuracy,
        "val_auroc": best.val_auroc,
        "seconds": round(float(seconds), 1),
    }


class Watcher:
    """Stands between a training and the study: reports each epoch, and says when to stop."""

    def __init__(self, study: Study, trial: optuna.trial.Trial, recipe: Recipe, progress: TuningProgress) -> None:
        self._study, self._trial, self._recipe, self._progress = study, trial, recipe, progress
        self._heard = time.monotonic()

    def stage(self, name: str, done: int, count: int) -> None:
        """Pass on, and be heard of."""
        self._beat()
        self._progress.stage(name, done, count)

    def batch(self, epoch: int, epochs: int, done: int, count: int) -> None:
        """Pass on, and be heard of."""
        self._beat()
        self._progress.batch(epoch, epochs, done, count)

    def epoch(self, figures: EpochFigures, best: bool) -> bool:
        """Report the monitored figure; True where the pruner gives the trial up."""
        self._progress.epoch(figures, best)
        value = getattr(figures, self._recipe.monitor)
        reported = self._study.trial(self._trial.number).intermediate_values
        if math.isfinite(value) and figures.epoch not in reported:  # a resumed run repeats an epoch
            self._trial.report(value, figures.epoch)
        if figures.epoch >= self._recipe.epochs or not self._trial.should_prune():
            return False
        self._study.note(self._trial.number, GIVEN_UP, figures.epoch)
        return True

    def _beat(self) -> None:
        if time.monotonic() - self._heard < HEARTBEAT_SECONDS:
            return
        self._heard = time.monotonic()
        if not self._study.still_mine(self._trial.number):
            raise TakenOverError
        self._study.heard(self._trial.number)


def _can_go_on(run: RunFolder, recipe: Recipe) -> bool:
    """Whether an interrupted run of this trial can be taken up; what cannot is cleared away."""
    if run.finished:
        return True
    if not run.path.exists():
        return False
    try:
        if run.last.is_file() and load_recipe(run.config) == recipe:
            run.check_last()
            return True
    except RecipeError:  # interrupted while it wrote
        pass
    shutil.rmtree(run.path)
    return False
