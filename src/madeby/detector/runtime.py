"""Runs a bundle's ONNX model with onnxruntime."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from madeby.detector.providers import Provider, load_onnxruntime, runs_on, session_arguments
from madeby.errors import BundleError

INPUT_NAME = "pixels"
LOGIT_NAME = "logit"
LOGIT_MAP_NAME = "logit_map"

Floats = npt.NDArray[np.float32]


class OnnxModel:
    """One ONNX model, loaded; safe to call from several threads at once.

    The model takes ``pixels`` (N, 3, H, W) float32 and gives ``logit`` (N,) and, where its network has one,
    ``logit_map`` (N, h, w).
    """

    def __init__(self, path: Path, *, threads: int = 0, provider: Provider = Provider.CPU) -> None:
        """Load the model; ``threads`` inside one call, 0 for one a core.

        Raises:
            BundleError: the file is not an ONNX model with these inputs and outputs, or the provider cannot run it.
        """
        onnxruntime = load_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads sleep: between two pictures there is other work for the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        on = "" if provider is Provider.CPU else f" by the provider {provider}"
        if provider is not Provider.CPU:
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if provider is Provider.CUDA and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # finds CUDA and cuDNN where pip has put them
        if provider is Provider.DIRECTML:
            options.enable_mem_pattern = False
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path),
                sess_options=options,
                providers=session_arguments(provider, threads),
                enable_fallback=0,
            )
            runs = runs_on(self._session, provider)
        except Exception as error:  # onnxruntime's exception classes share no public root
            raise BundleError(f"{path} cannot be loaded as an ONNX model{on}: {error}") from None
        if not runs:
            raise BundleError(
                f"{path} is not run{on}: onnxruntime has it, but would go on with the CPU instead; "
                f"check that the device and its driver are there, or leave --provider out"
            )
        # DirectML takes one call at a time.
        self._turn = threading.Lock() if provider is Provider.DIRECTML else contextlib.nullcontext()
        outputs = [output.name for output in self._session.get_outputs()]
        inputs = [item.name for item in self._session.get_inputs()]
        if inputs != [INPUT_NAME] or LOGIT_NAME not in outputs:
            raise BundleError(
                f"{path} has inputs {inputs} and outputs {outputs}; "
                f"a detector takes {INPUT_NAME!r} and gives {LOGIT_NAME!r}"
            )
        self.has_map = LOGIT_MAP_NAME in outputs
        self._outputs = [LOGIT_NAME, LOGIT_MAP_NAME] if self.has_map else [LOGIT_NAME]

    def run(self, pixels: Floats) -> tuple[Floats, Floats | None]:
        """Logits (N,) and, if the model has one, logit map (N, h, w) of standardised pixels (N, 3, H, W)."""
        with self._turn:
            values = self._session.run(self._outputs, {INPUT_NAME: pixels})
        return values[0], values[1] if self.has_map else None
