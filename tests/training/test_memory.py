"""What a bundle remembers of the pictures that it learnt from, and what `train --from` makes of it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.datasets.manifest import read_manifest
from madeby.detector.bundle import MEMORY_FILE, Bundle, Profile, sha256_of
from madeby.detector.calibration import probability_of
from madeby.errors import BundleError
from madeby.training.adaptation.features import features_of
from madeby.training.adaptation.fit import choose, fit_change
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory
from madeby.training.figures import auroc, auroc_within
from madeby.training.progress import Silent


def test_what_a_bundle_remembers_is_changed_less_than_what_it_never_saw():
    rng = np.random.default_rng(0)
    wide = np.array([10.0, 10.0, 10.0, 0.1, 0.1, 0.1])
    known = rng.normal(0, 1, (500, 6)) * wide
    labels = np.tile(np.array([0, 1], np.int8), 50)
    users = rng.normal(0, 1, (100, 6)) + 2.0 * labels[:, None]  # every feature tells the user's pictures apart
    memory = Memory.of(known, np.ones(500), most=6)
    kept = fit_change(users, np.zeros(100), labels, 0.1, memory)
    forgot = fit_change(users, np.zeros(100), labels, 0.1)
    assert np.std(known @ kept.weight) < 0.2 * np.std(known @ forgot.weight)
    said = kept.of(users)
    assert ((said > 0) == (labels == 1)).mean() > 0.9


@pytest.mark.parametrize("most", [2, 6])
def test_a_change_is_as_long_as_what_it_does_to_the_remembered_pictures(most):
    rng = np.random.default_rng(1)
    features = rng.normal(3, 1, (400, 6)) @ np.diag([5.0, 3.0, 1, 1, 1, 1])
    memory = Memory.of(features, rng.uniform(0.5, 1.5, 400), most)
    values = rng.normal(0, 1, 6)
    logits = features @ memory.change_of(values)
    np.testing.assert_allclose(memory.standard(features) @ values, logits - memory.mean @ memory.change_of(values))
    assert np.std(logits) == pytest.approx(np.linalg.norm(values), rel=0.15)


def remembering(untrained, folder, memory):
    """The untrained bundle with a memory."""
    shutil.copytree(untrained.folder, folder)
    bundle = Bundle(folder, untrained.spec.model_copy(update={"memory_sha256": memory.write(folder)}))
    bundle.write_spec()
    return bundle


def test_a_memory_comes_back_from_its_bundle_and_a_damaged_one_is_refused(untrained, tmp_path):
    rng = np.random.default_rng(2)
    memory = Memory.of(rng.normal(0, 1, (50, 64)), np.ones(50), most=10)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    again = Memory.in_bundle(bundle, 64)
    vector = rng.normal(0, 1, 64)
    np.testing.assert_allclose(again.change_of(vector), memory.change_of(vector), atol=1e-2)
    assert Memory.in_bundle(untrained, 64) is None
    with pytest.raises(BundleError, match="not the memory of this bundle's head"):
        Memory.in_bundle(bundle, 63)
    (bundle.folder / MEMORY_FILE).write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"memory\.safetensors does not match its checksum"):
        Memory.in_bundle(bundle, 64)
    (bundle.folder / MEMORY_FILE).unlink()
    with pytest.raises(BundleError, match=r"memory\.safetensors is missing"):
        Memory.in_bundle(bundle, 64)


def test_an_adapted_and_a_calibrated_bundle_keep_the_memory(untrained, make_manifest, tmp_path):
    width = len(Head.of(untrained.model_path).weight)
    memory = Memory.of(np.random.default_rng(3).normal(0, 1, (50, width)), np.ones(50), most=10)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    manifest = make_manifest(train=30, val=10)
    assert madeby.train(manifest, tmp_path / "mine", from_model=bundle.folder).remembers
    more = make_manifest(train=30, val=10, name="more", seed=1)
    assert madeby.train(more, tmp_path / "again", from_model=tmp_path / "mine").remembers
    others = make_manifest(train=1, val=110, name="others", seed=2)
    madeby.calibrate([], tmp_path / "calibrated", data=others, model=tmp_path / "mine")
    assert sha256_of(tmp_path / "calibrated" / MEMORY_FILE) == bundle.spec.memory_sha256

    madeby.models_export(tmp_path / "mine", tmp_path / "exported")
    assert sha256_of(tmp_path / "exported" / MEMORY_FILE) == bundle.spec.memory_sha256
    madeby.train(manifest, tmp_path / "forgetful", from_model=untrained.folder)
    madeby.models_export(tmp_path / "forgetful", tmp_path / "exported")
    assert not (tmp_path / "exported" / MEMORY_FILE).exists()


def test_a_bundle_that_lost_its_memory_is_not_passed_on(untrained, make_manifest, tmp_path):
    memory = Memory.of(np.random.default_rng(3).normal(0, 1, (50, 16)), np.ones(50), most=10)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    (bundle.folder / MEMORY_FILE).unlink()
    with pytest.raises(BundleError, match=r"memory\.safetensors is missing"):
        madeby.models_push(bundle.folder, str(tmp_path / "store"))
    with pytest.raises(BundleError, match=r"memory\.safetensors is missing"):
        madeby.calibrate([], tmp_path / "calibrated", data=make_manifest(train=1, val=110), model=bundle.folder)


def test_without_the_library_that_reads_memories_the_extra_is_named(untrained, tmp_path):
    program = (
        "import sys; sys.modules['safetensors'] = None\n"
        "import madeby\n"
        f"madeby.train('none.parquet', {str(tmp_path / 'mine')!r}, from_model={str(untrained.folder)!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert "MissingExtraError: train --from (the module safetensors is missing) needs the extra 'train'" in done.stderr


def with_pictures(width, rng, count=400, most=None, like=None):
    """A memory of photographs and AI pictures of ten collections each, which one direction tells apart, and all that
    was seen of them; ``like`` others (n, width) in mean and spread."""
    labels = np.tile(np.array([0, 1], np.int8), count // 2)
    features = rng.normal(0, 1, (count, width))
    features[:, 0] += 2.0 * labels
    if like is not None:
        features = like.mean(0) + features * like.std(0)
    logits = 2.0 * labels - 1 + rng.normal(0, 1, count)
    collections = np.arange(count) // (count // 20) * 2 + labels
    memory = Memory.of(features, np.ones(count), most=most or width)
    return memory.with_pictures(features, logits, labels, collections), features


def test_remembered_pictures_come_back_and_damaged_ones_are_refused(untrained, tmp_path):
    memory, features = with_pictures(16, np.random.default_rng(0))
    np.testing.assert_allclose(memory.features(), features, atol=1e-9)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    again = Memory.in_bundle(bundle, 16)
    np.testing.assert_allclose(again.features(), features, atol=0.02)
    for field in ("logits", "labels", "collections"):
        np.testing.assert_allclose(getattr(again.pictures, field), getattr(memory.pictures, field), atol=1e-6)
    tensors = load_file(bundle.folder / MEMORY_FILE)
    labels, collections = tensors["pictures.labels"], tensors["pictures.collections"]
    not_its_own = "not the memory of this bundle's head"
    broken = [
        ("cannot be read", {name: each for name, each in tensors.items() if name != "pictures.logits"}),
        ("cannot be read", tensors | {"pictures.labels": labels + np.float32(0.5)}),
        ("cannot be read", tensors | {"pictures.labels": labels.astype(np.int32) + 256}),
        ("cannot be read", tensors | {"pictures.collections": collections + np.float32(1e30)}),
        (not_its_own, tensors | {"pictures.labels": labels + np.uint8(1)}),
        (not_its_own, tensors | {"pictures.labels": np.zeros(400, np.uint8)}),
        (not_its_own, tensors | {"pictures.logits": np.full(400, np.nan, np.float32)}),
        (not_its_own, tensors | {"pictures.coordinates": tensors["pictures.coordinates"][:, :-1].copy()}),
    ]
    for reason, each in broken:
        save_file(each, bundle.folder / MEMORY_FILE)
        digest = sha256_of(bundle.folder / MEMORY_FILE)
        claimed = Bundle(bundle.folder, bundle.spec.model_copy(update={"memory_sha256": digest}))
        with pytest.raises(BundleError, match=reason):
            Memory.in_bundle(claimed, 16)


def test_what_the_file_could_not_hold_is_not_written(tmp_path):
    memory, features = with_pictures(8, np.random.default_rng(0))
    for change in (
        {"coordinates": memory.pictures.coordinates * 1e6},
        {"logits": np.full(400, np.nan)},
        {"collections": memory.pictures.collections + 65_536},
    ):
        with pytest.raises(ValueError, match="65,5"):
            replace(memory, pictures=replace(memory.pictures, **change)).write(tmp_path)
    with pytest.raises(ValueError, match="without directions"):
        Memory.of_users(features).with_pictures(features, *[memory.pictures.logits] * 3)
    assert not any(tmp_path.iterdir())


def told_apart_beside_the_directions(rng, width, memory):
    """Pictures of a user's that differ by label in what the memory does not see alone, and hardly in what it does."""
    labels = np.tile(np.array([0, 1], np.int8), 60)
    users = memory.mean + rng.normal(0, 1, (120, width))
    beside = rng.normal(0, 1, width)
    beside -= memory.directions.T @ (memory.directions @ beside)
    along = 2 * memory.directions[-1]
    return users + labels[:, None] * (8 * beside / np.linalg.norm(beside) + along), labels


