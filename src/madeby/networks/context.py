"""Places of a picture that are judged by what the whole picture is like (after the squeeze and excitation of Hu et al.
2018), and yet say together what the picture's logit says."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class Context(nn.Module):
    """What all places of a picture mean together, told to each of them.

    The mean of the places goes through a linear layer and is added to each. A second linear layer then asks for
    features, of which those count that are positive for the mean: at each place they are on or off together, so that
    their mean over the places is that second layer with a ReLU, applied to the mean, and what a linear head makes of it
    still is the mean of what it makes of the places.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.told = nn.Linear(width, width)
        self.asked = nn.Linear(width, width)

    def informed(self, seen: Tensor) -> Tensor:
        """(N, width, h, w) places to the same shape, each knowing the mean of all."""
        return torch.relu(seen + self.told(seen.mean((2, 3)))[:, :, None, None])

    def forward(self, seen: Tensor) -> Tensor:
        """(N, width, h, w) places to what counts of each, the same shape."""
        places = self.informed(seen)
        asked = nn.functional.conv2d(places, self.asked.weight[:, :, None, None], self.asked.bias)
        counts = (self.asked(places.mean((2, 3))) > 0).to(asked.dtype)
        return cast(Tensor, asked * counts[:, :, None, None])
