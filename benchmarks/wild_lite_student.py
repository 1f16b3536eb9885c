"""The network of `wild-lite` learns to see in a picture what the tower of `wild` sees; see wild_lite.py.

Its places learn the tower's patch tokens, the mean of its places the CLS tokens and the parts of the logit (knowledge
distillation with hints, Romero et al. 2015). Some views are made worse first while what is to be learnt stays that of
the better one, so that re-encoding changes little.
"""

from __future__ import annotations

import copy
import io
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import wild_heads
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from wild_lite_material import COMPONENTS, WHOLE_COMPONENTS, Material

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
LOGITS = 7
EPOCHS = 24
TOKENS_ALONE = 6
"""Epochs in which the logits do not count yet and no view is made worse."""

BATCH, LEFT_OUT = 64, 500
RATE, DECAY, WARM_UP, AVERAGING = 2e-3, 0.05, 200, 0.998
WORSE = 0.4


class Student(nn.Module):
    """The network of the bundle with three linear readings of its places, which are gone in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.network = build_network(NETWORK, OPTIONS, 224)
        width = self.network.head.in_channels
        self.tokens = nn.Conv2d(width, COMPONENTS, 1)
        self.whole = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, WHOLE_COMPONENTS))
        self.logits = nn.Linear(width, LOGITS)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, 224, 224) to tokens (N, 96, 14, 14), components of the CLS tokens (N, 192) and logits (N, 7)."""
        places = self.network.places(views)
        mean = places.mean((2, 3))
        return self.tokens(places), self.whole(mean), self.logits(mean)


class Batches:
    """The batches of the run, each a function of its number alone."""

    def __init__(self, material: Material) -> None:
        order = np.random.default_rng(1).permutation(len(material.views))
        self.material, self.left_out, self.learnt = material, order[:LEFT_OUT], order[LEFT_OUT:]
        self.each_epoch = len(self.learnt) // BATCH

    def of_step(self, step: int) -> tuple[Tensor, ...]:
        epoch, place = divmod(step, self.each_epoch)
        order = np.random.default_rng(100 + epoch).permutation(self.learnt)
        draw = np.random.default_rng([5, step])
        batch = self.of_rows(
            np.sort(order[place * BATCH : (place + 1) * BATCH]), draw if epoch >= TOKENS_ALONE else None
        )
        if draw.random() < 0.5:
            return batch[0].flip(3), batch[1].flip(3), *batch[2:]
        return batch

    def of_rows(self, rows: np.ndarray, draw: np.random.Generator | None = None) -> tuple[Tensor, ...]:
        """Views and what is to be learnt of them; made worse by chance where there is something to draw from."""
        material = self.material
        views = material.views[rows]
        if draw is not None:
            views = np.stack([made_worse(view, draw) if draw.random() < WORSE else view for view in views])
        tokens = material.tokens[rows].astype(np.float32).transpose(0, 2, 1).reshape(len(rows), COMPONENTS, 14, 14)
        pixels = torch.from_numpy(normalised(views, wild_heads.PREPROCESSING))
        return (
            pixels.contiguous(memory_format=torch.channels_last),
            torch.from_numpy(tokens),
            torch.from_numpy(material.wholes[rows]),
            torch.from_numpy(material.logits[rows]),
        )


def made_worse(view: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A view scaled down and up again and compressed once more."""
    image, scale = Image.fromarray(view), draw.uniform(0.5, 1.0)
    if scale < 0.95:
        side = round(scale * len(view))
        image = image.resize((side, side), Image.Resampling.BICUBIC).resize(view.shape[:2], Image.Resampling.BICUBIC)
    compressed = io.BytesIO()
    quality, subsampling = int(draw.integers(40, 96)), int(draw.choice([0, 2]))
    image.save(compressed, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(compressed))


def train(material: Material, folder: Path) -> nn.Module:
    """Train, or go on from the folder's checkpoint; the averaged network of the last epoch."""
    finished, checkpoint = folder / "student.safetensors", folder / "checkpoint.pt"
    torch.manual_seed(0)
    student = Student().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(student).requires_grad_(False)
    if finished.is_file():
        averaged.load_state_dict(load_file(finished))
        return averaged.network
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
            views, tokens, wholes, logits = coming.result()
            coming = ahead.submit(batches.of_step, step + 1)
            with torch.autocast("cpu", torch.bfloat16):
                seen = [each.float() for each in student(views)]
            of_tokens = functional.smooth_l1_loss(seen[0], tokens, reduction="none").mean((0, 2, 3))
            loss = (of_tokens * weights).sum() / weights.sum() + functional.smooth_l1_loss(seen[1], wholes)
            if step >= TOKENS_ALONE * batches.each_epoch:
                loss = loss + functional.smooth_l1_loss(seen[2], logits)
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
                torch.save(state | {"optimizer": optimizer.state_dict(), "step": step + 1}, checkpoint)
    save_file({name: value.contiguous() for name, value in averaged.state_dict().items()}, finished)
    return averaged.network


@torch.no_grad()
def average(averaged: nn.Module, student: nn.Module, decay: float) -> None:
    """Move the average of the weights a step towards them."""
    for mean, value in zip(averaged.state_dict().values(), student.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


@torch.no_grad()
def explained(student: nn.Module, batches: Batches) -> str:
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
    of_logit = np.corrcoef(*(torch.cat([pair[-1][which][:, -1] for pair in found]).numpy() for which in (0, 1)))[0, 1]
    return f"of tokens {shares[0]:.3f}, of CLS {shares[1]:.3f}; correlation of the logit {of_logit:.3f}"
