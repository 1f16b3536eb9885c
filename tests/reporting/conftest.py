"""A real run, small enough to be trained for every test session: smooth pictures against striped ones."""

import hashlib
import shutil

import numpy as np
import polars as pl
import pytest
from PIL import Image

import madeby
from madeby.datasets.manifest import COLUMNS, write_manifest

RECIPE = {"network": "cifake_cnn", "epochs": 2, "batch_size": 8, "schedule": "constant", "ema": 0.0, "augment": ()}


def write_pictures(folder, counts):
    """Pictures and their manifest; ``counts`` are those of each label by split. Every fifth looks like the other."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    rows = []
    for split, count in counts.items():
        for number in range(2 * count):
            label = ("human", "ai")[number % 2]
            pixels = rng.normal(rng.uniform(80, 170), 12, (32, 32, 3))
            if (label == "ai") != (number % 10 in {4, 5}):
                pixels[:, ::2] += 40
            path = folder / f"{split}-{number}.png"
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
            data = path.read_bytes()
            row = {"path": str(path), "label": label, "split": split, "width": 32, "height": 32, "format": "PNG"}
            row |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            row |= {"generator": f"gen-{number % 4 // 2}" if label == "ai" else None, "collection": f"set-{number % 3}"}
            rows.append(dict.fromkeys(COLUMNS) | row)
    manifest = folder.parent / f"{folder.name}.parquet"
    write_manifest(pl.DataFrame(rows, schema=COLUMNS), manifest)
    return manifest


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder with a manifest, a run evaluated on test inside its folder, and its audit."""
    home = tmp_path_factory.mktemp("reported")
    manifest = write_pictures(home / "tiny", {"train": 30, "val": 20, "test": 60})
    madeby.train(manifest, home / "first", overrides=RECIPE)
    madeby.evaluate(home / "first", manifest, home / "first" / "test", split="test", bootstrap=60)
    madeby.data_audit(manifest, json=home / "first" / "audit.json", threads=1)
    return home


@pytest.fixture
def home(trained, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(trained, tmp_path / "home")
    return tmp_path / "home"
