"""Drives Lightning: callbacks, checkpoints, quiet, and nothing outside the run's folder."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.strategies import DDPStrategy

from madeby.errors import RecipeError
from madeby.training.classifier import Classifier
from madeby.training.hardware import Hardware
from madeby.training.progress import Progress
from madeby.training.recorder import Recorder
from madeby.training.run import RunFolder
from madeby.training.tracking import Tracker, tracker

LIGHTNING_LOGGERS = ("pytorch_lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric")


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
            strategy=_strategy(hardware),
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
        if checkpoint is not None:
            run.check_last()
        trainer.fit(classifier, ckpt_path=checkpoint, weights_only=True)
    rows = run.read_metrics()
    if not rows or not math.isfinite(rows[-1].val_loss) or not run.best.is_file():
        raise RecipeError("training diverged: the validation loss is no number; try a lower learning_rate")
    return len(rows) < recipe.epochs


class _Processes(DDPStrategy):
    """Several processes, spawned rather than started by repeating the command line: works from Python as well."""

    def setup_environment(self) -> None:
        """Share the cores and keep quiet, in each process before anything else."""
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // self.num_processes))
        _hush()
        super().setup_environment()


def _strategy(hardware: Hardware) -> Any:
    if hardware.processes == 1:
        return "auto"
    backend = "nccl" if hardware.accelerator == "cuda" else "gloo"
    return _Processes(start_method="spawn", process_group_backend=backend)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Hush Lightning's greetings, and its hints about loaders that are not DataLoaders."""
    loggers = [logging.getLogger(name) for name in LIGHTNING_LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        _hush()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _hush() -> None:
    for package in ("pytorch_lightning", "lightning_fabric"):
        warnings.filterwarnings("ignore", module=package)
    for name in LIGHTNING_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
