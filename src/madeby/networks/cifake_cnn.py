"""The small CNN of the published CIFAKE notebook, layer for layer."""

from __future__ import annotations

import itertools
from typing import cast

from torch import Tensor, nn

from madeby.networks.registry import register_network


@register_network(
    "cifake_cnn",
    description="the CIFAKE notebook's CNN: three convolutions and two dense layers on 32x32 pictures",
    size=32,
    fixed_size=True,
)
class CifakeCnn(nn.Module):
    """Three times [3x3 convolution, ReLU, 2x2 max pooling], then 1024 -> 128 -> 2 with dropout 0.5."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        widths = (3, 16, 32, 64)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * 4 * 4, 128), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(128, 2)
        )

    def forward(self, views: Tensor) -> Tensor:
        """(N, 3, 32, 32) standardised RGB to (N, 2) scores of (human, ai)."""
        return cast(Tensor, self.classifier(self.features(views)))
