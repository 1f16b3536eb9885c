"""A small residual network that keeps what generators leave in the pixels.

Traces of generation and of camera processing live in high frequencies and everywhere in the picture. So the
first convolution works at full resolution, there is no pooling that could swallow them before they are looked
at, and the head scores each place on its own: the picture's logit is the mean of a logit map, which is the
evidence map at the same time.

With ``frequencies`` the first convolution starts as a bank of frequencies instead of at random. In photographs nearly
all energy is smooth, so random filters all answer to the same smooth part and the traces drown; the 3x3 cosine basis
on opponent colours takes patches apart into components that hardly correlate, and the normalisation behind it gives
each the same weight: about what whitening by principal components does (as in Jordan 2024), without the data.

With ``context`` a place is judged by what the whole picture is like: see :class:`~madeby.networks.context.Context`.

Residual blocks follow He et al. 2016, with batch normalisation, which folds into the convolutions at export.
Plain 3x3 convolutions are used throughout: depthwise ones save arithmetic, and little time on CPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from madeby.errors import RecipeError
from madeby.networks.context import Context
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


FREQUENCIES = 54
"""Channels of a bank of frequencies: 9 cosines of 3x3 pixels on 3 colours, each with both signs."""


def frequency_bank() -> Tensor:
    """The orthonormal DCT-II basis of 3x3 patches on luminance and two colour differences, and its negatives.

    Returns:
        (54, 3, 3, 3) filters over RGB.
    """
    places = torch.arange(3, dtype=torch.float64)
    cosines = torch.cos(torch.pi * (2 * places[None] + 1) * places[:, None] / 6)
    cosines[0] /= 2**0.5
    cosines *= (2 / 3) ** 0.5
    colours = torch.tensor([[1, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=torch.float64)
    colours /= colours.norm(dim=1, keepdim=True)
    bank = torch.einsum("kc,iy,jx->kijcyx", colours, cosines, cosines).reshape(27, 3, 3, 3)
    return torch.cat([bank, -bank]).float()


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
        frequencies: the first convolution starts as a bank of frequencies; then ``stem`` is 54.
        stem_stride: by how much the first convolution shrinks its input.
        context: every place knows the mean of all.
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
        frequencies: bool = False,
        stem_stride: int = 1,
        context: bool = False,
    ) -> None:
        super().__init__()
        depths = [depth] * len(strides) if isinstance(depth, int) else list(depth)
        if len(depths) != len(strides) or not depths:
            raise RecipeError(f"residual: depth {depths} and strides {list(strides)} must name the same stages")
        if min(stem, stem_stride, width, *strides) < 1 or min(depths) < 0:
            raise RecipeError("residual: stem, stem_stride, width and strides must be at least 1 and depth at least 0")
        if frequencies and stem != FREQUENCIES:
            raise RecipeError(f"residual: a bank of frequencies has stem: {FREQUENCIES} channels, not {stem}")
        layers: list[nn.Module] = [_convolution(3, stem, stem_stride), nn.ReLU(inplace=True)]
        if frequencies:
            cast(nn.Conv2d, cast(nn.Sequential, layers[0])[0]).weight.data.copy_(frequency_bank())
        before = stem
        for stage, (blocks, stride) in enumerate(zip(depths, strides, strict=True)):
            after = width * 2**stage
            layers += [_convolution(before, after, stride), nn.ReLU(inplace=True)]
            layers += [Block(after) for _ in range(blocks)]
            before = after
        self.features = nn.Sequential(*layers)
        self.context = Context(before) if context else nn.Identity()
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(before, 1, 1)

    def places(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to what the head reads of each place, (N, channels, h, w)."""
        return cast(Tensor, self.context(self.features(views)))

    def forward(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to an (N, 1, h, w) logit map, sides divided by the strides."""
        return cast(Tensor, self.head(self.dropout(self.places(views))))