def test_what_a_change_does_to_the_remembered_pictures_is_told_whole_by_what_is_kept_of_them():
    rng = np.random.default_rng(4)
    memory, features = with_pictures(40, rng, most=10)
    users, labels = told_apart_beside_the_directions(rng, 40, memory)
    chosen = choose(users, rng.normal(0, 2, 120), labels, [str(number) for number in range(120)], 0, memory)
    assert np.linalg.norm(chosen.change.weight) > 0.01
    np.testing.assert_allclose(chosen.change.of(features), chosen.change.of(memory.features()), atol=1e-9)
    bare = replace(memory, pictures=None)
    other = fit_change(users, np.zeros(120), labels, 0.1, bare)
    assert np.std(other.of(features) - other.of(memory.features())) > 0.05
    changes = [fit_change(users, np.zeros(120), labels, 0.1, each).of(users) for each in (memory, bare)]
    assert auroc(changes[0], labels.astype(float)) < auroc(changes[1], labels.astype(float)) == 1.0


def test_remembered_pictures_are_told_apart_as_before_where_the_users_say_otherwise():
    rng = np.random.default_rng(1)
    memory, features = with_pictures(8, rng)
    labels = np.tile(np.array([0, 1], np.int8), 60)
    users = rng.normal(0, 1, (120, 8))
    users[:, 0] -= labels  # what speaks for ai in the remembered pictures speaks for human here
    users[:, 1] += 3.0 * labels
    old, groups = rng.normal(0, 2, 120), [str(number) for number in range(120)]
    kept, forgot = (choose(users, old, labels, groups, 0, each) for each in (memory, replace(memory, pictures=None)))
    known = memory.pictures.labels.astype(float)
    before = auroc(memory.pictures.logits, known)
    after, lost = (auroc(memory.pictures.logits + each.change.of(features), known) for each in (kept, forgot))
    assert before - 0.06 < after
    assert lost < 0.6
    assert auroc(kept.logits, labels.astype(float)) > 0.7 > auroc(old, labels.astype(float))
    assert (len(kept.logits_of_remembered), len(forgot.logits_of_remembered)) == (400, 0)


