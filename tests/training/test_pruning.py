"""Leaving out well-learnt pictures saves time and moves nothing on average."""

import numpy as np
import torch

from madeby.training.fit import train
from madeby.training.pruning import pruned_weights
from madeby.training.run import RunFolder

LOSSES = torch.cat([torch.full((8000,), 0.01), torch.full((2000,), 2.0)])


def test_only_pictures_below_the_mean_loss_are_left_out_and_the_expected_weight_stays_one():
    weights = pruned_weights(LOSSES, 0.75, epoch=3, epochs=20, seed=0)
    assert (weights[8000:] == 1).all()
    assert set(np.unique(weights[:8000])) == {0, 4}
    assert abs(weights[:8000].mean() - 1) < 0.05
    assert not np.array_equal(weights, pruned_weights(LOSSES, 0.75, epoch=4, epochs=20, seed=0))


def test_nothing_is_left_out_before_losses_are_known_nor_in_the_last_epochs():
    assert (pruned_weights(torch.full((10,), torch.nan), 0.5, epoch=0, epochs=20, seed=0) == 1).all()
    assert (pruned_weights(LOSSES, 0.5, epoch=16, epochs=20, seed=0) != 1).any()
    assert (pruned_weights(LOSSES, 0.5, epoch=17, epochs=20, seed=0) == 1).all()


def test_a_picture_not_seen_yet_stays():
    losses = LOSSES.clone()
    losses[:100] = torch.nan
    assert (pruned_weights(losses, 0.9, epoch=1, epochs=20, seed=0)[:100] == 1).all()


class Steps:
    def __init__(self):
        self.count = {}

    def stage(self, name, done, count):
        pass

    def batch(self, epoch, epochs, done, count):
        self.count[epoch] = count

    def epoch(self, figures, best):
        pass


def test_a_pruned_run_has_shorter_epochs_and_a_whole_last_one(make_manifest, tmp_path):
    steps = Steps()
    recipe = {"network": "cifake_cnn", "epochs": 4, "batch_size": 4, "prune": 0.9, "augment": (), "ema": 0.0}
    train(make_manifest(), tmp_path / "run", overrides=recipe, progress=steps)
    assert steps.count[1] == steps.count[4] == 12
    assert steps.count[2] < 12 and steps.count[3] < 12


def test_training_figures_are_of_all_pictures_whatever_was_left_out(make_manifest, tmp_path):
    recipe = {"network": "cifake_cnn", "network_options": {}, "epochs": 4, "batch_size": 4, "prune": 0.9}
    recipe |= {"augment": (), "ema": 0.0, "learning_rate": 1e-9, "schedule": "constant"}
    train(make_manifest(), tmp_path / "run", overrides=recipe)
    whole, *pruned, _ = RunFolder(tmp_path / "run").read_metrics()
    for row in pruned:  # nothing is learnt at this rate, so nothing may seem to change much
        assert abs(row.train_loss - whole.train_loss) < 0.3 * whole.train_loss
