"""Leaves well-learnt training pictures out of most epochs, without moving what is learnt on average.

After InfoBatch (Qin et al. 2024): a picture whose last loss lies below the mean is left out of an epoch with a
given probability; those that stay weigh more in return, so that the expected gradient is that of the whole set.
The last epochs take every picture, so that none is forgotten. On sets where most pictures are soon easy this
saves nearly the given share of the time.
"""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from madeby.training.batches import Weights

WHOLE_AT_THE_END = 0.125
"""Share of the epochs, at the end, that take every picture (the paper's value)."""


def pruned_weights(losses: Tensor, share: float, *, epoch: int, epochs: int, seed: int) -> Weights:
    """How much each training entry weighs in one epoch; those that weigh 0 are left out of it.

    Args:
        losses: (n,) each entry's last loss, NaN where it has not been seen yet.
        share: probability with which an entry below the mean loss is left out, from 0 to below 1.
        epoch: the epoch about to start, from 0.
        epochs: epochs of the whole training.
        seed: the run's seed.

    Returns:
        (n,) float32: 1, 0, or ``1 / (1 - share)`` for entries below the mean that were kept.
    """
    known = losses.detach().cpu().double().numpy()
    weights = np.ones(len(known), np.float32)
    if share == 0 or epoch >= epochs - math.ceil(WHOLE_AT_THE_END * epochs) or not np.isfinite(known).any():
        return weights
    easy = known < np.nanmean(known)  # never true of an entry that has not been seen
    left_out = np.random.default_rng((seed, epoch, 1)).random(len(known)) < share
    weights[easy] = 1 / (1 - share)
    weights[easy & left_out] = 0
    return weights
