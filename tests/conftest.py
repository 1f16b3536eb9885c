"""Parts that several rooms' tests share: small pictures, a small real bundle, and an S3 service."""

from __future__ import annotations

import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

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
    Profile,
    Thresholds,
    sha256_of,
)


def noise(width: int, height: int, seed: int = 0, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was pulled on this machine is none of the tests' business: a pulled `wild` would answer in their place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MADEBY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


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
        profiles={Profile.EAGER: Thresholds(ai=0.6, human=0.4, false_alarm_target=0.05, miss_target=0.1)},
        domain=Domain(min_side=min_side),
    )
    bundle = Bundle(folder, spec)
    bundle.write_spec()
    (folder / "CARD.md").write_text(f"# {name}\n\nCalls bright pictures ai.\n")
    return bundle


@pytest.fixture(scope="session")
def s3_service() -> Iterator[str]:
    """The address of an S3 service that all tests share; :func:`s3` empties it."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A client of the emptied service, which the standard credential chain and AWS_ENDPOINT_URL lead everybody to."""
    import boto3
    import s3fs

    from madeby.pictures import object_stores

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_service)
    s3fs.S3FileSystem.clear_instance_cache()
    object_stores._files.cache_clear()
    urllib.request.urlopen(urllib.request.Request(f"{s3_service}/moto-api/reset", method="POST")).close()
    client = boto3.client("s3")
    yield client
    client.close()
