import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

import madeby
from madeby import DataError, RecipeError
from madeby.datasets.manifest import read_manifest, write_manifest

PLOTS = {"confusion.png", "reliability.png", "scores.png", "roc.png", "precision_recall.png"}
NAMES = {
    *("n", "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "precision_ai"),
    *("recall_ai", "f1_ai", "auroc", "average_precision", "tpr_at_fpr_1", "tpr_at_fpr_5", "ece", "brier", "nll"),
    *("confusion", "intervals", "by"),
}


@pytest.fixture
def manifest(tmp_path):
    """60 pictures: AI ones mostly brighter, which is what the test's bundle calls ai."""
    rng = np.random.default_rng(0)
    for number in range(60):
        label = "ai" if number % 2 else "human"
        folder = tmp_path / "set" / ("test" if number < 40 else "train") / label
        folder.mkdir(parents=True, exist_ok=True)
        level = np.clip((170 if label == "ai" else 85) + rng.normal(0, 45), 0, 255)
        Image.fromarray(np.full((40, 40, 3), level, np.uint8)).save(folder / f"{number:02}.png")
    path = tmp_path / "manifest.parquet"
    madeby.data_import("folders", tmp_path / "set", output=path)
    table = read_manifest(path).with_columns(
        pl.when(pl.col("label") == "ai").then(pl.lit("gen-1")).alias("generator"), pl.lit("here").alias("collection")
    )
    write_manifest(table, path)
    return path


def test_an_evaluation_writes_its_figures_predictions_plots_and_mistakes(manifest, make_bundle, tmp_path):
    bundle = make_bundle(view="resize", size=32, crops=1)
    evaluation = madeby.evaluate(bundle.folder, manifest, tmp_path / "out", split="test", bootstrap=100)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"metrics.json", "predictions.parquet", "mistakes_human.png", "mistakes_ai.png"} | PLOTS == written
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(metrics) >= NAMES
    assert metrics["n"] == 40
    assert 0.7 < metrics["auroc"] < 1
    assert np.sum(metrics["confusion"]) == 40
    assert metrics["by"]["generator"]["gen-1"]["auroc"] == metrics["auroc"]
    assert metrics["by"]["collection"]["here"]["n"] == 40
    assert evaluation.metrics.model.sha256 == bundle.spec.model_sha256
    predictions = pl.read_parquet(tmp_path / "out" / "predictions.parquet")
    scanned = {result.source: result.probability for result in madeby.scan(predictions["path"], model=bundle.folder)}
    assert predictions["probability"].to_list() == pytest.approx([scanned[path] for path in predictions["path"]])


def test_pictures_that_vanished_are_named_and_left_out(manifest, make_bundle, tmp_path):
    table = read_manifest(manifest).filter(pl.col("split") == "test")
    (gone, *_) = table["path"]
    (tmp_path / gone).unlink()
    evaluation = madeby.evaluate(make_bundle().folder, manifest, tmp_path / "out", bootstrap=0)
    assert [unread.path for unread in evaluation.unread] == [gone]
    assert evaluation.metrics.n == 39
    assert evaluation.metrics.unreadable == 1


def test_one_class_alone_is_still_evaluated(manifest, make_bundle, tmp_path):
    write_manifest(read_manifest(manifest).filter(pl.col("label") == "human"), manifest)
    evaluation = madeby.evaluate(make_bundle().folder, manifest, tmp_path / "out", bootstrap=10)
    assert evaluation.metrics.auroc is None
    assert evaluation.metrics.accuracy is not None
    assert "roc.png" not in {path.name for path in evaluation.plots}


def test_a_split_without_pictures_names_those_that_have_some(manifest, make_bundle, tmp_path):
    with pytest.raises(DataError, match="no split is called 'tset'"):
        madeby.evaluate(make_bundle("a").folder, manifest, tmp_path / "out", split="tset")
    write_manifest(read_manifest(manifest).filter(pl.col("split") != "val"), manifest)
    with pytest.raises(DataError, match="splits that have: test, train"):
        madeby.evaluate(make_bundle("b").folder, manifest, tmp_path / "out", split="validation")


