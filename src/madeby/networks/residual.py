"""A small residual network that keeps what generators leave in the pixels.

Traces of generation and of camera processing live in high frequencies and everywhere in the picture. So the
first convolution works at full resolution, there is no pooling that could swallow them before they are looked
at, and the head scores each place on its own: the picture's logit is the mean of a logit map, which is the
evidence map at the same time.

Residual blocks follow He et al. 2016, with batch normalisation, which folds into the convolutions at export.
Plain 3x3 convolutions are used throughout: depthwise ones save arithmetic but not time on CPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from madeby.errors import RecipeError
from madeby.networks.registry import register_network


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after))


class Block(nn.Module):
    """Two 3x3 convolutions around which the input is carried unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = _convolution(width, width)
        self.activation = nn.ReLU(inplace=True)
        # Starting as the identity lets the first steps train the short path (Goyal et al. 2017).
        nn.init.zeros_(cast(nn.BatchNorm2d, self.second[1]).weight)

    def forward(self, features: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        change = self.second(self.activation(self.first(features)))
        return cast(Tensor, self.activation(features + change))


@register_network(
    "residual",
    description="ours: small, fully convolutional, full resolution first, with a logit map as evidence",
    size=224,
)
class Residual(nn.Module):
    """A full-resolution stem, residual stages of doubling width, and a 1x1 head that maps logits.

    Args:
        stem: channels of the first convolution, at full resolution.
        width: channels of the first stage; each further stage has twice as many.
        depth: residual blocks, one number for all stages or one a stage.
        strides: by how much each stage shrinks its input; their count is the number of stages.
        dropout: share of the head's input channels dropped in training.

    Raises:
        RecipeError: an option has no meaning.
    """

    def __init__(
        self,
        stem: int = 16,
        width: int = 24,
        depth: int | Sequence[int] = 1,
        strides: Sequence[int] = (2, 2, 2),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        depths = [depth] * len(strides) if isinstance(depth, int) else list(depth)
        if len(depths) != len(strides) or not depths:
            raise RecipeError(f"residual: depth {depths} and strides {list(strides)} must name the same stages")
        if min(stem, width, *strides) < 1 or min(depths) < 0:
            raise RecipeError("residual: stem, width and strides must be at least 1 and depth at least 0")
        layers: list[nn.Module] = [_convolution(3, stem), nn.ReLU(inplace=True)]
        before = stem
        for stage, (blocks, stride) in enumerate(zip(depths, strides, strict=True)):
            after = width * 2**stage
            layers += [_convolution(before, after, stride), nn.ReLU(inplace=True)]
            layers += [Block(after) for _ in range(blocks)]
            before = after
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(before, 1, 1)

    def forward(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to an (N, 1, h, w) logit map, sides divided by the strides."""
        return cast(Tensor, self.head(self.dropout(self.features(views))))
