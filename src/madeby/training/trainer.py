"""Drives Lightning: callbacks, checkpoints, quiet, and nothing outside the run's folder."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from madeby.errors import RecipeError
from madeby.training.classifier import Classifier
from madeby.training.hardware import Hardware
from madeby.training.progress import Progress
from madeby.training.recorder import Recorder
from madeby.training.run import RunFolder
from madeby.training.tracking import Tracker, tracker


def run_trainer(
    classifier: Classifier, run: RunFolder, hardware: Hardware, *, track: Tracker | None, progress: Progress
) -> bool:
    """Fit, or go on with the run's last checkpoint; returns whether it stopped before the last epoch.

    Raises:
        RecipeError: the loss is no number any more.
    """
    recipe = classifier.recipe
    callbacks: list[lightning.Callback] = [
        Recorder(run, progress, recipe),
        ModelCheckpoint(
            run.checkpoints,
            run.best.stem,
            monitor=recipe.monitor,
            mode=recipe.monitor_mode,
            enable_version_counter=False,
        ),
        # Saved after everything else, so that it knows of the epoch's best and of the patience left.
        ModelCheckpoint(run.checkpoints, run.last.stem, save_on_train_epoch_end=True, enable_version_counter=False),
    ]
    if recipe.patience:
        stopping = EarlyStopping(
            recipe.monitor, mode=recipe.monitor_mode, patience=recipe.patience, check_on_train_epoch_end=False
        )
        callbacks.insert(1, stopping)
    with _quiet_lightning():
        trainer = lightning.Trainer(
            accelerator="gpu" if hardware.accelerator == "cuda" else hardware.accelerator,
            devices=hardware.processes,
            strategy=hardware.strategy,
            precision="bf16-mixed" if hardware.bf16 else "32-true",
            max_epochs=recipe.epochs,
            callbacks=callbacks,
            logger=tracker(track, run.tracking, run.path.name, recipe) if track else False,
            default_root_dir=str(run.path),
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=10,
            gradient_clip_val=5.0 if recipe.optimizer == "sgd" else None,
        )
        checkpoint = str(run.last) if run.last.is_file() else None
        trainer.fit(classifier, ckpt_path=checkpoint, weights_only=True)
    rows = run.read_metrics()
    if not rows or not math.isfinite(rows[-1].val_loss) or not run.best.is_file():
        raise RecipeError("training diverged: the validation loss is no number; try a lower learning_rate")
    return len(rows) < recipe.epochs


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Hush Lightning's greetings and the hints that do not apply: our loaders are not DataLoaders."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for module in ("pytorch_lightning", "lightning_fabric"):
            warnings.filterwarnings("ignore", module=module)
        # LambdaLR is restored before the optimiser's first step of the resumed run.
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
