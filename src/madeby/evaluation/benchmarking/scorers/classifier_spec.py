"""How a classifier that others trained is to be asked: a small YAML or JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image
from pydantic import Field, ValidationError, model_validator

from madeby.detector.bundle import Positive
from madeby.detector.views import Pixels, resized
from madeby.errors import DataError
from madeby.evaluation.benchmarking.record import Cuts
from madeby.schema import Frozen

SUFFIXES = (".yaml", ".yml", ".json")
Floats = npt.NDArray[np.float32]


class ClassifierSpec(Frozen):
    """A classifier of pictures and how to ask it.

    ``kind`` and ``model``: an ``onnx`` file, a ``timm`` name (with ``weights``, a ``.safetensors`` or ``.pth`` state
    dict of the whole network, and ``classes``, how many outputs it has), or a ``transformers`` folder or hub name whose
    weights are safetensors. Paths are relative to the spec's folder.

    ``view``: ``squeeze`` shows the whole picture as ``size`` x ``size``, ``centre`` its middle: the shorter side
    becomes ``size / crop``, then the central square is cut. Pixels run from 0 to ``white``, then
    ``(x - mean) / std`` per channel. ``layout`` is the input's, channels first or last.

    ``ai`` or ``human`` says which of the outputs is meant, by its place or, for ``transformers``, its label; the other
    class has the rest of the probability. ``activation`` turns outputs into probabilities.
    """

    name: str = ""
    kind: Literal["onnx", "timm", "transformers"]
    model: str
    weights: str | None = None
    classes: int = Field(default=2, ge=1)
    size: int = Field(default=224, ge=8, le=4096)
    view: Literal["squeeze", "centre"] = "squeeze"
    crop: float = Field(default=1.0, gt=0.0, le=1.0)
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    white: Positive = 1.0
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    layout: Literal["nchw", "nhwc"] = "nchw"
    output: str | None = None
    activation: Literal["softmax", "sigmoid", "none"] = "softmax"
    ai: int | str | None = None
    human: int | str | None = None
    thresholds: Cuts = Cuts()

    @model_validator(mode="after")
    def _one_output_is_meant(self) -> ClassifierSpec:
        if (self.ai is None) == (self.human is None):
            raise ValueError("say which output is meant by either ai or human")
        if self.kind != "transformers" and isinstance(self.ai if self.human is None else self.human, str):
            raise ValueError("outputs have labels in transformers models only: give its place, counted from 0")
        return self

    def input(self, pixels: Pixels) -> Floats:
        """A picture (height, width, 3) uint8 as the network's input, (1, 3, size, size) or (1, size, size, 3)."""
        view = self._viewed(pixels).astype(np.float32) * np.float32(self.white / 255)
        standard: Floats = np.divide(view - np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32))
        return np.ascontiguousarray((standard if self.layout == "nhwc" else standard.transpose(2, 0, 1))[None])

    def probability(self, outputs: npt.NDArray[np.floating], place: int) -> float:
        """P(ai) from the outputs of one picture; ``place`` is that of the output that is meant.

        Raises:
            DataError: there is no such output, or no number in it.
        """
        values: npt.NDArray[np.float64] = np.asarray(outputs, np.float64).reshape(-1)
        if not -len(values) <= place < len(values):
            raise DataError(f"the network has {len(values)} outputs, the spec means the one at {place}")
        if self.activation == "softmax":
            if len(values) == 1:
                raise DataError("a softmax over one output is always 1: use activation sigmoid")
            odds = np.exp(values - values.max())
            values = np.asarray(odds / odds.sum(), np.float64)
        elif self.activation == "sigmoid":
            values = np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))), np.float64)
        meant = float(values[place])
        probability = meant if self.human is None else 1 - meant
        if not -1e-6 <= probability <= 1 + 1e-6:  # not a number is none of them either
            raise DataError(f"the network answers {meant:g}, which is no probability: check activation and output")
        return min(max(probability, 0.0), 1.0)

    def _viewed(self, pixels: Pixels) -> Pixels:
        how = Image.Resampling.BICUBIC if self.interpolation == "bicubic" else Image.Resampling.BILINEAR
        if self.view == "squeeze" and self.interpolation == "bilinear":
            return resized(pixels, self.size)
        picture = Image.fromarray(pixels)
        if self.view == "squeeze":
            return np.asarray(picture.resize((self.size, self.size), how))
        height, width = pixels.shape[:2]
        side = min(height, width) * self.crop
        left, top = (width - side) / 2, (height - side) / 2
        return np.asarray(picture.resize((self.size, self.size), how, (left, top, left + side, top + side)))


def read_spec(path: Path) -> ClassifierSpec:
    """Read a spec; what it names by a relative path is found beside it.

    Raises:
        DataError: the file is missing, or not such a spec; the message names the field.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as the spec of a classifier: {error}") from None
    try:
        spec = ClassifierSpec.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(f"{path} is not the spec of a classifier: {where}: {first['msg']}") from None
    found = {field: _beside(path, getattr(spec, field)) for field in ("model", "weights")}
    return spec.model_copy(update={"name": spec.name or path.stem, **found})


def spec_of_onnx(path: Path) -> ClassifierSpec:
    """The spec beside an ONNX file (``.yaml``, ``.yml``, ``.json``), which does not say how it wants to be asked.

    Raises:
        DataError: the file or its spec is missing; the message says what to write.
    """
    if not path.is_file():
        raise DataError(f"there is no ONNX file at {path}")
    for suffix in SUFFIXES:
        if path.with_suffix(suffix).is_file():
            return read_spec(path.with_suffix(suffix))
    raise DataError(
        f"{path} does not say how it wants to be asked: write {path.stem}.yaml beside it, with kind: onnx, "
        f"model: {path.name}, size, mean, std, activation, and ai: which of its outputs means ai"
    )


def _beside(spec: Path, named: str | None) -> str | None:
    """The path of a file or folder beside the spec; anything else is a name and stays one."""
    near = spec.parent / named if named else None
    return str(near) if near is not None and near.exists() else named
