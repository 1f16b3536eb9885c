"""What a network is made of: layers, output shapes, parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from madeby.errors import RecipeError
from madeby.networks import NetworkEntry, build_network, network_entry, network_names


@dataclass(frozen=True)
class LayerSummary:
    """One layer at work on a single picture; ``macs`` counts multiply-accumulates."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class NetworkSummary:
    """A network at work on one square picture of ``size`` pixels."""

    name: str
    description: str
    size: int
    layers: tuple[LayerSummary, ...]
    parameters: int
    macs: int


def models_networks() -> list[NetworkEntry]:
    """All registered architectures, by name."""
    return [network_entry(name) for name in network_names()]


def network_summary(
    name: str, options: Mapping[str, Any] | str | None = None, size: int | None = None
) -> NetworkSummary:
    """Build a network and pass one blank picture through it.

    Args:
        name: a registered network.
        options: its options, as a mapping or as YAML text of one.
        size: side of the picture in pixels; None for the size it was designed for.

    Raises:
        RecipeError: unknown network or option, or the network takes no input of that size.
    """
    entry = network_entry(name)
    side = size or entry.size
    network = build_network(name, _options_of(options), side).eval()
    counter = FlopCounterMode(display=False)
    shapes: dict[str, tuple[int, ...]] = {}
    kinds: dict[str, tuple[str, int]] = {}
    handles = []
    for layer_name, layer in network.named_modules():
        if any(True for _ in layer.children()):
            continue
        kinds[layer_name] = type(layer).__name__, sum(value.numel() for value in layer.parameters())
        handles.append(layer.register_forward_hook(_note_shape(shapes, layer_name)))
    try:
        with torch.no_grad(), counter:
            network(torch.zeros(1, 3, side, side))
    finally:
        for handle in handles:
            handle.remove()
    counts = counter.get_flop_counts()
    root = type(network).__name__
    layers = tuple(
        LayerSummary(
            layer_name,
            kinds[layer_name][0],
            shape,
            kinds[layer_name][1],
            sum(counts.get(f"{root}.{layer_name}", {}).values()) // 2,
        )
        for layer_name, shape in shapes.items()
    )
    parameters = sum(value.numel() for value in network.parameters())
    return NetworkSummary(name, entry.description, side, layers, parameters, counter.get_total_flops() // 2)


def _options_of(options: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if not isinstance(options, str):
        return options or {}
    import yaml

    try:
        parsed = yaml.safe_load(options)
    except yaml.YAMLError:
        parsed = None
    if not isinstance(parsed, dict):
        raise RecipeError(f"network options {options!r} are not of the form '{{name: value}}'")
    return parsed


def _note_shape(shapes: dict[str, tuple[int, ...]], name: str) -> Any:
    def note(layer: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[name] = tuple(output.shape)

    return note
