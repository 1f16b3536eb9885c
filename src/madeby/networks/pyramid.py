"""A network that looks at three scales at once and scores every place of the picture.

The first stages of an EfficientNet-Lite give what they see at an eighth, a sixteenth and a thirty-second of the
picture's side. All three are brought to the middle one and mixed there (a feature pyramid of one level, after Lin et
al. 2017), every place is told what the whole picture is like, and a 1x1 head scores each: the picture's logit is the
mean of that map. Unlike `residual` it can begin with weights that know pictures already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from madeby.errors import RecipeError
from madeby.networks.backbone import load_weights, timm_name
from madeby.networks.context import Context
from madeby.networks.registry import register_network

FINE, MIDDLE, DEEP = 2, 4, 5
"""The stages that are looked at: sides divided by 8, 16 and 32. What comes after them serves ImageNet's classes."""

FINE_WIDTH, DEEP_WIDTH = 64, 128


@register_network(
    "pyramid",
    description="EfficientNet-Lite's first stages at three scales, every place knowing the whole, with a logit map",
    size=224,
)
class Pyramid(nn.Module):
    """Three scales of an EfficientNet-Lite, mixed, told of the whole, and a head that maps logits.

    Args:
        model: ``efficientnet_lite0``, ``_lite1`` or ``_lite2``.
        weights: ``none``, or the path of a ``.safetensors`` or ``.pth`` state dict of the whole EfficientNet-Lite.
        width: channels of the mixed places.
        drop_path: share of residual branches skipped in training (stochastic depth, Huang et al. 2016).
        dropout: share of the head's input channels dropped in training.

    Raises:
        RecipeError: another model, or a file whose tensors do not fit it.
    """

    def __init__(
        self,
        model: str = "efficientnet_lite0",
        weights: str = "none",
        width: int = 192,
        drop_path: float = 0.05,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        import timm

        name = timm_name(model)
        if not name.startswith("tf_efficientnet_lite"):
            raise RecipeError(f"pyramid: {model!r} is no EfficientNet-Lite; take efficientnet_lite0, _lite1 or _lite2")
        whole: Any = timm.create_model(name, pretrained=False, num_classes=2, drop_path_rate=drop_path)
        if weights != "none":
            load_weights(whole, Path(weights))
        _pad_plainly(whole)
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.stages = nn.ModuleList(whole.blocks[: DEEP + 1])
        fine, middle, deep = (whole.blocks[stage][-1].conv_pwl.out_channels for stage in (FINE, MIDDLE, DEEP))
        self.fine = nn.Sequential(*_layer(fine, FINE_WIDTH, 3, stride=2), nn.ReLU())
        self.deep = nn.Sequential(*_layer(deep, DEEP_WIDTH, 1))
        self.mixed = nn.Sequential(
            *_layer(middle + FINE_WIDTH + DEEP_WIDTH, width, 1), nn.ReLU(), *_layer(width, width, 3), nn.ReLU()
        )
        self.context = Context(width)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(width, 1, 1)

    def features(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to (N, width, H / 16, W / 16), rounded up; no place knows the whole yet."""
        seen, stages = self.stem(views), []
        for stage in self.stages:
            seen = stage(seen)
            stages.append(seen)
        middle = stages[MIDDLE]
        deep = nn.functional.interpolate(self.deep(stages[DEEP]), size=middle.shape[2:], mode="nearest")
        return cast(Tensor, self.mixed(torch.cat([middle, self.fine(stages[FINE]), deep], 1)))

    def places(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to what the head reads of each place, (N, width, h, w)."""
        return cast(Tensor, self.context(self.features(views)))

    def forward(self, views: Tensor) -> Tensor:
        """(N, 3, H, W) standardised RGB to an (N, 1, h, w) logit map."""
        return cast(Tensor, self.head(self.dropout(self.places(views))))


class Padded(nn.Conv2d):
    """A strided convolution that sees its input as TensorFlow's "same" padding of even sides shows it.

    Odd sides are padded as even ones: then what is added needs no arithmetic on the picture's size, on which
    exporters of open-sized models spend minutes.
    """

    def padded(self, input: Tensor) -> Tensor:
        """(N, C, h, w) with zeros around it, more of them at the right and the bottom."""
        before = (self.kernel_size[0] - 2) // 2
        after = self.kernel_size[0] - 1 - before
        return nn.functional.pad(input, (before, after, before, after))

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C', h / 2, w / 2), rounded up."""
        return nn.functional.conv2d(self.padded(input), self.weight, None, self.stride, 0, 1, self.groups)


def _pad_plainly(network: nn.Module) -> None:
    """Replace the strided convolutions of a TensorFlow port."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                size, groups = child.kernel_size[0], child.groups
                plain = Padded(child.in_channels, child.out_channels, size, 2, groups=groups, bias=False)
                plain.weight = child.weight
                setattr(module, name, plain)


def _layer(before: int, after: int, size: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(after)
