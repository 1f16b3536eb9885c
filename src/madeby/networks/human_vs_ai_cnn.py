"""The CNN of the published "AI vs human-generated images" app, layer for layer.

The app ends in one sigmoid unit that it reads as "human"; here the last layer has one score a class, in label
order, so that nothing depends on that accident.
"""

from __future__ import annotations

import itertools
from typing import cast

from torch import Tensor, nn

from madeby.networks.registry import register_network


@register_network(
    "human_vs_ai_cnn",
    description="the Kaggle app's CNN: five unpadded convolutions and two dense layers on 255x255 pictures",
    size=255,
    fixed_size=True,
)
class HumanVsAiCnn(nn.Module):
    """Five unpadded 3x3 convolutions, 2x2 max pooling between the first four, then 9216 -> 64 -> 2.

    Sides: 255, 253, 126, 124, 62, 60, 30, 28, 14, 12; 720,194 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 64, 64, 64)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            if before != 3:
                layers.append(nn.MaxPool2d(2))
            layers += [nn.Conv2d(before, after, 3), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * 12 * 12, 64), nn.ReLU(inplace=True), nn.Linear(64, 2)
        )

    def forward(self, views: Tensor) -> Tensor:
        """(N, 3, 255, 255) standardised RGB to (N, 2) scores of (human, ai)."""
        return cast(Tensor, self.classifier(self.features(views)))
