"""What a model is run on: onnxruntime's execution providers, and how to get those that are not installed."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any

from madeby.errors import MadebyError


class Provider(StrEnum):
    """What runs a model; all but ``cpu`` need another build of onnxruntime than the one that comes with madeby."""

    CPU = "cpu"
    OPENVINO = "openvino"
    CUDA = "cuda"
    COREML = "coreml"
    DIRECTML = "directml"


ORT_NAMES = {
    Provider.CPU: "CPUExecutionProvider",
    Provider.OPENVINO: "OpenVINOExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.COREML: "CoreMLExecutionProvider",
    Provider.DIRECTML: "DmlExecutionProvider",
}
"""What onnxruntime calls them."""

_INSTEAD = "pip uninstall onnxruntime {0}, then pip install '{0}{1}' (both are the module onnxruntime)"
_HOW_TO_GET = {
    Provider.OPENVINO: _INSTEAD.format("onnxruntime-openvino", ""),
    Provider.CUDA: _INSTEAD.format("onnxruntime-gpu", "[cuda,cudnn]"),
    Provider.COREML: "it is part of onnxruntime on macOS, and of no other",
    Provider.DIRECTML: _INSTEAD.format("onnxruntime-directml", "") + "; on Windows only",
}


def load_onnxruntime() -> Any:
    """The module onnxruntime, told to report nothing."""
    # From 1.29 on it reports which models are run to its makers, unless told not to before it is loaded.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def provider_named(name: str, *, here: bool = True) -> Provider:
    """The provider of a name, present in the onnxruntime that is installed; with ``here`` False it may be elsewhere.

    Raises:
        MadebyError: there is no such provider, or it is not installed; the message says what to install.
    """
    try:
        provider = Provider(name)
    except ValueError:
        raise MadebyError(f"there is no provider {name!r}; there are {', '.join(Provider)}") from None
    if here and provider is not Provider.CPU:
        runtime = load_onnxruntime()
        if ORT_NAMES[provider] not in runtime.get_available_providers():
            version = runtime.__version__
            raise MadebyError(
                f"the onnxruntime {version} installed here has no provider {provider}: {_HOW_TO_GET[provider]}"
            )
    return provider


def session_arguments(provider: Provider, threads: int) -> list[tuple[str, dict[str, str]]]:
    """The provider as onnxruntime's sessions take it; ``threads`` inside one call, 0 for as many as it likes."""
    options = {}
    if provider is Provider.OPENVINO:
        options["precision"] = "FP32"  # where a processor has bfloat16, too: thresholds were set with float32
        if threads:  # it has threads of its own, which the session's options do not bound
            options["num_of_threads"] = str(threads)
    return [(ORT_NAMES[provider], options)]


def runs_on(session: Any, provider: Provider) -> bool:
    """Whether a session runs at least one part of its model on the provider that was asked for.

    Where a provider cannot start, or can run no part of a model, onnxruntime goes on with the CPU and says nothing.
    The session must have been told to record its assignments.
    """
    name = ORT_NAMES[provider]
    if name not in session.get_providers():
        return False
    if provider is Provider.CPU or not hasattr(session, "get_provider_graph_assignment_info"):
        return True  # versions before 1.24 do not tell which part runs where
    return any(part.ep_name == name for part in session.get_provider_graph_assignment_info())
