"""A study can be interrupted, shared and repeated, and every trial of it is a run like any other."""

import csv
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.detector.bundle import Bundle
from madeby.errors import DataError, RecipeError
from madeby.training.recipe_files import load_recipe
from madeby.training.run import RunFolder
from madeby.training.tuning.records import Plan
from madeby.training.tuning.search_files import load_search, search_names
from madeby.training.tuning.space import parse_space
from madeby.training.tuning.study import pruner_of
from madeby.training.tuning.trial import SilentTuning

QUICK = {"network": "cifake_cnn", "epochs": 2, "batch_size": 8, "schedule": "constant", "ema": 0.0, "augment": ()}
GRID = {"learning_rate": [1e-3, 1e-6], "weight_decay": [0.0, 0.1]}
WORKER = """
import os, signal, sys
import madeby
from madeby.training.tuning.trial import SilentTuning
class Killer(SilentTuning):
    number = -1
    def trial_begins(self, number, count, parameters, resumed):
        self.number = number
    def batch(self, epoch, epochs, done, count):
        if self.number == 1 and epoch == 2 and done == 2:
            os.kill(os.getpid(), signal.SIGKILL)
watcher = Killer() if sys.argv[5] == "killed" else None
madeby.tune(sys.argv[1], sys.argv[2], eval(sys.argv[3]), overrides=eval(sys.argv[4]), progress=watcher)
"""


def worker(manifest, folder, how, search=GRID):
    arguments = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        WORKER,
        str(manifest),
        str(folder),
        repr(search),
        repr(QUICK),
        how,
    ]
    return subprocess.Popen(arguments)


class Watcher(SilentTuning):
    def __init__(self):
        self.begun, self.epochs = [], []

    def trial_begins(self, number, count, parameters, resumed):
        self.begun.append((number, resumed))

    def epoch(self, figures, best):
        self.epochs.append(figures.epoch)


