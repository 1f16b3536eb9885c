"""How the training went, and what the search over recipes tells."""

from __future__ import annotations

import math

from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.judging.results import best_epoch
from madeby.reporting.material import Placed, RunMaterial
from madeby.reporting.words import count, duration, percent, setting
from madeby.training.tuning.records import Tuning

CLEARLY_FIRST = 0.65
"""Share of the differences from which one field is said to explain most of them."""

GAP = 0.02
"""Accuracy that training may be ahead of validation before it is called overfitting."""


def judge_training(run: RunMaterial) -> list[Judgement]:
    """What the curves show."""
    best = best_epoch(run)
    if best is None:
        return [Judgement("No epoch is recorded, so nothing can be said about the training.", "open")]
    last, recipe = run.epochs[-1], run.recipe
    took = duration(sum(row.seconds for row in run.epochs))
    told = [
        Judgement(
            f"The best of {len(run.epochs)} epochs by {recipe.monitor} is epoch {best.epoch}: validation accuracy "
            f"{percent(best.val_accuracy)}, AUROC {best.val_auroc:.4f}. The epochs took {took}."
        )
    ]
    if not run.finished:
        told.append(Judgement("The run was interrupted: these figures are not its last word.", "open"))
    elif best.epoch == recipe.epochs and len(run.epochs) >= 3:
        told.append(Judgement("The last epoch is the best: longer training might do better.", "open"))
    elif last.epoch < recipe.epochs:
        told.append(Judgement(f"It stopped before epoch {recipe.epochs}, for want of a better figure."))
    ahead = best.train_accuracy - best.val_accuracy
    since = last.train_accuracy - best.train_accuracy
    if best.epoch <= len(run.epochs) / 3 and since > GAP:
        told.append(
            Judgement(
                f"After epoch {best.epoch} training accuracy rises by another {100 * since:.1f} points while "
                f"{recipe.monitor} gets no better: what is learnt then does not carry to other pictures.",
                "bad",
            )
        )
    elif ahead > GAP:
        told.append(
            Judgement(
                f"Training accuracy is {100 * ahead:.1f} points ahead of validation at the best epoch: the network "
                "fits its own pictures better than others.",
                "bad",
            )
        )
    elif last.epoch > best.epoch and last.train_loss < best.train_loss and last.val_loss > 1.05 * best.val_loss:
        told.append(Judgement(f"After epoch {best.epoch} the training loss falls on while that of validation rises."))
    else:
        told.append(Judgement("Training and validation stay together: no sign of overfitting.", "good"))
    return told


def judge_tuning(placed: Placed[Tuning], run: RunMaterial) -> list[Judgement]:
    """What a study tells: the best configuration, and which others it cannot be told from."""
    tuning, best = placed.record, placed.record.best
    if best is None or best.value is None:
        return [Judgement("No trial of the study was seen through, so no configuration can be preferred.", "open")]
    complete = [row for row in tuning.trials if row.state == "complete" and row.val_accuracy is not None]
    tried = ", ".join(f"{name} {setting(value)}" for name, value in best.parameters.items())
    told = [
        Judgement(
            f"Of {count(len(tuning.trials))} trials, {count(len(complete))} were seen through; trial {best.number} is "
            f"the best by {tuning.plan.monitor} ({best.value:.4f}): {tried}."
        )
    ]
    pictures = sum(run.counts.get("val", {}).values())
    same_data = tuning.plan.manifest_sha256 == run.manifest_sha256
    if len(complete) > 1 and pictures and same_data and best.val_accuracy is not None:
        error = math.sqrt(2 * best.val_accuracy * (1 - best.val_accuracy) / pictures)
        near = [row for row in complete if row is not best and (row.val_accuracy or 0) >= best.val_accuracy - error]
        if near:
            trials = "1 other trial has" if len(near) == 1 else f"{count(len(near))} other trials have"
            told.append(
                Judgement(
                    f"{trials} a validation accuracy within one standard error of the best ({100 * error:.1f} points "
                    f"on {count(pictures)} pictures) or above: not to be told from it.",
                    "open",
                )
            )
        else:
            told.append(Judgement("No other trial comes within one standard error of its validation accuracy.", "good"))
    if len(complete) > 1:
        told.append(
            Judgement("The best of many is flattered by the choice: only other pictures show what it is worth.")
        )
    if len(tuning.importance) > 1:
        first, share = max(tuning.importance.items(), key=lambda item: item[1])
        if share > CLEARLY_FIRST:
            told.append(Judgement(f"{first} explains most of the differences between trials: {share:.0%}."))
        else:
            told.append(Judgement("No single field explains most of the differences between trials.", "plain"))
    if not same_data:
        told.append(Judgement("The study was made on other data than this run's.", "open"))
    return told


def network_words(run: RunMaterial) -> str:
    """The network and how it looks at pictures, in one sentence."""
    recipe, view = run.recipe, run.recipe.preprocessing
    looks = (
        f"up to {view.crops} native-resolution squares of {view.size} pixels a picture"
        if view.view == "crops"
        else f"the whole picture at {view.size} × {view.size} pixels"
    )
    size = f", {count(run.spec.parameters)} parameters" if run.spec and run.spec.parameters else ""
    return f"{recipe.network}{size}, looks at {looks}"
