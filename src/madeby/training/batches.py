"""Batches straight from the cache of decoded pictures: no Python work a picture unless it must be re-encoded.

Each batch is drawn and changed from a seed of its own (the run's seed, the epoch and its place), so batches can
be made ahead in threads, on any number of processes, and come out the same when a run is resumed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from madeby.detector.views import Pixels
from madeby.training.augment import Augmentation

Indices = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
Balance = Literal["none", "label", "collection"]


class Batch(NamedTuple):
    """Views as the network will see them, with what is known of each.

    ``views`` (N, size, size, 3) uint8, ``labels`` (N,) float 0 or 1, ``entries`` (N,) places in the cache,
    ``weights`` (N,) float, how much each counts in the loss, ``auxiliary`` (N,) classes of the second task.
    """

    views: Tensor
    labels: Tensor
    entries: Tensor
    weights: Tensor
    auxiliary: Tensor
    seed: int


@dataclass(frozen=True)
class Examples:
    """Decoded pictures with what training needs to know of them.

    ``pixels`` (n, side, side, 3) uint8; ``labels`` (n,) 0 human or 1 ai; ``picture`` (n,) which picture an entry
    belongs to, 0 upwards without gaps; ``collection`` (n,) numbers of the collections; ``auxiliary`` (n,) classes
    of what is learnt beside the label, all unknown where nothing is.
    """

    pixels: Pixels
    labels: npt.NDArray[np.int8]
    picture: Indices
    collection: Indices
    auxiliary: Indices

    def __len__(self) -> int:
        return len(self.labels)


def drawing_order(examples: Examples, balance: Balance, rng: np.random.Generator) -> Indices:
    """One epoch's order of entries, (n,).

    Args:
        examples: the training entries.
        balance: ``none`` takes each entry once. ``label`` takes as many of each label, repeating those of the
            rarer one; ``collection`` also evens out the collections of a label, each by the square root of its
            size.
        rng: where chance comes from.
    """
    count = len(examples)
    if balance == "none":
        return rng.permutation(count)
    strata = examples.labels.astype(np.int64)
    if balance == "collection":
        strata = strata + 2 * examples.collection
    kinds, kind_of, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    wanted = sizes**0.5 if balance == "collection" else np.ones(len(kinds))
    label_of = kinds % 2
    for label in (0, 1):
        wanted[label_of == label] *= count / 2 / wanted[label_of == label].sum()
    picked = [_repeated(np.flatnonzero(kind_of == kind), round(share), rng) for kind, share in enumerate(wanted)]
    return rng.permutation(np.concatenate(picked))


def _repeated(entries: Indices, count: int, rng: np.random.Generator) -> Indices:
    """``count`` of the entries, each as often as the others, give or take one."""
    rounds = -(-count // len(entries))
    return np.concatenate([rng.permutation(entries) for _ in range(rounds)])[:count]


class TrainingBatches:
    """One epoch of changed pictures in a drawn order.

    All batches are full, on every process: what is left over waits for another epoch's draw, and a set smaller
    than one batch repeats itself. Entries whose ``weights`` are 0 are left out.
    """

    def __init__(
        self,
        examples: Examples,
        augmentation: Augmentation,
        batch_size: int,
        *,
        balance: Balance = "none",
        weights: Weights | None = None,
        seed: int = 0,
        epoch: int = 0,
        rank: int = 0,
        processes: int = 1,
        threads: int = 1,
    ) -> None:
        """Draw the epoch; ``batch_size`` counts all processes' pictures, ``threads`` make batches ahead."""
        self._examples, self._augmentation = examples, augmentation
        self._seed, self._epoch, self._rank, self._threads = seed, epoch, rank, threads
        self._weights = np.ones(len(examples), np.float32) if weights is None else weights
        order = drawing_order(examples, balance, np.random.default_rng((seed, epoch)))
        order = order[self._weights[order] > 0]
        own = max(1, batch_size // processes)
        steps = max(1, len(order) // (own * processes))
        self._steps = np.resize(order, (steps, processes, own))

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Batch]:
        with ThreadPoolExecutor(self._threads) as pool:
            ahead: deque[Future[Batch]] = deque()
            for step in range(len(self)):
                ahead.append(pool.submit(self._batch, step))
                if len(ahead) > self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _batch(self, step: int) -> Batch:
        entries = np.sort(self._steps[step, self._rank])  # in the file's order, which a memory map likes
        rng = np.random.default_rng((self._seed, self._epoch, step, self._rank))
        pixels, size = self._examples.pixels, self._augmentation.size
        if self._augmentation.changes_pixels or pixels.shape[1:3] != (size, size):
            views = np.stack([self._augmentation.pixels(pixels[entry], rng) for entry in entries])
        else:
            views = pixels[entries]
        return _batch_of(self._examples, entries, views, self._weights[entries], int(rng.integers(2**31)))


class ValidationBatches:
    """Every entry once, unchanged; with several processes each takes its share, padded to equal lengths."""

    def __init__(self, examples: Examples, batch_size: int, *, rank: int = 0, processes: int = 1) -> None:
        """Share out the entries; ``batch_size`` counts one process's pictures."""
        self._examples = examples
        share = -(-len(examples) // processes)
        entries = np.resize(np.arange(len(examples)), share * processes)[rank::processes]
        self._batches = [entries[start : start + batch_size] for start in range(0, share, batch_size)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        for entries in self._batches:
            weights = np.ones(len(entries), np.float32)
            yield _batch_of(self._examples, entries, self._examples.pixels[entries], weights, 0)


def _batch_of(examples: Examples, entries: Indices, views: Pixels, weights: Weights, seed: int) -> Batch:
    return Batch(
        torch.from_numpy(np.ascontiguousarray(views)),
        torch.from_numpy(examples.labels[entries].astype(np.float32)),
        torch.from_numpy(entries),
        torch.from_numpy(weights),
        torch.from_numpy(examples.auxiliary[entries]),
        seed,
    )