def rows_of(folder):
    with (folder / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_study_goes_on_at_the_checkpoint_of_its_unfinished_trial(make_manifest, tmp_path):
    manifest, folder = make_manifest(train=12, val=8), tmp_path / "study"
    assert worker(manifest, folder, "killed").wait() == -signal.SIGKILL
    assert [row["state"] for row in rows_of(folder)] == ["complete", "waiting", "waiting", "waiting"]
    watcher = Watcher()
    outcome = madeby.tune(manifest, folder, GRID, overrides=QUICK, progress=watcher)
    assert watcher.begun == [(1, True), (2, False), (3, False)]
    assert watcher.epochs == [2, 1, 2, 1, 2]
    assert [row.state for row in outcome.tuning.trials] == ["complete"] * 4
    assert [row.epoch for row in RunFolder(folder / "trials" / "1").read_metrics()] == [1, 2]

    again = Watcher()
    assert madeby.tune(manifest, folder, GRID, overrides=QUICK, progress=again).tuning == outcome.tuning
    assert again.begun == []

    tried = {tuple(row.parameters.values()) for row in outcome.tuning.trials}
    assert tried == {(1e-3, 0.0), (1e-3, 0.1), (1e-6, 0.0), (1e-6, 0.1)}
    best = outcome.tuning.best
    assert best.parameters["learning_rate"] == 1e-3
    assert best.value == max(row.value for row in outcome.tuning.trials)
    recipe = load_recipe(folder / "best.yaml")
    assert (recipe.learning_rate, recipe.network) == (1e-3, "cifake_cnn")
    assert {path.name for path in outcome.files} >= {"tuning.json", "trials.csv", "history.png", "parallel.png"}
    assert madeby.Tuning.from_json((folder / "tuning.json").read_text(), "it") == outcome.tuning
    exported = madeby.models_export(best.folder, tmp_path / "bundle")
    assert exported.spec == Bundle.open(RunFolder(folder / "trials" / str(best.number)).bundle).spec
    assert not (folder / "cache").exists()


def test_two_processes_share_a_study_and_double_nothing(make_manifest, tmp_path):
    manifest, folder = make_manifest(train=12, val=8), tmp_path / "study"
    both = [worker(manifest, folder, "whole", {"learning_rate": [1e-3, 1e-4, 1e-5]}) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    rows = rows_of(folder)
    assert [(row["trial"], float(row["learning_rate"])) for row in rows] == [("0", 1e-3), ("1", 1e-4), ("2", 1e-5)]
    assert sorted(path.name for path in (folder / "trials").iterdir()) == ["0", "1", "2"]
    for number in range(3):
        assert [row.epoch for row in RunFolder(folder / "trials" / str(number)).read_metrics()] == [1, 2]
    outcome = madeby.tune(manifest, folder, {"learning_rate": [1e-3, 1e-4, 1e-5]}, overrides=QUICK)
    assert outcome.tuning.count("complete") == 3


def test_tpe_draws_from_ranges_prunes_and_takes_more_trials_later(make_manifest, tmp_path):
    manifest = make_manifest(train=12, val=8)
    search = ["learning_rate=1e-8..1e-2:log", "batch_size=4..12:step=4", "augment=flip|flip,rotate=5"]
    settings = QUICK | {"epochs": 3, "monitor": "val_loss"}
    del settings["batch_size"], settings["augment"]
    first = madeby.tune(manifest, tmp_path / "study", search, overrides=settings, trials=4).tuning
    outcome = madeby.tune(manifest, tmp_path / "study", search, overrides=settings, trials=6)
    trials = outcome.tuning.trials
    assert trials[:4] == first.trials
    assert len(trials) == 6
    assert all(1e-8 <= row.parameters["learning_rate"] <= 1e-2 for row in trials)
    assert {row.parameters["batch_size"] for row in trials} <= {4, 8, 12}
    assert {row.parameters["augment"] for row in trials} == {"flip", "flip,rotate=5"}
    for row in trials:
        assert row.state in {"complete", "pruned"}
        assert row.epochs == (3 if row.state == "complete" else 2)
        assert Bundle.open(RunFolder(tmp_path / "study" / "trials" / str(row.number)).bundle)
    assert sum(outcome.tuning.importance.values()) == pytest.approx(1, abs=0.01)


def test_the_terminal_shows_the_table_and_the_best_and_says_what_was_not_read(make_manifest, tmp_path):
    arguments = ["tune", "--data", str(make_manifest(train=8, val=6)), "-o", str(tmp_path / "study"), "--epochs", "1"]
    arguments += ["--search", "learning_rate=0.001,1000000", "--network", "cifake_cnn", "--batch-size", "8"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "failed: training diverged" in result.output
    assert "learning_rate 0.001" in result.output
    assert "test split" in result.output
    assert (tmp_path / "study" / "best.yaml").read_text().startswith("# Trial ")


def test_a_configuration_that_cannot_be_trained_fails_alone(make_manifest, tmp_path):
    search = {"network": ["human_vs_ai_cnn", "cifake_cnn"]}
    settings = {"epochs": 1, "batch_size": 8, "size": 32, "ema": 0.0, "augment": ()}
    outcome = madeby.tune(make_manifest(train=8, val=6), tmp_path / "study", search, overrides=settings)
    failed, complete = outcome.tuning.trials
    assert (failed.state, complete.state) == ("failed", "complete")
    assert "255x255" in failed.problem
    with pytest.raises(RecipeError, match="all 2 trials failed"):
        madeby.tune(
            make_manifest(train=8, val=6), tmp_path / "none", {"tiles": [1, 2]},
            overrides=settings | {"network": "human_vs_ai_cnn", "size": 32},
        )  # fmt: skip


def test_another_study_in_the_same_place_is_told_apart(make_manifest, tmp_path):
    manifest = make_manifest(train=8, val=6)
    settings = QUICK | {"epochs": 1}
    madeby.tune(manifest, tmp_path / "study", {"tiles": [1, 2]}, overrides=settings)
    with pytest.raises(RecipeError, match="another search space"):
        madeby.tune(manifest, tmp_path / "study", {"tiles": [1, 3]}, overrides=settings)
    with pytest.raises(RecipeError, match=r"another recipe \(momentum\)"):
        madeby.tune(manifest, tmp_path / "study", {"tiles": [1, 2]}, overrides=settings | {"momentum": 0.5})
    with pytest.raises(RecipeError, match="another data"):
        madeby.tune(make_manifest(train=9, val=6), tmp_path / "study", {"tiles": [1, 2]}, overrides=settings)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"mine")
    with pytest.raises(RecipeError, match="holds no study"):
        madeby.tune(manifest, tmp_path / "photos", {"tiles": [1, 2]}, overrides=settings)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("learning_rat=1,2", "did you mean 'learning_rate'"),
        ("learning_rate=-1,1", "search learning_rate: .*greater than 0"),
        ("learning_rate=0.001", "search learning_rate: one value is no search"),
        ("learning_rate=1e-2..1e-3", "search learning_rate: 1e-2..1e-3 does not rise"),
        ("weight_decay=0..1:log", "search weight_decay: a logarithmic range starts above 0"),
        ("weight_decay=0..1:cube", "ends in :log or :step=NUMBER"),
        ("weight_decay=0..1:step=2", "steps of 2 do not fit"),
        ("weight_decay=0..much", "search weight_decay: 'much' is not a number"),
        ("batch_size=1.5..4", "search batch_size: takes whole numbers"),
        ("batch_size=128,128", "search batch_size: 128 is given twice"),
        ("batch_size=64,,128", "search batch_size: a value is empty"),
        ("optimizer=adam,adamm", "search optimizer: .*'adamm'"),
        ("optimizer=a..b", "search optimizer: "),
        ("augment=flip,rotate=10", r"give several divided by \|"),
        ("augment=flip|flipp", "search augment: .*did you mean 'flip'"),
        ("monitor=val_loss,val_auroc", "search monitor: trials are compared by it"),
        ("notebook", "shipped search: notebook-grid"),
        ("missing.yaml", "nor a file"),
    ],
)
def test_wrong_search_spaces_are_refused_before_anything_is_written(search, message, make_manifest, tmp_path):
    with pytest.raises(RecipeError, match=message):
        madeby.tune(tmp_path / "no.parquet", tmp_path / "study", search)
    assert not (tmp_path / "study").exists()


