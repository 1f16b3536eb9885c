"""A run is a folder one can read, interrupt, resume and export."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import madeby
from madeby.datasets.manifest import read_manifest, write_manifest
from madeby.detector.bundle import Bundle
from madeby.errors import BundleError, DataError, RecipeError
from madeby.training.export_run import models_export
from madeby.training.fit import train
from madeby.training.recipe_files import load_recipe
from madeby.training.run import RunFolder

QUICK = {
    "network": "cifake_cnn",
    "epochs": 3,
    "batch_size": 8,
    "monitor": "val_loss",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "ema": 0.0,
}
INTERRUPTED = """
import os, signal, sys
from madeby.training.fit import train
from madeby.training.progress import Silent
class Killer(Silent):
    def batch(self, epoch, epochs, done, count):
        if epoch == 2 and done == 2:
            os.kill(os.getpid(), signal.SIGKILL)
train(sys.argv[1], sys.argv[2], overrides=eval(sys.argv[3]), progress=Killer())
"""


class Watcher:
    def __init__(self):
        self.stages, self.batches, self.epochs = set(), [], []

    def stage(self, name, done, count):
        self.stages.add(name)

    def batch(self, epoch, epochs, done, count):
        self.batches.append((epoch, epochs, done, count))

    def epoch(self, figures, best):
        self.epochs.append((figures.epoch, best))


def without_seconds(run: Path) -> list[list[str]]:
    return [line.split(",")[:-1] for line in (run / "metrics.csv").read_text().splitlines()]


def test_a_run_folder_tells_everything(make_manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watcher = Watcher()
    summary = train(make_manifest(), tmp_path / "run", overrides=QUICK, track="tensorboard", progress=watcher)
    run = RunFolder(tmp_path / "run")
    assert run.finished
    assert load_recipe(run.config).network == "cifake_cnn"
    assert json.loads(run.environment.read_text())["precision"] in ("fp32", "bf16")
    described = json.loads(run.manifest.read_text())
    assert described["train"] == {"human": 24, "ai": 24}
    assert described["val"] == {"human": 12, "ai": 12}
    assert [row.epoch for row in run.read_metrics()] == [1, 2, 3]
    assert (run.path / "loss.png").stat().st_size > 0
    assert (run.path / "accuracy.png").stat().st_size > 0
    assert list(run.tracking.glob("events.out.tfevents.*"))
    assert watcher.stages == {"training", "validation", "calibrating"}
    assert watcher.batches[-1] == (3, 3, 6, 6)
    assert [epoch for epoch, _ in watcher.epochs] == [1, 2, 3]
    assert summary.best.epoch == [epoch for epoch, best in watcher.epochs if best][-1]
    card = (run.bundle / "CARD.md").read_text()
    assert "48" in card
    assert described["sha256"] in card
    assert not (tmp_path / "lightning_logs").exists()

    spec = models_export(run.path, tmp_path / "exported").spec
    assert Bundle.open(tmp_path / "exported").spec == spec
    named = models_export(run.path, tmp_path / "exported", name="mine")  # an older bundle may be replaced
    assert named.spec.name == "mine"
    assert named.card.startswith("# mine 0.1.0\n")
    with pytest.raises(BundleError, match="names no bundle"):
        models_export(run.path, tmp_path / "named", name="../mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="not a bundle"):
        models_export(run.path, tmp_path / "other")
    with pytest.raises(RecipeError, match="finished run"):
        train(make_manifest(), run.path, overrides=QUICK)


@pytest.mark.parametrize(
    "more",
    [{}, {"prune": 0.5, "epochs": 4, "schedule": "one_cycle", "ema": 0.9}, {"auxiliary": "collection"}],
)
def test_a_killed_run_resumes_to_what_it_would_have_been(more, make_manifest, tmp_path):
    manifest, recipe = make_manifest(), QUICK | more
    command = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, str(manifest), str(tmp_path / "killed"), repr(recipe)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with pytest.raises(RecipeError, match="--resume"):
        train(manifest, tmp_path / "killed", overrides=QUICK)
    with pytest.raises(RecipeError, match="own recipe"):
        train(manifest, tmp_path / "killed", overrides=QUICK, resume=True)
    assert models_export(tmp_path / "killed", tmp_path / "early").spec.network == "cifake_cnn"
    train(manifest, tmp_path / "killed", resume=True)
    train(manifest, tmp_path / "whole", overrides=recipe)
    assert without_seconds(tmp_path / "killed") == without_seconds(tmp_path / "whole")


def test_a_run_is_exported_with_another_number_of_squares(make_manifest, tmp_path):
    squares = {"view": "crops", "size": 16, "crops": 4, "epochs": 1, "batch_size": 8, "network": "residual", "ema": 0.0}
    options = {"network_options": {"stem": 8, "width": 8}}
    train(make_manifest(), tmp_path / "run", overrides=squares | options)
    kept = models_export(tmp_path / "run", tmp_path / "kept").spec
    fewer = models_export(tmp_path / "run", tmp_path / "fewer", crops=1, version="0.2.0", licence="CC0-1.0").spec
    assert (kept.preprocessing.crops, kept.version) == (4, "0.1.0")
    assert (fewer.preprocessing.crops, fewer.version, fewer.licence) == (1, "0.2.0", "CC0-1.0")
    assert fewer.calibration != kept.calibration
    assert Bundle.open(tmp_path / "fewer").spec == fewer
    train(make_manifest(), tmp_path / "whole", overrides=QUICK | {"epochs": 1})
    with pytest.raises(RecipeError, match="whole pictures"):
        models_export(tmp_path / "whole", tmp_path / "none", crops=2)


def test_training_stops_when_nothing_gets_better(make_manifest, tmp_path):
    stuck = QUICK | {"epochs": 20, "patience": 1, "learning_rate": 1e-12, "monitor": "val_accuracy"}
    summary = train(make_manifest(), tmp_path / "run", overrides=stuck)
    assert summary.stopped_early
    assert summary.epochs == 2


def test_two_processes_train_one_network(make_manifest, tmp_path):
    overrides = QUICK | {"device": "ddp:2", "prune": 0.5, "auxiliary": "collection"}
    summary = train(make_manifest(), tmp_path / "run", overrides=overrides)
    assert summary.epochs == 3
    assert not (tmp_path / "run" / "cache").exists()


def changed(manifest: Path, change) -> Path:
    write_manifest(change(read_manifest(manifest)), manifest)
    return manifest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.filter(pl.col("split") != "val"), "no usable pictures in the 'val' split"),
        (lambda table: table.filter(pl.col("split") != "train"), "no usable pictures in the 'train' split"),
        (lambda table: table.filter(pl.col("label") == "ai"), "only 'ai' pictures"),
        (lambda table: table.with_columns(path=pl.col("path") + ".gone"), "could be decoded"),
    ],
)
def test_data_one_cannot_learn_from_is_refused(change, message, make_manifest, tmp_path):
    manifest = changed(make_manifest(train=4, val=4), change)
    with pytest.raises(DataError, match=message):
        train(manifest, tmp_path / "run", overrides=QUICK)


def test_unreadable_pictures_are_left_out_and_counted(make_manifest, tmp_path):
    manifest = make_manifest()
    (tmp_path / "tiny" / "train-3.png").write_bytes(b"no picture")
    (tmp_path / "tiny" / "val-4.png").unlink()
    assert train(manifest, tmp_path / "run", overrides=QUICK | {"epochs": 1}).unreadable == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"network": "human_vs_ai_cnn", "size": 32}, "255x255"),
        ({"augment": ["flipp"]}, "did you mean 'flip'"),
        ({"device": "tpu"}, "not one of auto"),
    ],
)
def test_wrong_recipes_are_refused_before_anything_is_written(overrides, message, make_manifest, tmp_path):
    with pytest.raises(RecipeError, match=message):
        train(make_manifest(train=2, val=2), tmp_path / "run", overrides=overrides)
    assert not (tmp_path / "run").exists()


def test_a_foreign_folder_is_left_alone(make_manifest, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"mine")
    with pytest.raises(RecipeError, match="no run's folder"):
        train(make_manifest(train=2, val=2), tmp_path / "photos", overrides=QUICK)
    with pytest.raises(RecipeError, match="no run to resume"):
        train(make_manifest(train=2, val=2), tmp_path / "new", resume=True)


def test_a_model_does_not_tell_where_it_was_made(make_manifest, tmp_path):
    train(make_manifest(), tmp_path / "run", overrides=QUICK | {"epochs": 1})
    model = (tmp_path / "run/bundle/model.onnx").read_bytes()
    assert str(Path(madeby.__file__).parent).encode() not in model
    assert b"stack_trace" not in model
