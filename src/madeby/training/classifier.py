"""The Lightning module: how one batch teaches a network and how an epoch is judged."""

from __future__ import annotations

import copy
import os
from typing import Any, cast

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from madeby.networks import build_network, picture_logit
from madeby.training.augment import Augmentation
from madeby.training.auxiliary import NONE, AuxiliaryTask
from madeby.training.batches import Batch, TrainingBatches, ValidationBatches, Weights
from madeby.training.figures import figures_of, mean_by_picture
from madeby.training.preparation import TrainingData
from madeby.training.pruning import pruned_weights
from madeby.training.recipe import Recipe
from madeby.training.schedule import schedule_factor

VALIDATION_PIXELS = 1 << 19
"""Pixels of one validation batch: without gradients far more fit than in a training batch, and calls cost less."""


class Classifier(lightning.LightningModule):
    """A network in training, after a recipe.

    ``network`` is what the optimiser moves, ``average`` the exponential average of its weights, or ``network``
    itself where the recipe asks for none. Validation and export use the average. ``auxiliary`` learns another column
    from the same features, if the recipe names one.
    """

    def __init__(self, recipe: Recipe, data: TrainingData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        self.network = build_network(recipe.network, recipe.network_options, recipe.size)
        self.average = copy.deepcopy(self.network).requires_grad_(False) if recipe.ema else self.network
        self.auxiliary = _auxiliary(self.network, data) if recipe.auxiliary != NONE else None
        self._augmentation = Augmentation(recipe.augment, recipe.size)
        scale = torch.tensor(recipe.std) * 255.0
        self.register_buffer("_shift", (torch.tensor(recipe.mean) * 255.0)[:, None, None], persistent=False)
        self.register_buffer("_scale", (1.0 / scale)[:, None, None], persistent=False)
        self._fresh_losses = torch.full((len(data.train) if recipe.prune else 0,), torch.nan)
        # Kept in the checkpoints, for a resumed run leaves out the same pictures.
        self.register_buffer("_losses", self._fresh_losses.clone(), persistent=recipe.prune > 0)
        self._position = 0.0
        self._train_loss = self._train_correct = self._train_weight = torch.zeros(())
        self._seen: list[tuple[Tensor, Tensor]] = []

    # Data

    def train_dataloader(self) -> TrainingBatches:
        """The coming epoch's batches; the trainer asks again for each epoch."""
        recipe = self.recipe
        if not recipe.prune:
            return self._batches(None)
        losses = cast(Tensor, self._losses)
        return self._batches(
            pruned_weights(losses, recipe.prune, epoch=self.current_epoch, epochs=recipe.epochs, seed=recipe.seed)
        )

    def _batches(self, weights: Weights | None) -> TrainingBatches:
        return TrainingBatches(
            self.data.train,
            self._augmentation,
            self.recipe.batch_size,
            balance=self.recipe.balance,
            weights=weights,
            seed=self.recipe.seed,
            epoch=self.current_epoch,
            rank=self.trainer.global_rank,
            processes=self.trainer.world_size,
            threads=min(4, os.cpu_count() or 1),
        )

    def val_dataloader(self) -> ValidationBatches:
        """All validation views."""
        return ValidationBatches(
            self.data.validation,
            max(self.recipe.batch_size, VALIDATION_PIXELS // self.recipe.size**2),
            rank=self.trainer.global_rank,
            processes=self.trainer.world_size,
        )

    def _views(self, batch: Batch, augmented: bool) -> Tensor:
        """A batch as the network's input, (N, 3, size, size) standardised, channels last in memory."""
        views = batch.views.permute(0, 3, 1, 2).float()
        if augmented:
            views = self._augmentation.tensors(views, batch.seed)
        standardised = (views - cast(Tensor, self._shift)) * cast(Tensor, self._scale)
        return standardised.contiguous(memory_format=torch.channels_last)

    # Learning

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        logits = picture_logit(self.network(self._views(batch, augmented=True))).float()
        smoothing = self.recipe.label_smoothing
        targets = batch.labels * (1 - smoothing) + smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        if self.recipe.prune:
            self._fresh_losses[batch.entries.cpu()] = losses.detach().cpu()
        self._position = self.current_epoch + (batch_idx + 1) / self.trainer.num_training_batches
        correct = ((logits > 0) == (batch.labels > 0.5)).float()
        self._train_loss = self._train_loss + (losses.detach() * batch.weights).sum()
        self._train_correct = self._train_correct + (correct * batch.weights).sum()
        self._train_weight = self._train_weight + batch.weights.sum()
        if self.auxiliary is not None:
            losses = losses + self.recipe.auxiliary_weight * self.auxiliary.losses(batch.auxiliary)
        return (losses * batch.weights).mean()

    def on_train_epoch_start(self) -> None:
        """Start the epoch's sums, and its own chance, so that a resumed run goes on exactly as it would have."""
        words = np.random.SeedSequence((self.recipe.seed, self.current_epoch, self.global_rank)).generate_state(1)
        torch.manual_seed(int(words[0]))
        self._train_loss = self._train_correct = self._train_weight = torch.zeros((), device=self.device)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average of the weights."""
        if not self.recipe.ema:
            return
        # A short memory at first: the first weights are worth forgetting.
        step = self.global_step
        decay = min(self.recipe.ema, (1 + step) / (10 + step))
        own, averaged = self.network.state_dict(), self.average.state_dict()
        floating = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([averaged[name] for name in floating], [own[name] for name in floating], 1 - decay)

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule of the recipe."""
        recipe = self.recipe
        learnt = nn.ModuleList([self.network] if self.auxiliary is None else [self.network, self.auxiliary])
        optimizer = _optimizer(learnt, recipe)
        if recipe.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer, mode=recipe.monitor_mode, factor=0.3, patience=2
            )
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": plateau, "monitor": recipe.monitor, "interval": "epoch"},
            }
        per_epoch = len(self._batches(None))
        steps, warmup = per_epoch * recipe.epochs, round(per_epoch * recipe.warmup_epochs)

        def factor(step: int) -> float:
            # Epochs that leave pictures out are shorter but move the schedule as far as whole ones do.
            done = round(self._position * per_epoch) if recipe.prune else step
            return schedule_factor(recipe.schedule, done, steps, warmup)

        by_step = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    # Judging

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep one batch's logits."""
        logits = picture_logit(self.average(self._views(batch, augmented=False))).float()
        self._seen.append((logits, batch.entries))

    def on_validation_epoch_end(self) -> None:
        """Figures over all validation pictures, each picture's views averaged."""
        logits = torch.cat([logits for logits, _ in self._seen])
        entries = torch.cat([entries for _, entries in self._seen])
        self._seen.clear()
        if self.trainer.world_size > 1:
            logits, entries = self._from_all(logits).flatten(), self._from_all(entries).flatten()
        examples = self.data.validation
        by_view = np.zeros(len(examples))
        by_view[entries.cpu().numpy()] = logits.cpu().double().numpy()
        labels = mean_by_picture(examples.labels.astype(np.float64), examples.picture)
        figures = figures_of(mean_by_picture(by_view, examples.picture), labels)
        distributed = self.trainer.world_size > 1
        self.log_dict(
            {"val_loss": figures.loss, "val_accuracy": figures.accuracy, "val_auroc": figures.auroc},
            sync_dist=distributed,
        )
        # Here and not at the training epoch's end: callbacks run before that hook and want these figures.
        # By weight, not by count: an epoch that leaves well-learnt pictures out would look worse than it is.
        sums = torch.stack([self._train_loss, self._train_correct]) / self._train_weight.clamp(min=1e-12)
        means = self._from_all(sums).reshape(-1, 2).mean(0) if distributed else sums
        self.log_dict({"train_loss": means[0], "train_accuracy": means[1]}, sync_dist=distributed)
        if self.recipe.prune:
            self._remember_losses()

    def _remember_losses(self) -> None:
        """Carry the epoch's losses, from all processes, over to what decides on the next epoch's pictures."""
        known = cast(Tensor, self._losses)
        fresh = self._from_all(self._fresh_losses.to(known.device)).reshape(-1, len(known)).nanmean(0)
        known.copy_(torch.where(fresh.isnan(), known, fresh))
        self._fresh_losses.fill_(torch.nan)

    def _from_all(self, values: Tensor) -> Tensor:
        """Every process's values, stacked."""
        return cast(Tensor, self.all_gather(values))


def _auxiliary(network: nn.Module, data: TrainingData) -> AuxiliaryTask:
    return AuxiliaryTask(network, int(data.train.auxiliary.max()) + 1)


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; normalisation and bias parameters are not decayed."""
    decayed = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate, fused=True)