def test_a_field_is_named_once_and_a_grid_has_its_own_number(tmp_path):
    for search, more, message in (
        (["epochs=1,2", "epochs=3,4"], {}, "epochs: named twice"),
        (["epochs=1,2"], {"overrides": {"epochs": 3}}, "epochs: is set to one value as well"),
        (["epochs=1,2"], {"sampler": "grid", "trials": 5}, "the grid has 2 trials, not 5"),
        (["learning_rate=0.1..0.2"], {"sampler": "grid"}, "a grid needs values"),
        ([], {}, "nothing to search"),
        (["notebook-grid", "epochs=1,2"], {}, "give it alone"),
    ):
        with pytest.raises(RecipeError, match=message):
            madeby.tune(tmp_path / "no.parquet", tmp_path / "study", search, **more)
    with pytest.raises(DataError, match="no manifest"):
        madeby.tune(tmp_path / "no.parquet", tmp_path / "study", ["epochs=1,2"])


def test_the_notebooks_grid_is_the_notebooks():
    assert search_names() == ["notebook-grid"]
    grid = load_search("notebook-grid")
    space = parse_space(grid.search, grid.recipe, grid.set)
    assert (grid.recipe, grid.sampler, grid.set) == ("cifake-notebook", "grid", {"epochs": 5, "patience": 3})
    assert space.size == 9
    assert space.configuration(0) == {"learning_rate": 0.0005, "batch_size": 128}
    assert space.configuration(8) == {"learning_rate": 0.005, "batch_size": 256}


@pytest.mark.parametrize(
    ("search", "sizes"),
    [
        ({"network_options.width": "8,16"}, 2),
        ({"label_smoothing": "0..0.2"}, None),
        ({"epochs": "2..5", "batch_size": "64..256:step=64"}, 16),
        ({"mean": "0,0,0|0.5,0.5,0.5", "weight_decay": "0..0.1:step=0.05"}, 6),
        ({"augment": [["flip"], [], "flip,shift=2"]}, 3),
        ({"ema": [0, 0.9]}, 2),
    ],
)
def test_spaces_are_counted_where_they_can_be(search, sizes):
    assert parse_space(search, "small", {}).size == sizes


def test_a_search_file_that_is_none_is_refused(tmp_path):
    for text, message in (
        ("search: [", "not valid YAML"), ("5", "search.*file"), ("sampler: grid", "search: Field required"),
        ("search: {epochs: [1, 2]}\nsamplers: tpe", "samplers"),
    ):  # fmt: skip
        (tmp_path / "search.yaml").write_text(text)
        with pytest.raises(RecipeError, match=message):
            load_search(str(tmp_path / "search.yaml"))


def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(make_manifest, tmp_path):
    for storage, message in (
        ("nonsense://u:secret@h/d", r"storage nonsense://u:\*\*\*@h/d"),
        ("no url", "storage 'no url'"),
        (f"sqlite:///{tmp_path}", "cannot be used"),
    ):
        with pytest.raises(RecipeError, match=message) as raised:
            madeby.tune(
                make_manifest(train=4, val=4), tmp_path / "study", {"tiles": [1, 2]}, overrides=QUICK, storage=storage
            )
        assert "secret" not in str(raised.value)


def test_epochs_may_vary_under_hyperband():
    space = parse_space({"epochs": "2..16:log"}, "cifake-notebook", {})
    plan = Plan(
        space=space, recipe={"epochs": 5}, manifest_sha256="", monitor="val_loss", mode="min", sampler="tpe",
        pruner="hyperband", seed=0,
    )  # fmt: skip
    assert pruner_of(plan)._max_resource == 16
