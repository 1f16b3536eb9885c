"""Depthwise convolutions that learn quickly on a CPU; see wild_lite_student.py.

PyTorch 2.14's own backward pass, in bfloat16 with channels last, takes ten times as long where steps are of two pixels
or kernels of five: half of the time of an EfficientNet's training. Here both are made of what is quick, of
convolutions with steps of one and of gradients of 3x3 kernels; the numbers are the same.
"""

from __future__ import annotations

import ctypes
import sys
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from madeby.networks.pyramid import Padded

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`."""


def keep_freed_memory() -> None:
    """Let what one step frees be taken by the next: fetched anew from the system it costs half of the time."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(MMAP_MAX, 0)
            libc.mallopt(TRIM_THRESHOLD, -1)


def quick(network: nn.Module) -> None:
    """Let a network's depthwise convolutions of 3x3 and 5x5 learn this way, in training; it cannot be exported then."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels:
            module.forward = partial(_forward, module)  # type: ignore[method-assign]


def _forward(module: nn.Conv2d, seen: Tensor) -> Tensor:
    weight, padding = module.weight, int(module.padding[0])
    if isinstance(module, Padded):
        seen, padding = module.padded(seen), 0
    if torch.is_autocast_enabled("cpu"):
        seen, weight = seen.bfloat16(), weight.bfloat16()
    return Depthwise.apply(seen, weight, module.stride[0], padding)


class Depthwise(torch.autograd.Function):
    """A depthwise convolution of (N, C, h, w) with (C, 1, k, k), k 3 or 5, the same step and padding on all sides."""

    @staticmethod
    def forward(context: Any, seen: Tensor, weight: Tensor, step: int, padding: int) -> Tensor:
        context.save_for_backward(seen, weight)
        context.step, context.padding = step, padding
        return functional.conv2d(seen, weight, None, step, padding, 1, len(weight))

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (gradient,), (seen, weight) = gradients, context.saved_tensors
        step, padding = context.step, context.padding
        of_seen = of_weight = None
        if context.needs_input_grad[0]:
            of_seen = _of_seen(gradient, seen, weight, step, padding)
        if context.needs_input_grad[1]:
            of_weight = _of_weight(gradient, seen, weight, step, padding)
        return of_seen, of_weight, None, None


def _of_seen(gradient: Tensor, seen: Tensor, weight: Tensor, step: int, padding: int) -> Tensor:
    """The gradient with zeros where steps passed over, convolved with the kernel turned round."""
    size = weight.shape[2]
    if step > 1:
        height, width = (side + 2 * padding - size + 1 for side in seen.shape[2:])
        spread = gradient.new_zeros((len(gradient), len(weight), height, width))
        spread = spread.contiguous(memory_format=torch.channels_last)
        spread[:, :, ::step, ::step] = gradient
        gradient = spread
    return functional.conv2d(gradient, weight.flip(2, 3), None, 1, size - 1 - padding, 1, len(weight))


def _of_weight(gradient: Tensor, seen: Tensor, weight: Tensor, step: int, padding: int) -> Tensor:
    """That of a 5x5 kernel from the four 3x3 ones of a 6x6 one."""
    if weight.shape[2] == 3:
        return _of_small_weight(gradient, seen, weight, step, padding)
    seen = functional.pad(seen, (padding, padding + 1, padding, padding + 1))
    height, width = ((side - 1) * step + 3 for side in gradient.shape[2:])
    found = weight.new_zeros((len(weight), 1, 6, 6))
    small = weight[:, :, :3, :3].contiguous()
    for top in (0, 3):
        for left in (0, 3):
            part = seen[:, :, top : top + height, left : left + width].contiguous(memory_format=torch.channels_last)
            found[:, :, top : top + 3, left : left + 3] = _of_small_weight(gradient, part, small, step, 0)
    return found[:, :, :5, :5]


def _of_small_weight(gradient: Tensor, seen: Tensor, weight: Tensor, step: int, padding: int) -> Tensor:
    steps, paddings = [step] * 2, [padding] * 2
    found = torch.ops.aten.convolution_backward(
        gradient, seen, weight, None, steps, paddings, [1, 1], False, [0, 0], len(weight), [False, True, False]
    )
    return found[1]
