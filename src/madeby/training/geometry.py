"""Changes of a whole batch of pictures at once: each picture gets its own drawn value.

All take (N, 3, H, W) floats of 0..255 and (N,) values on the same device, except where said, and give the same
shape.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def flipped(views: Tensor, values: Tensor) -> Tensor:
    """Mirrored left to right where the value is 1."""
    return torch.where(values.bool()[:, None, None, None], views.flip(3), views)


def flipped_vertically(views: Tensor, values: Tensor) -> Tensor:
    """Mirrored top to bottom where the value is 1."""
    return torch.where(values.bool()[:, None, None, None], views.flip(2), views)


def rotated(views: Tensor, degrees: Tensor) -> Tensor:
    """Turned about the centre, bilinear, black where nothing was."""
    angles = degrees * (math.pi / 180)
    cosine, sine = torch.cos(angles), torch.sin(angles)
    height, width = views.shape[2:]
    matrices = _identity(views)
    matrices[:, 0, 0], matrices[:, 0, 1] = cosine, -sine * (height / width)
    matrices[:, 1, 0], matrices[:, 1, 1] = sine * (width / height), cosine
    return _sampled(views, matrices, "zeros")


def zoomed(views: Tensor, factors: Tensor) -> Tensor:
    """Enlarged (above 1) or shrunk about the centre, bilinear, continued by mirroring."""
    matrices = _identity(views)
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / factors
    return _sampled(views, matrices, "reflection")


def shifted(views: Tensor, pixels: Tensor) -> Tensor:
    """Moved by whole pixels, edges repeated; ``pixels`` is (N, 2), across and down."""
    moves = pixels.round().long()
    most = int(moves.abs().max())
    if most == 0:
        return views
    padded = functional.pad(views, (most, most, most, most), mode="replicate")
    height, width = views.shape[2:]
    columns = torch.arange(width, device=views.device) + most - moves[:, :1]
    rows = torch.arange(height, device=views.device) + most - moves[:, 1:]
    batch = torch.arange(len(views), device=views.device)[:, None, None]
    # Indices on both sides of the channel slice put the channels last.
    picked: Tensor = padded[batch, :, rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def brightened(views: Tensor, factors: Tensor) -> Tensor:
    """Multiplied by the factor, kept within 0..255."""
    return (views * factors[:, None, None, None]).clamp(0, 255)


def contrasted(views: Tensor, factors: Tensor) -> Tensor:
    """Drawn away from (above 1) or towards the picture's mean grey, kept within 0..255."""
    grey = views.mean((1, 2, 3), keepdim=True)
    return (grey + (views - grey) * factors[:, None, None, None]).clamp(0, 255)


def _identity(views: Tensor) -> Tensor:
    matrix = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], device=views.device)
    return matrix.repeat(len(views), 1, 1)


def _sampled(views: Tensor, matrices: Tensor, beyond: str) -> Tensor:
    grid = functional.affine_grid(matrices, list(views.shape), align_corners=False)
    return functional.grid_sample(views, grid, mode="bilinear", padding_mode=beyond, align_corners=False)
