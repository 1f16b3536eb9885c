"""Which device trains, in how many processes and at which precision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from madeby.errors import RecipeError
from madeby.training.recipe import Recipe


@dataclass(frozen=True)
class Hardware:
    """The trainer's settings: accelerator, processes and whether bfloat16 is used for products."""

    accelerator: Literal["cpu", "cuda", "mps"]
    processes: int
    bf16: bool

    @property
    def precision(self) -> str:
        """``bf16`` or ``fp32``."""
        return "bf16" if self.bf16 else "fp32"


def hardware_for(recipe: Recipe, network: nn.Module) -> Hardware:
    """Resolve a recipe's ``device`` and ``precision`` on this machine.

    Raises:
        RecipeError: the device is not here or not known.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    accelerator, processes = recipe.device, 1
    if match := re.fullmatch(r"ddp:(\d+)", recipe.device):
        processes = int(match[1])
        accelerator = "cuda" if available["cuda"] else "cpu"
        if processes < 1 or (accelerator == "cuda" and processes > torch.cuda.device_count()):
            raise RecipeError(f"device {recipe.device!r}: this machine has {torch.cuda.device_count()} GPUs")
    elif recipe.device == "auto":
        accelerator = next(name for name in ("cuda", "mps", "cpu") if available[name])
    if accelerator not in available:
        raise RecipeError(f"device {recipe.device!r} is not one of auto, cpu, cuda, mps, ddp:N")
    if not available[accelerator]:
        raise RecipeError(f"device {accelerator!r} is not available on this machine: use auto or cpu")
    return Hardware(accelerator, processes, _bf16_pays(recipe, network, accelerator))  # type: ignore[arg-type]


def _bf16_pays(recipe: Recipe, network: nn.Module, accelerator: str) -> bool:
    if recipe.precision != "auto":
        if recipe.precision == "bf16" and accelerator == "cpu" and _has_grouped_convolutions(network):
            raise RecipeError("precision bf16: grouped convolutions crash in bfloat16 on CPUs; use fp32")
        return recipe.precision == "bf16"
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if accelerator == "mps" or _has_grouped_convolutions(network):
        return False
    return cpu_multiplies_bf16()


def _has_grouped_convolutions(network: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv2d) and module.groups > 1 for module in network.modules())


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bfloat16 products (AVX512-BF16 or AMX), not only conversions."""
    ask = getattr(torch.cpu, "get_capabilities", None)  # younger than the oldest torch we take
    capabilities = ask() if ask else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