def test_remembered_pictures_are_judged_by_changes_that_had_not_seen_their_collection():
    rng = np.random.default_rng(5)
    memory, _ = with_pictures(8, rng)
    labels = np.tile(np.array([0, 1], np.int8), 60)
    users = rng.normal(0, 1, (120, 8))
    users[:, 0] += 3 * labels
    groups = [str(number) for number in range(120)]
    chosen = choose(users, np.zeros(120), labels, groups, 0, memory)
    folds, pictures = chosen.folds_of_remembered, memory.pictures
    assert all(len(set(folds[pictures.collections == each])) == 1 for each in pictures.collections)
    assert {(fold, label) for fold, label in zip(folds, pictures.labels, strict=True)} == {
        (fold, label) for fold in range(5) for label in (0, 1)
    }
    # What one fold's pictures were answered before is learnt from by the others' changes, and not by their own.
    fold = folds == 0
    surer = replace(pictures, logits=pictures.logits * np.where(fold, 3.0, 1.0))
    again = choose(users, np.zeros(120), labels, groups, 0, replace(memory, pictures=surer))
    assert again.penalty == chosen.penalty
    added = [each.logits_of_remembered - old.logits for each, old in ((chosen, pictures), (again, surer))]
    np.testing.assert_allclose(added[0][fold], added[1][fold], atol=1e-9)
    assert np.abs(added[0] - added[1])[~fold].min() > 1e-5


