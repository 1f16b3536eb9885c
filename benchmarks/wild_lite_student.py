"""The network of `wild-lite` learns to see in a picture what the tower of `wild` sees; see wild_lite.py.

Its places learn the tower's patch tokens, the mean of its places the CLS tokens (knowledge distillation with hints,
Romero et al. 2015). No label comes in.
"""

from __future__ import annotations

import copy
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import wild_heads
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from wild_lite_material import COMPONENTS, WHOLE_COMPONENTS, Material

from madeby.datasets.atomic import written_atomically
from madeby.detector.views import normalised
from madeby.networks import build_network

NETWORK = "residual"
OPTIONS = {
    "stem": 24,
    "stem_stride": 2,
    "width": 48,
    "depth": [1, 2, 2],
    "strides": [2, 2, 2],
    "context": True,
}
EPOCHS = 10
FINISHED = "student.safetensors"
BATCH, LEFT_OUT = 64, 500
RATE, DECAY, WARM_UP, AVERAGING = 2e-3, 0.05, 200, 0.998


class Student(nn.Module):
    """The network of the bundle with two linear readings of its places, which are gone in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.network = build_network(NETWORK, OPTIONS, 224)
        width = self.network.head.in_channels
        self.tokens = nn.Conv2d(width, COMPONENTS, 1)
        self.whole = nn.Linear(width, WHOLE_COMPONENTS)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, 224, 224) to tokens (N, 96, 14, 14) and components of the CLS tokens (N, 192)."""
        context = self.network.context
        places = context.informed(self.network.features(views))
        return self.tokens(places), self.whole(torch.relu(context.asked(places.mean((2, 3)))))


class Batches:
    """The batches of the run, each a function of its number alone."""

    def __init__(self, material: Material) -> None:
        order = np.random.default_rng(1).permutation(len(material.views))
        self.material, self.left_out, self.learnt = material, order[:LEFT_OUT], order[LEFT_OUT:]
        self.each_epoch = len(self.learnt) // BATCH

    def of_step(self, step: int) -> tuple[Tensor, ...]:
        epoch, place = divmod(step, self.each_epoch)
        order = np.random.default_rng(100 + epoch).permutation(self.learnt)
        views, tokens, wholes = self.of_rows(np.sort(order[place * BATCH : (place + 1) * BATCH]))
        if np.random.default_rng(step).random() < 0.5:
            views, tokens = views.flip(3), tokens.flip(3)
        return views, tokens, wholes

    def of_rows(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        """Views and what is to be learnt of them."""
        tokens = self.material.tokens[rows].astype(np.float32).transpose(0, 2, 1)
        pixels = torch.from_numpy(normalised(self.material.views[rows], wild_heads.MIDDLE))
        return (
            pixels.contiguous(memory_format=torch.channels_last),
            torch.from_numpy(tokens.reshape(len(rows), COMPONENTS, wild_heads.GRID, wild_heads.GRID)),
            torch.from_numpy(self.material.wholes[rows]),
        )


def finished(folder: Path) -> Student | None:
    """The network that a run in this folder has finished, if one has."""
    if not (folder / FINISHED).is_file():
        return None
    student = Student()
    student.load_state_dict(load_file(folder / FINISHED))
    return student.eval()


def train(material: Material, folder: Path) -> Student:
    """Train, or go on from the folder's checkpoint; the averaged student of the last epoch."""
    checkpoint = folder / "checkpoint.pt"
    torch.manual_seed(0)
    student = Student().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(student).requires_grad_(False)
    batches = Batches(material)
    steps = EPOCHS * batches.each_epoch
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    first = 0
    if checkpoint.is_file():
        kept = torch.load(checkpoint, weights_only=True)
        student.load_state_dict(kept["student"])
        averaged.load_state_dict(kept["averaged"])
        optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]
    weights = torch.from_numpy(material.weights)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(batches.of_step, first)
        for step in range(first, steps):
            views, tokens, wholes = coming.result()
            if step + 1 < steps:
                coming = ahead.submit(batches.of_step, step + 1)
            with torch.autocast("cpu", torch.bfloat16):
                seen = [each.float() for each in student(views)]
            of_tokens = functional.smooth_l1_loss(seen[0], tokens, reduction="none").mean((0, 2, 3))
            loss = (of_tokens * weights).sum() / weights.sum() + functional.smooth_l1_loss(seen[1], wholes)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            rate = RATE * min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            average(averaged, student, min(AVERAGING, (1 + step) / (10 + step)))
            if (step + 1) % batches.each_epoch == 0:
                epoch = (step + 1) // batches.each_epoch
                print(f"epoch {epoch}, {time.monotonic() - began:.0f} s: {explained(averaged, batches)}", flush=True)
                state = {"student": student.state_dict(), "averaged": averaged.state_dict()}
                with written_atomically(checkpoint) as part:
                    torch.save(state | {"optimizer": optimizer.state_dict(), "step": step + 1}, part)
    with written_atomically(folder / FINISHED) as part:
        save_file({name: value.contiguous() for name, value in averaged.state_dict().items()}, part)
    return averaged.eval()


@torch.no_grad()
def average(averaged: nn.Module, student: nn.Module, decay: float) -> None:
    """Move the average of the weights a step towards them."""
    for mean, value in zip(averaged.state_dict().values(), student.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


@torch.no_grad()
def explained(student: Student, batches: Batches) -> str:
    """How much of what the tower sees the network tells, on pictures that it does not learn from."""
    student.eval()
    found = []
    for start in range(0, LEFT_OUT, 50):
        views, *wanted = batches.of_rows(batches.left_out[start : start + 50])
        with torch.autocast("cpu", torch.bfloat16):
            found.append([(each.float(), want) for each, want in zip(student(views), wanted, strict=True)])
    student.train()
    shares = []
    for pairs in zip(*found, strict=True):
        apart = sum(((each - want) ** 2).sum() for each, want in pairs)
        shares.append(1 - float(apart / sum((want**2).sum() for _, want in pairs)))
    return f"of tokens {shares[0]:.3f}, of CLS {shares[1]:.3f}"
