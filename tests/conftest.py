"""Parts that several rooms' tests share: small pictures and a small real bundle."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Tests run side by side, one process a core: with a pool of threads in each they would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from madeby.detector.bundle import (
    MODEL_FILE,
    Bundle,
    BundleSpec,
    Calibration,
    Domain,
    Preprocessing,
    Thresholds,
    sha256_of,
)


def noise(width: int, height: int, seed: int = 0, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def save_picture(tmp_path: Path) -> Callable[..., Path]:
    """Writes a seeded noise picture and gives its path."""

    def save(name: str, width: int = 64, height: int = 48, *, seed: int = 0, low: int = 0, high: int = 256) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(width, height, seed, low, high)).save(path)
        return path

    return save


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Makes a real bundle in the test's own folder: see :func:`write_bundle`."""
    return partial(write_bundle, tmp_path / "bundles")


@pytest.fixture(scope="session")
def brightness_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """One such bundle for tests that share a server."""
    return write_bundle(tmp_path_factory.mktemp("bundles"))


def write_bundle(
    folder: Path,
    name: str = "brightness",
    *,
    view: str = "crops",
    size: int = 32,
    crops: int = 4,
    thresholds: Thresholds | None = None,
    min_side: int = 1,
) -> Bundle:
    """A real bundle whose network calls bright pictures ai: the logit is ``4 * mean(pixels)``."""
    folder = folder / name
    folder.mkdir(parents=True)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["pixels", "over_channels"], ["grey"], keepdims=0),
            helper.make_node("Mul", ["grey", "four"], ["logit_map"]),
            helper.make_node("ReduceMean", ["logit_map", "over_picture"], ["logit"], keepdims=0),
        ],
        "brightness",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [
            helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("logit_map", TensorProto.FLOAT, ["n", "h", "w"]),
        ],
        [
            helper.make_tensor("over_channels", TensorProto.INT64, [1], [1]),
            helper.make_tensor("over_picture", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("four", TensorProto.FLOAT, [], [4.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / MODEL_FILE)
    spec = BundleSpec(
        name=name,
        network="brightness",
        onnx_opset=18,
        model_sha256=sha256_of(folder / MODEL_FILE),
        preprocessing=Preprocessing(view=view, size=size, crops=crops),
        calibration=Calibration(method="platt", slope=1.0, intercept=0.0, fitted_on="nothing", n=0),
        thresholds=thresholds or Thresholds(ai=0.9, human=0.1),
        domain=Domain(min_side=min_side),
    )
    bundle = Bundle(folder, spec)
    bundle.write_spec()
    (folder / "CARD.md").write_text(f"# {name}\n\nCalls bright pictures ai.\n")
    return bundle
