"""Classifiers that others trained: ONNX files, timm networks, transformers models. None of their code is run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from madeby.detector.bundle import sha256_of
from madeby.errors import DataError, ErrorCode, PictureError, needing_extra
from madeby.evaluation.benchmarking.record import DetectorInfo
from madeby.evaluation.benchmarking.scorers.classifier_spec import ClassifierSpec, Floats
from madeby.evaluation.benchmarking.scorers.scorer import DetectorFailedError, Shown

Run = Callable[[Floats], npt.NDArray[np.floating]]


class ClassifierScorer:
    """A classifier behind a spec."""

    threads = None

    def __init__(self, name: str, spec: ClassifierSpec) -> None:
        """Load it.

        Raises:
            DataError: the model or its weights are missing or do not fit the spec.
            MissingExtraError: what loads such models is not installed.
        """
        self._spec = spec
        meant = spec.ai if spec.human is None else spec.human
        self._place = meant if isinstance(meant, int) else 0
        loaded = {"onnx": _onnx, "timm": _timm, "transformers": _transformers}[spec.kind](spec)
        self._run = loaded[0]
        if isinstance(meant, str):
            self._place = _place_of(meant, loaded[1], spec.model)
        files = [Path(one) for one in (spec.model, spec.weights) if one and Path(one).is_file()]
        known = spec.model_dump_json() + "".join(sha256_of(file) for file in files)
        self.info = DetectorInfo(
            name=name,
            kind=spec.kind,
            fingerprint=hashlib.sha256(known.encode()).hexdigest()[:16],
            thresholds=spec.thresholds,
        )

    def score(self, shown: Shown) -> float:
        """P(ai) as the spec reads it from the outputs."""
        try:
            outputs = self._run(self._spec.input(shown.pixels))
        except Exception as error:  # every runtime has errors of its own
            raise PictureError(ErrorCode.INTERNAL, f"{self.info.name}: {_first_line(error)}") from None
        try:
            return self._spec.probability(outputs, self._place)
        except DataError as error:  # the same for every picture
            raise DetectorFailedError(str(error)) from None

    def close(self) -> None:
        """Nothing is held but memory."""


def _onnx(spec: ClassifierSpec) -> tuple[Run, dict[str, int]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: Any = onnxruntime.InferenceSession(spec.model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exception classes share no public root
        raise DataError(f"{spec.model} cannot be loaded as an ONNX model: {_first_line(error)}") from None
    inputs = [item.name for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs()]
    wanted = spec.output or outputs[0]
    if len(inputs) != 1 or wanted not in outputs:
        raise DataError(
            f"{spec.model} has inputs {inputs} and outputs {outputs}; needed are one input and "
            f"{f'the output {wanted!r}' if spec.output else 'one output'}"
        )
    return lambda values: np.asarray(session.run([wanted], {inputs[0]: values})[0]), {}


def _timm(spec: ClassifierSpec) -> tuple[Run, dict[str, int]]:
    import timm
    import torch

    from madeby.networks.backbone import adapted_names, read_state, timm_name

    try:
        if spec.weights is None:
            name = spec.model if ":" in spec.model else timm_name(spec.model)  # hf-hub:OWNER/NAME is the hub's own
            network = timm.create_model(name, pretrained=True)
        else:
            network = timm.create_model(timm_name(spec.model), pretrained=False, num_classes=spec.classes)
            network.load_state_dict(adapted_names(read_state(Path(spec.weights)), set(network.state_dict())))
    except (OSError, RuntimeError) as error:
        raise DataError(f"{spec.model}: its weights cannot be had or do not fit: {_first_line(error)}") from None
    network.eval()

    def run(values: Floats) -> npt.NDArray[np.floating]:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(values)).float().numpy())

    return run, {}


def _transformers(spec: ClassifierSpec) -> tuple[Run, dict[str, int]]:
    import torch

    with needing_extra(f"the detector {spec.name}", "transformers"):
        from transformers import AutoModelForImageClassification
    try:
        # Safetensors alone: a pickled checkpoint could run anything. Code that a hub folder carries is never run.
        network: Any = AutoModelForImageClassification.from_pretrained(spec.model, use_safetensors=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{spec.model} cannot be loaded by transformers: {_first_line(error)}") from None
    network.eval()

    def run(values: Floats) -> npt.NDArray[np.floating]:
        with torch.inference_mode():
            return np.asarray(network(pixel_values=torch.from_numpy(values)).logits.float().numpy())

    return run, {str(label): int(place) for place, label in network.config.id2label.items()}


def _place_of(label: str, places: dict[str, int], model: str) -> int:
    by_plain = {name.casefold(): place for name, place in places.items()}
    if label.casefold() not in by_plain:
        raise DataError(f"{model} has no label {label!r}; it has {', '.join(places)}")
    return by_plain[label.casefold()]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
