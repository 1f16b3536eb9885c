"""Writes ``metrics.csv`` as training goes, and tells the watcher."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as lightning

from madeby.training.progress import Progress
from madeby.training.recipe import Recipe
from madeby.training.run import EpochFigures, RunFolder, best_of


class Recorder(lightning.Callback):
    """Keeps the figures by epoch in the run's folder; on resuming drops epochs after the checkpoint's."""

    def __init__(self, folder: RunFolder, progress: Progress, recipe: Recipe) -> None:
        self._folder, self._progress, self._recipe = folder, progress, recipe
        self._rows: list[EpochFigures] = []
        self._started = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take over what an earlier part of this run recorded."""
        self._rows = [row for row in self._folder.read_metrics() if row.epoch <= trainer.current_epoch]

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tell how far the epoch is."""
        if trainer.is_global_zero:
            count, epochs = int(trainer.num_training_batches), trainer.max_epochs or 0
            self._progress.batch(trainer.current_epoch + 1, epochs, batch_idx + 1, count)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add the epoch's row, and end the training where the watcher says so."""
        enough = self._record(trainer) if trainer.is_global_zero else False
        if trainer.world_size > 1:  # the watcher is with the first process; all must stop together
            enough = trainer.strategy.reduce_boolean_decision(enough, all=False)
        trainer.should_stop = trainer.should_stop or enough

    def _record(self, trainer: lightning.Trainer) -> bool:
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = EpochFigures(
            epoch=trainer.current_epoch + 1,
            train_loss=logged["train_loss"],
            train_accuracy=logged["train_accuracy"],
            val_loss=logged["val_loss"],
            val_accuracy=logged["val_accuracy"],
            val_auroc=logged["val_auroc"],
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            seconds=time.perf_counter() - self._started,
        )
        self._rows.append(row)
        self._folder.write_metrics(self._rows)
        return bool(self._progress.epoch(row, best_of(self._rows, self._recipe) is row))
