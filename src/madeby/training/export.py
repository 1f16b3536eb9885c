"""From a trained network to the ONNX file that answers without PyTorch."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from madeby.detector.bundle import Preprocessing
from madeby.detector.runtime import INPUT_NAME, LOGIT_MAP_NAME, LOGIT_NAME, OnnxModel
from madeby.detector.views import Pixels, normalised
from madeby.errors import BundleError
from madeby.networks import picture_logit

OPSET = 18
MOST_DIFFERENCE = 1e-3
"""Largest difference of a logit between PyTorch and ONNX that an export may have."""

PARITY_VIEWS = 100


class _Answering(nn.Module):
    """A network as the bundle's model: pixels to logits, and the logit map where there is one."""

    def __init__(self, network: nn.Module, has_map: bool) -> None:
        super().__init__()
        self.network, self.has_map = network, has_map

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        output = self.network(pixels)
        return (picture_logit(output), output[:, 0]) if self.has_map else (picture_logit(output),)


def export_onnx(network: nn.Module, size: int, path: Path) -> None:
    """Write a network as ONNX (opset 18, fp32, batch normalisation folded).

    The model takes ``pixels`` (N, 3, size, size) with any N, and gives ``logit`` (N,) and, for networks with a
    logit map, ``logit_map`` (N, h, w); those take any height and width.
    """
    network = copy.deepcopy(network).cpu().float().eval().to(memory_format=torch.contiguous_format)
    example = torch.zeros(2, 3, size, size)
    with torch.no_grad():
        has_map = network(example).ndim == 4
    dynamic = torch.export.Dim.DYNAMIC
    free = {0: dynamic, 2: dynamic, 3: dynamic} if has_map else {0: dynamic}
    with _quiet_exporter():
        program = torch.onnx.export(
            _Answering(network, has_map).eval(),
            (example,),
            dynamo=True,
            input_names=[INPUT_NAME],
            output_names=[LOGIT_NAME, LOGIT_MAP_NAME] if has_map else [LOGIT_NAME],
            dynamic_shapes=(free,),
            opset_version=OPSET,
            verbose=False,
        )
        if program is None:
            raise BundleError("PyTorch's ONNX exporter gave no program")
        program.save(str(path), external_data=False)
    leave_out_traces(path)


def leave_out_traces(path: Path) -> None:
    """Take out of an ONNX file what the exporter notes for its makers: code, and where on this machine it lay."""
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, str(path))


def parity(network: nn.Module, views: Pixels, preprocessing: Preprocessing, path: Path) -> float:
    """Largest absolute difference of a logit between PyTorch and the exported model.

    Args:
        network: what was exported.
        views: (n, size, size, 3) uint8; the first 100 are compared.
        preprocessing: how they are standardised.
        path: the exported model.

    Raises:
        BundleError: the difference exceeds 1e-3, or a logit is no number.
    """
    model = OnnxModel(path)
    network = copy.deepcopy(network).cpu().float().eval()
    largest = 0.0
    for start in range(0, min(PARITY_VIEWS, len(views)), 10):
        pixels = normalised(np.asarray(views[start : start + 10]), preprocessing)
        with torch.no_grad():
            ours: npt.NDArray[np.float32] = picture_logit(network(torch.from_numpy(pixels))).numpy()
        difference = float(np.abs(ours - model.run(pixels)[0]).max())
        if not difference <= MOST_DIFFERENCE:
            raise BundleError(
                f"the exported model's logits differ by {difference:.2g} from the network's "
                f"(at most {MOST_DIFFERENCE:g} is allowed): training may have diverged; try a lower learning rate"
            )
        largest = max(largest, difference)
    return largest


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hush what the exporter says about its own insides; its errors are exceptions."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
