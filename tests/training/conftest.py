"""A tiny labelled set that any network learns: smooth pictures against striped ones."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from madeby.datasets.manifest import COLUMNS, write_manifest
from madeby.detector.bundle import Bundle, BundleSpec, Calibration, Preprocessing, sha256_of


def picture(label: str, side: int, rng: np.random.Generator) -> np.ndarray:
    pixels = rng.normal(rng.uniform(80, 170), 12, (side, side, 3))
    if label == "ai":
        pixels[:, ::2] += 40
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A real network of random weights, as a bundle: its features are some, its answers none."""
    import torch

    from madeby.networks import build_network
    from madeby.training.export import export_onnx

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bundles") / "untrained"
    folder.mkdir()
    export_onnx(build_network("residual", {"stem": 16, "width": 16}, 32), 32, folder / "model.onnx")
    spec = BundleSpec(
        name="untrained",
        network="residual",
        onnx_opset=18,
        model_sha256=sha256_of(folder / "model.onnx"),
        preprocessing=Preprocessing(view="crops", size=32, crops=2),
        calibration=Calibration(method="platt", slope=1.3, intercept=-0.2, fitted_on="nothing", n=0),
    )
    bundle = Bundle(folder, spec)
    bundle.write_spec()
    (folder / "CARD.md").write_text("# untrained\n\nKnows nothing.\n")
    return bundle


@pytest.fixture
def make_manifest(tmp_path) -> Callable[..., Path]:
    """Writes pictures and their manifest: ``train`` and ``val`` pictures of each label."""

    def make(train: int = 24, val: int = 12, side: int = 32, name: str = "tiny", seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        rows = []
        for split, count in (("train", train), ("val", val)):
            for number in range(2 * count):
                label = ("human", "ai")[number % 2]
                path = tmp_path / name / f"{split}-{number}.png"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(picture(label, side, rng)).save(path)
                data = path.read_bytes()
                rows.append(
                    dict.fromkeys(COLUMNS)
                    | {
                        "path": str(path),
                        "label": label,
                        "split": split,
                        "collection": f"set-{number % 3}",
                        "width": side,
                        "height": side,
                        "format": "PNG",
                        "bytes": len(data),
                        "sha256": hashlib.sha256(data).hexdigest(),
                    }
                )
        manifest = tmp_path / f"{name}.parquet"
        write_manifest(pl.DataFrame(rows, schema=COLUMNS), manifest)
        return manifest

    return make
