"""``train --from``: a finished model learns its last step anew from a user's pictures, near the old one."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.datasets.manifest import manifest_sha256, read_manifest, write_manifest
from madeby.detector.bundle import Bundle, BundleSpec, Preprocessing, sha256_of
from madeby.errors import MadebyError
from madeby.training.adaptation.fit import choose, fit_change, groups_for_folds


def test_a_model_learns_what_the_users_pictures_show(untrained, make_manifest, tmp_path):
    manifest = make_manifest(train=60, val=20)
    summary = madeby.train(manifest, tmp_path / "mine", from_model=untrained.folder)
    bundle = Bundle.open(tmp_path / "mine/bundle")
    assert (summary.n_human, summary.n_ai, summary.unread) == (80, 80, ())
    assert summary.after[1] > 0.95 > summary.before[1]
    assert bundle.spec.name == "mine"
    assert bundle.spec.calibration.n == 160
    assert "Knows nothing." in bundle.card
    told = json.loads((tmp_path / "mine/adaptation.json").read_text())
    assert told["penalty"] == summary.penalty
    exported = madeby.models_export(tmp_path / "mine", tmp_path / "exported", version="1.0.0")
    assert (exported.spec.version, exported.spec.model_sha256) == ("1.0.0", bundle.spec.model_sha256)
    with pytest.raises(MadebyError, match="leave --crops out"):
        madeby.models_export(tmp_path / "mine", tmp_path / "exported", crops=4)
    with pytest.raises(MadebyError, match="holds a finished run"):
        madeby.train(manifest, tmp_path / "mine", from_model=untrained.folder)
    evaluation = madeby.evaluate(tmp_path / "mine", manifest, tmp_path / "figures", split="val", bootstrap=0)
    assert evaluation.metrics.auroc > 0.95


def test_the_new_model_answers_as_the_head_that_was_fitted(untrained, make_manifest, tmp_path):
    manifest = make_manifest(train=30, val=10)
    summary = madeby.train(manifest, tmp_path / "mine", from_model=untrained.folder)
    old, new = madeby.load_detector(untrained.folder), madeby.load_detector(tmp_path / "mine")
    pixels = np.asarray(Image.open(read_manifest(manifest)["path"][0]))
    before, after = old.read(pixels), new.read(pixels)
    assert after.logit == pytest.approx(float(np.mean(after.logit_map)), abs=1e-4)
    assert (after.logit != before.logit) is (summary.penalty is not None)


def test_pictures_that_say_nothing_leave_the_head_alone():
    rng = np.random.default_rng(0)
    labels = np.tile(np.array([0, 1], np.int8), 60)
    old = 2.0 * labels - 1 + rng.normal(0, 1, 120)
    chosen = choose(rng.normal(0, 1, (120, 30)), old, labels, [str(number) for number in range(120)], seed=0)
    assert chosen.penalty is None or chosen.penalty >= 1
    assert np.abs(chosen.change.weight).max() < 0.2


def test_a_head_on_the_tokens_of_a_transformer_is_adapted_too(make_manifest, tmp_path):
    rng = np.random.default_rng(0)

    def constant(name, values, kind=np.float32):
        return numpy_helper.from_array(np.asarray(values, kind), name)

    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixels"], ["flat"]),
            helper.make_node("MatMul", ["flat", "mixing"], ["mixed"]),
            helper.make_node("Reshape", ["mixed", "as tokens"], ["linear"]),
            helper.make_node("Relu", ["linear"], ["tokens"]),
            helper.make_node("MatMul", ["tokens", "weights 0"], ["said"]),
            helper.make_node("Slice", ["said", "0 0", "1 1", "axes"], ["whole"]),
            helper.make_node("Slice", ["said", "1 1", "9 9", "axes"], ["patches"]),
            helper.make_node("Add", ["patches", "whole"], ["both"]),
            helper.make_node("Add", ["both", "bias"], ["places"]),
            helper.make_node("Reshape", ["places", "grid"], ["logit_map"]),
            helper.make_node("ReduceMean", ["logit_map", "over places"], ["logit"], keepdims=0),
        ],
        "tokens",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [
            helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("logit_map", TensorProto.FLOAT, ["n", 2, 2]),
        ],
        [
            constant("mixing", rng.normal(0, 0.05, (3072, 5 * 24))),
            constant("as tokens", [0, 5, 24], np.int64),
            constant("weights 0", rng.normal(0, 0.3, (24, 2))),
            *(constant(name, [int(name[0])] * 2, np.int64) for name in ("0 0", "1 1", "9 9")),
            constant("axes", [1, 2], np.int64),
            constant("bias", 0.2),
            constant("grid", [-1, 2, 2], np.int64),
            constant("over places", [1, 2], np.int64),
        ],
    )
    folder = tmp_path / "tokens"
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    preprocessing = Preprocessing(view="resize", size=32)
    digest = sha256_of(folder / "model.onnx")
    spec = BundleSpec(name="tokens", network="tokens", onnx_opset=18, model_sha256=digest, preprocessing=preprocessing)
    Bundle(folder, spec).write_spec()
    summary = madeby.train(make_manifest(train=60, val=20), tmp_path / "mine", from_model=folder)
    assert summary.after[1] > max(0.98, summary.before[1])
    old, new = (numpy_helper.to_array(_named(path, "weights 0")) for path in (folder, tmp_path / "mine/bundle"))
    assert old.shape == new.shape
    assert not np.allclose(old[:, 0], new[:, 0])
    assert not np.allclose(old[:, 1], new[:, 1])


def _named(folder, name):
    return next(each for each in onnx.load(folder / "model.onnx").graph.initializer if each.name == name)


def test_a_stronger_pull_stays_nearer():
    rng = np.random.default_rng(0)
    labels = np.tile(np.array([0, 1], np.int8), 50)
    features = rng.normal(0, 1, (100, 8)) * np.array([1, 1, 1, 1, 1, 1, 100, 0]) + labels[:, None]
    norms = [
        float(np.linalg.norm(fit_change(features, np.zeros(100), labels, penalty).weight * features.std(0)))
        for penalty in (0.01, 0.1, 1.0, 10.0)
    ]
    assert norms == sorted(norms, reverse=True)
    assert fit_change(features, np.zeros(100), labels, None).weight.tolist() == [0.0] * 8


def test_groups_stay_together_where_there_are_enough():
    labels = np.repeat(np.array([0, 1], np.int8), 10)
    many = [f"{number // 2}" for number in range(20)]
    assert groups_for_folds(many, labels) == (many, True)
    assert groups_for_folds(["one"] * 10 + [None] * 10, labels)[1] is False
    assert groups_for_folds([None] * 20, labels)[1] is True


def test_a_broken_picture_is_left_out_and_named(untrained, make_manifest, tmp_path):
    manifest = make_manifest(train=30, val=10)
    broken = read_manifest(manifest)["path"][3]
    Path(broken).write_bytes(b"no picture any more")
    summary = madeby.train(manifest, tmp_path / "mine", from_model=untrained.folder)
    assert [path for path, _ in summary.unread] == [broken]
    assert summary.n_human + summary.n_ai == 79


def test_copies_of_a_file_count_once_and_must_agree(untrained, make_manifest, tmp_path):
    table = read_manifest(make_manifest(train=30, val=10))
    write_manifest(pl.concat([table, table]), tmp_path / "twice.parquet")
    summary = madeby.train(tmp_path / "twice.parquet", tmp_path / "mine", from_model=untrained.folder)
    assert (summary.n_human, summary.n_ai) == (40, 40)
    other = pl.when(pl.col("label") == "ai").then(pl.lit("human")).otherwise(pl.lit("ai")).alias("label")
    write_manifest(pl.concat([table, table[:3].with_columns(other)]), tmp_path / "both.parquet")
    with pytest.raises(MadebyError, match="calls 3 files both human and ai"):
        madeby.train(tmp_path / "both.parquet", tmp_path / "b", from_model=untrained.folder)
    assert not (tmp_path / "b").exists()


def test_what_cannot_be_adapted_is_refused_with_the_reason(untrained, make_bundle, make_manifest, tmp_path):
    manifest = make_manifest(train=30, val=10)
    with pytest.raises(MadebyError, match="no linear last step"):
        madeby.train(manifest, tmp_path / "a", from_model=make_bundle().folder)
    with pytest.raises(MadebyError, match="takes --seed"):
        madeby.train(manifest, tmp_path / "a", from_model=untrained.folder, recipe="small")
    with pytest.raises(MadebyError, match="takes --seed"):
        madeby.train(manifest, tmp_path / "a", from_model=untrained.folder, overrides={"epochs": 3})
    for seed in ("-1", "²", "99999999999"):
        with pytest.raises(MadebyError, match="is not a whole number from 0"):
            madeby.train(manifest, tmp_path / "a", from_model=untrained.folder, overrides={"seed": seed})
    table = read_manifest(manifest)
    write_manifest(table.filter(pl.col("label") == "human"), tmp_path / "one.parquet")
    with pytest.raises(MadebyError, match="0 usable ai pictures"):
        madeby.train(tmp_path / "one.parquet", tmp_path / "a", from_model=untrained.folder)
    assert not (tmp_path / "a").exists()


def test_pictures_that_the_model_has_learnt_from_already_are_refused(untrained, make_manifest, tmp_path):
    manifest = make_manifest(train=30, val=10)
    madeby.train(manifest, tmp_path / "mine", from_model=untrained.folder)
    with pytest.raises(MadebyError, match=r"mine has learnt from the train and val pictures of .* already"):
        madeby.train(manifest, tmp_path / "again", from_model=tmp_path / "mine")
    assert not (tmp_path / "again").exists()
    others = make_manifest(train=30, val=10, name="others", seed=1)
    assert madeby.train(others, tmp_path / "again", from_model=tmp_path / "mine").n_ai == 40
    for known in (manifest, others):
        with pytest.raises(
            MadebyError, match=r"again has learnt from .* or adapt mine 0\.1\.0, which it was made from"
        ):
            madeby.train(known, tmp_path / "third", from_model=tmp_path / "again")

    trained = untrained.spec.training.model_copy(update={"manifest_sha256": manifest_sha256(read_manifest(manifest))})
    shutil.copytree(untrained.folder, tmp_path / "trained")
    Bundle(tmp_path / "trained", untrained.spec.model_copy(update={"training": trained})).write_spec()
    with pytest.raises(MadebyError, match=r"has learnt from the train pictures of .* already: adapt it to others$"):
        madeby.train(manifest, tmp_path / "third", from_model=tmp_path / "trained")


def test_manifests_without_checksums_are_not_taken_for_each_other(untrained, make_manifest, tmp_path):
    for number in (0, 1):
        table = read_manifest(make_manifest(train=30, val=10, name=f"set-{number}", seed=number))
        write_manifest(table.with_columns(sha256=pl.lit(None, pl.String)), tmp_path / f"bare-{number}.parquet")
    madeby.train(tmp_path / "bare-0.parquet", tmp_path / "mine", from_model=untrained.folder)
    assert madeby.train(tmp_path / "bare-1.parquet", tmp_path / "again", from_model=tmp_path / "mine").n_ai == 40


def test_the_command_says_what_became_of_it(untrained, make_manifest, tmp_path):
    asked = ["train", "--from", str(untrained.folder), "--data", str(make_manifest(train=30, val=10)), "--seed", "3"]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "untrained 0.1.0, adapted to 40 human and 40 ai pictures" in done.output
    again = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "mine")])
    assert again.exit_code != 0