def test_where_only_the_even_point_moves_nothing_is_forgotten():
    rng = np.random.default_rng(6)
    memory, _ = with_pictures(8, rng)
    labels = np.tile(np.array([0, 1], np.int8), 60)
    old = 2.0 * labels - 1 + rng.normal(0, 1, 120)
    chosen = choose(rng.normal(0, 1, (120, 8)), old, labels, [str(number) for number in range(120)], 0, memory)
    nothing = replace(chosen, change=fit_change(np.zeros((120, 8)), old, labels, None))
    assert nothing.change.weight.tolist() == [0.0] * 8
    known, folds = memory.pictures.labels.astype(float), chosen.folds_of_remembered
    moved = memory.pictures.logits + np.array([-0.6, -0.2, 0.1, 0.4, 0.9])[folds]
    assert auroc_within(moved, known, folds) == pytest.approx(auroc_within(memory.pictures.logits, known, folds))
    assert auroc(moved, known) < auroc(memory.pictures.logits, known)


def test_a_fold_without_one_label_is_judged_with_the_others():
    logits, labels = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0, 1.0])
    assert auroc_within(logits, labels, np.array([0, 0, 1, 1])) == 1.0
    assert auroc_within(logits, labels, np.array([0, 1, 2, 3])) == auroc(logits, labels) == 0.75


def test_an_adapted_model_keeps_its_promise_for_the_remembered_photographs(untrained, make_manifest, tmp_path):
    width = len(Head.of(untrained.model_path).weight)
    manifest = make_manifest(train=220, val=20)
    paths = read_manifest(manifest)["path"].to_list()[:100]
    seen = features_of(untrained, Head.of(untrained.model_path), paths, Silent()).features
    memory, _ = with_pictures(width, np.random.default_rng(2), count=1000, like=seen)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    asked = ["train", "--from", str(bundle.folder), "--data", str(manifest)]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "on 1,000 pictures that it remembers" in done.output
    told = json.loads((tmp_path / "mine/adaptation.json").read_text())["kept"]
    assert (told["n_human"], told["n_ai"]) == (500, 500)
    adapted = Bundle.open(tmp_path / "mine/bundle")
    assert "On 500 photographs and 500 AI pictures" in adapted.card
    assert "a single collection of theirs may exceed the shares" in adapted.card
    assert "Each collection of the human pictures learnt from that is large enough" in adapted.card
    later = Memory.in_bundle(adapted, width).pictures
    assert not np.allclose(later.logits, memory.pictures.logits)
    probabilities = np.array([probability_of(logit, adapted.spec.calibration) for logit in later.logits])
    for name in Profile:
        promise = adapted.with_profile(name).spec.thresholds
        assert promise.ai <= 1  # or it would promise nothing
        assert (probabilities[later.labels == 0] >= promise.ai).mean() <= promise.false_alarm_target
        assert (probabilities[later.labels == 1] <= promise.human).mean() <= promise.miss_target
    more = make_manifest(train=60, val=20, name="more", seed=1)
    again = madeby.train(more, tmp_path / "again", from_model=tmp_path / "mine")
    assert again.kept.before == pytest.approx(told["after"], abs=0.05)

    memory_sha256 = adapted.spec.memory_sha256
    assert memory_sha256 not in ("", bundle.spec.memory_sha256)
    others = make_manifest(train=1, val=110, name="others", seed=2)
    madeby.calibrate([], tmp_path / "calibrated", data=others, model=tmp_path / "mine")
    madeby.models_export(tmp_path / "mine", tmp_path / "exported", version="1.0.0")
    madeby.models_push(tmp_path / "exported", str(tmp_path / "store"))
    kept = [tmp_path / "calibrated", tmp_path / "exported", *tmp_path.glob("store/*/1.0.0")]
    assert [sha256_of(folder / MEMORY_FILE) for folder in kept] == [memory_sha256] * 3


def test_a_memory_without_pictures_says_nothing_of_what_is_still_known(untrained, make_manifest, tmp_path):
    width = len(Head.of(untrained.model_path).weight)
    memory = Memory.of(np.random.default_rng(3).normal(0, 1, (50, width)), np.ones(50), most=10)
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    asked = ["train", "--from", str(bundle.folder), "--data", str(make_manifest(train=30, val=10))]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "pictures that it remembers:" not in done.output
    assert json.loads((tmp_path / "mine/adaptation.json").read_text())["kept"] is None
    assert "learnt from again" not in Bundle.open(tmp_path / "mine/bundle").card