def test_the_card_says_what_was_measured_and_how_to_repeat_it(manifest, make_bundle, tmp_path):
    bundle = make_bundle()
    for bootstrap in (10, 20):
        madeby.evaluate(
            bundle.folder, manifest, tmp_path / "out", split="all", bootstrap=bootstrap, into_card="the test's set"
        )
    card = bundle.card
    assert card.startswith("# brightness")
    assert card.count("## Measured on the test's set") == 1
    assert "--bootstrap 20" in card
    assert "collection: here" in card
    metrics = json.loads((bundle.folder / "metrics.json").read_text())
    auroc = metrics["the test's set"]["auroc"]
    assert f"{auroc:.3f}" in card


def test_a_place_that_cannot_be_a_folder_is_told_before_any_picture_is_read(manifest, make_bundle, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be made a folder"):
        madeby.evaluate(make_bundle().folder, manifest, tmp_path / "file", progress=lambda done, count: pytest.fail())


def test_the_card_says_where_the_detector_is_no_better_than_chance(manifest, make_bundle, tmp_path):
    table = read_manifest(manifest)
    write_manifest(table.with_columns(table["label"].sample(fraction=1, shuffle=True, seed=3)), manifest)
    bundle = make_bundle()
    madeby.evaluate(bundle.folder, manifest, tmp_path / "out", split="all", bootstrap=200, into_card="shuffled")
    assert "**Not shown to be better than chance here**" in bundle.card


def test_pictures_that_stand_in_train_too_are_counted_and_figures_given_without_them(manifest, make_bundle, tmp_path):
    table = read_manifest(manifest)
    test, train = table.filter(pl.col("split") == "test"), table.filter(pl.col("split") == "train")
    source, copy = test["path"][0], train["path"][0]
    assert test["label"][0] == train["label"][0]
    Image.open(source).save(tmp_path / "again.bmp")  # other bytes, the same pixels
    looks = {name: test[name][0] for name in ("perceptual_hash", "width", "height")}
    table = table.with_columns(
        *(
            pl.when(pl.col("path") == copy).then(pl.lit(value, table.schema[name])).otherwise(name).alias(name)
            for name, value in ({"path": str(tmp_path / "again.bmp")} | looks).items()
        )
    )
    write_manifest(table, manifest)
    metrics = madeby.evaluate(make_bundle().folder, manifest, tmp_path / "out", bootstrap=0, into_card="it").metrics
    learnt = {Image.open(path).tobytes() for path in table.filter(pl.col("split") != "test")["path"]}
    same = sum(Image.open(path).tobytes() in learnt for path in test["path"])
    assert metrics.repeats == same >= 1
    assert metrics.without_repeats.n == metrics.n - same
    bundle = madeby.models_show(tmp_path / "bundles" / "brightness")
    assert "that stand in train or val too" in bundle.card
    assert (
        madeby.evaluate(bundle.folder, manifest, tmp_path / "train", split="train", bootstrap=0).metrics.repeats is None
    )


def test_flips_average_a_picture_with_its_mirror_image(manifest, make_bundle, tmp_path):
    bundle = make_bundle(view="resize", size=32, crops=1)
    plain = madeby.evaluate(bundle.folder, manifest, tmp_path / "plain", bootstrap=0)
    flipped = madeby.evaluate(bundle.folder, manifest, tmp_path / "flipped", bootstrap=0, flips=True)
    assert flipped.metrics.flips
    assert flipped.metrics.auroc == plain.metrics.auroc  # brightness is the same in the mirror


def test_pictures_may_be_changed_before_they_are_read(manifest, make_bundle, tmp_path):
    bundle = make_bundle(view="resize", size=32, crops=1)
    plain = madeby.evaluate(bundle.folder, manifest, tmp_path / "plain", bootstrap=0)
    changes = ["noise=80", "jpeg=30"]
    changed, again = (
        madeby.evaluate(bundle.folder, manifest, tmp_path / name, bootstrap=0, degrade=changes) for name in "ab"
    )
    assert (plain.metrics.degradation, changed.metrics.degradation) == ("", "noise=80,jpeg=30")
    logits = [pl.read_parquet(one.folder / "predictions.parquet")["logit"] for one in (plain, changed, again)]
    assert logits[0].to_list() != logits[1].to_list()
    assert logits[1].to_list() == logits[2].to_list()


@pytest.mark.parametrize("step", ["jpg=60", "jpeg", "jpeg=much", "jpeg=300"])
def test_a_change_that_is_none_is_told_before_any_picture_is_read(step, manifest, make_bundle, tmp_path):
    with pytest.raises(RecipeError, match="jp"):
        madeby.evaluate(make_bundle().folder, manifest, tmp_path / "out", degrade=[step])
