"""The registry of trainable architectures.

A network is a plain ``nn.Module``. Its ``forward`` takes (N, 3, H, W) standardised RGB and returns either

* (N, 2) class scores in label order (human, ai), as the published two-output networks do, or
* (N, 1, h, w), a map of logits over the picture whose mean is the picture's logit.

:func:`picture_logit` turns both into one logit a picture, positive for ``ai``. For two scores that is their
difference: the softmax over two classes is the sigmoid of it, so the loss and its gradients are the same.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from madeby.errors import RecipeError


@dataclass(frozen=True)
class NetworkEntry:
    """One registered architecture.

    ``size`` is the side of the square input in pixels it was designed for; ``fixed_size`` says that it takes
    no other. ``build`` takes the recipe's ``network_options`` as keyword arguments.
    """

    name: str
    description: str
    size: int
    fixed_size: bool
    build: Callable[..., nn.Module]


_NETWORKS: dict[str, NetworkEntry] = {}


def register_network(
    name: str, *, description: str, size: int, fixed_size: bool = False
) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    """Class or function decorator that puts a network into the registry under ``name``."""

    def register(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        _NETWORKS[name] = NetworkEntry(name, description, size, fixed_size, build)
        return build

    return register


def network_names() -> list[str]:
    """Names of all registered networks, sorted."""
    return sorted(_NETWORKS)


def network_entry(name: str) -> NetworkEntry:
    """Look a network up.

    Raises:
        RecipeError: no network has that name; the message suggests the nearest.
    """
    if name in _NETWORKS:
        return _NETWORKS[name]
    near = difflib.get_close_matches(name, _NETWORKS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise RecipeError(f"no network is called {name!r}{hint} Known: {', '.join(network_names())}")


def build_network(name: str, options: Mapping[str, Any], size: int) -> nn.Module:
    """A freshly initialised network for square views of ``size`` pixels.

    Raises:
        RecipeError: unknown network or option, or the network takes no input of that size.
    """
    entry = network_entry(name)
    if entry.fixed_size and size != entry.size:
        raise RecipeError(f"network {name!r} takes {entry.size}x{entry.size} pixels only: set size to {entry.size}")
    known = list(inspect.signature(entry.build).parameters)
    for option in options:
        if option not in known:
            raise RecipeError(f"network {name!r} has no option {option!r}; it has: {', '.join(known) or 'none'}")
    try:
        return entry.build(**options)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"network {name!r} cannot be built with {dict(options)}: {error}") from None


def picture_logit(output: Tensor) -> Tensor:
    """One logit a picture, (N,), from a network's output: see the module's description."""
    if output.ndim == 2 and output.shape[1] == 2:
        return output[:, 1] - output[:, 0]
    return output.flatten(1).mean(1)
