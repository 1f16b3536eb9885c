"""Any timm architecture by name, with random, ImageNet or local weights.

Friendly names stand for the timm names of networks that papers and data-set pages call otherwise.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from madeby.errors import RecipeError
from madeby.networks.registry import register_network

FRIENDLY_NAMES = {
    "xception": "legacy_xception",
    "efficientnet_lite0": "tf_efficientnet_lite0",
    "efficientnet_lite1": "tf_efficientnet_lite1",
    "efficientnet_lite2": "tf_efficientnet_lite2",
    "mobilenet_v3": "mobilenetv3_large_100",
    "inception_resnet_v2": "inception_resnet_v2",
    "clip_vit_b16": "vit_base_patch16_clip_224",
    "clip_vit_l14": "vit_large_patch14_clip_224",
    "convnext_v2_tiny": "convnextv2_tiny",
}


@register_network(
    "backbone",
    description="any timm network (xception, vgg19, efficientnet_lite0, ...), fresh or pretrained",
    size=224,
)
def backbone(model: str = "efficientnet_lite0", weights: str = "none", dropout: float = 0.0) -> nn.Module:
    """Build a timm network whose head scores (human, ai).

    Args:
        model: a timm name or one of ``FRIENDLY_NAMES``.
        weights: ``none``, ``imagenet`` (from the model hub, kept in its local cache), or the path of a
            ``.safetensors`` or ``.pth`` state dict; its ImageNet head is left out.
        dropout: share of the head's input dropped in training.

    Returns:
        A module from (N, 3, H, W) to (N, 2).

    Raises:
        RecipeError: unknown name, unreachable hub, or a file whose tensors do not fit.
    """
    import timm

    name = timm_name(model)
    if weights != "imagenet":
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=2, drop_rate=dropout)
        if weights != "none":
            load_weights(network, Path(weights))
        return network
    try:
        pretrained: nn.Module = timm.create_model(name, pretrained=True, num_classes=2, drop_rate=dropout)
    except (OSError, RuntimeError) as error:
        raise RecipeError(
            f"ImageNet weights of {name!r} could not be fetched from the model hub ({first_line(error)}): "
            "check the network, or give weights=PATH of a .safetensors or .pth file"
        ) from None
    return pretrained


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network from a state dict, leaving out the classifier and anything of another shape there.

    Reads ``.safetensors`` and, with ``weights_only=True``, ``.pth``/``.pt``; never runs pickled code.

    Raises:
        RecipeError: the file is missing, not a state dict, or does not fit the network.
    """
    state = adapted_names(read_state(path), set(network.state_dict()))
    own = network.state_dict()
    head = {name for name in own if name.startswith(_head_prefixes(network))}
    fitting = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    missing = sorted(set(own) - set(fitting) - head)
    if missing:
        raise RecipeError(
            f"{path} does not fit the network: {len(missing)} of {len(own)} tensors are missing or of another "
            f"shape, the first is {missing[0]!r}"
        )
    network.load_state_dict({name: value for name, value in fitting.items() if name not in head}, strict=False)


def adapted_names(state: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """State-dict keys translated to timm's, where the file uses the EfficientNet-lite port's names."""
    if "_conv_stem.weight" not in state:
        return state
    return _from_efficientnet_port(state, wanted)


def _from_efficientnet_port(state: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """Number the port's flat list of blocks by timm's stages, and rename the layers in them."""
    blocks = sorted(
        {tuple(int(part) for part in name.split(".")[1:3]) for name in wanted if name.startswith("blocks.")}
    )
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    with_expansion = {
        "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
        "_project_conv": "conv_pwl", "_bn2": "bn3",
    }  # fmt: skip
    without_expansion = {
        "_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2",
    }  # fmt: skip
    expanded = {name.split(".")[1] for name in state if "._expand_conv." in name}
    adapted: dict[str, Tensor] = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] == "_blocks":
            if int(parts[1]) >= len(blocks):
                continue  # a larger network's file: the missing-tensor check tells
            stage, place = blocks[int(parts[1])]
            layers = with_expansion if parts[1] in expanded else without_expansion
            parts = ["blocks", str(stage), str(place), layers.get(parts[2], parts[2]), *parts[3:]]
        else:
            parts[0] = outer.get(parts[0], parts[0])
        adapted[".".join(parts)] = value
    return adapted


def timm_name(model: str) -> str:
    """The timm name of a network that may be called by a friendly name.

    Raises:
        RecipeError: timm has no such network; the message suggests the nearest.
    """
    import timm

    name = FRIENDLY_NAMES.get(model, model)
    if timm.is_model(name.split(".")[0]):
        return name
    near = difflib.get_close_matches(model, [*FRIENDLY_NAMES, *timm.list_models()], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise RecipeError(f"timm has no network {model!r}{hint} List them with timm.list_models()")


def _head_prefixes(network: nn.Module) -> tuple[str, ...]:
    """The state-dict prefixes of timm's classifier layers."""
    configuration: Any = getattr(network, "pretrained_cfg", None) or {}
    names = configuration.get("classifier") or "classifier"
    return tuple(f"{name}." for name in ([names] if isinstance(names, str) else names))


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file or, with ``weights_only=True``, of a ``.pth``/``.pt`` one.

    Raises:
        RecipeError: the file is missing or holds something else than a state dict.
    """
    if not path.is_file():
        raise RecipeError(f"weights file {path} does not exist (use none, imagenet or a path)")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # every reader has errors of its own; all mean the same to the user
        raise RecipeError(f"weights file {path} is not a plain state dict: {first_line(error)}") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise RecipeError(f"weights file {path} is not a plain state dict of tensors")
    return content


def first_line(error: Exception) -> str:
    """The first line of what a library said, or its error's name where it said nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
