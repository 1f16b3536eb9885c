"""The option ``--provider`` of every command that loads a model."""

from __future__ import annotations

from typing import Literal

Provider = Literal["cpu", "openvino", "cuda", "coreml", "directml"]

PROVIDER_HELP = "What runs the model. All but the CPU need another onnxruntime, which is named where it is missing."
