"""The option ``--provider`` of every command that loads a model."""

from __future__ import annotations

from typing import Literal

Provider = Literal["cpu", "openvino", "cuda", "coreml", "directml"]

PROVIDER_HELP = "What runs the model; all but the CPU need another onnxruntime to be installed, and say which."
