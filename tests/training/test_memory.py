"""What a bundle remembers of the pictures that it learnt from, and what `train --from` makes of it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.detector.bundle import MEMORY_FILE, Bundle, Profile, sha256_of
from madeby.detector.calibration import probability_of
from madeby.errors import BundleError
from madeby.training.adaptation.fit import choose, fit_change
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory
from madeby.training.figures import auroc


def test_what_a_bundle_remembers_is_changed_less_than_what_it_never_saw():
    rng = np.random.default_rng(0)
    wide = np.array([10.0, 10.0, 10.0, 0.1, 0.1, 0.1])
    known = rng.normal(0, 1, (500, 6)) * wide
    labels = np.tile(np.array([0, 1], np.int8), 50)
    users = rng.normal(0, 1, (100, 6)) + 2.0 * labels[:, None]  # every feature tells the user's pictures apart
    memory = Memory.of(known, np.ones(500), most=6)
    kept = fit_change(users, np.zeros(100), labels, 0.1, memory)
    forgot = fit_change(users, np.zeros(100), labels, 0.1)
    assert np.std(known @ kept.change) < 0.2 * np.std(known @ forgot.change)
    said = users @ kept.change + kept.shift
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
    assert madeby.train(manifest, tmp_path / "again", from_model=tmp_path / "mine").remembers
    others = make_manifest(train=1, val=110, name="others")
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


def with_pictures(width, rng, count=400):
    """A memory of photographs and AI pictures of ten collections each, which one direction tells apart."""
    labels = np.tile(np.array([0, 1], np.int8), count // 2)
    features = rng.normal(0, 1, (count, width))
    features[:, 0] += 2.0 * labels
    logits = 2.0 * labels - 1 + rng.normal(0, 1, count)
    collections = np.arange(count) // (count // 20) * 2 + labels
    return Memory.of(features, np.ones(count), most=width).with_pictures(features, logits, labels, collections)


def test_remembered_pictures_come_back_and_damaged_ones_are_refused(untrained, tmp_path):
    memory = with_pictures(16, np.random.default_rng(0))
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    again = Memory.in_bundle(bundle, 16)
    np.testing.assert_allclose(again.features(), memory.features(), atol=0.02)
    for field in ("logits", "labels", "collections"):
        np.testing.assert_allclose(getattr(again.pictures, field), getattr(memory.pictures, field), atol=1e-6)
    tensors = load_file(bundle.folder / MEMORY_FILE)
    broken = {
        "cannot be read": {name: each for name, each in tensors.items() if name != "pictures.logits"},
        "not the memory of this bundle's head": tensors | {"pictures.labels": np.zeros(400, np.uint8)},
    }
    for reason, each in broken.items():
        save_file(each, bundle.folder / MEMORY_FILE)
        digest = sha256_of(bundle.folder / MEMORY_FILE)
        claimed = Bundle(bundle.folder, bundle.spec.model_copy(update={"memory_sha256": digest}))
        with pytest.raises(BundleError, match=reason):
            Memory.in_bundle(claimed, 16)


def test_remembered_pictures_are_told_apart_as_before_where_the_users_say_otherwise():
    rng = np.random.default_rng(1)
    memory = with_pictures(8, rng)
    labels = np.tile(np.array([0, 1], np.int8), 60)
    users = rng.normal(0, 1, (120, 8))
    users[:, 0] -= labels  # what speaks for ai in the remembered pictures speaks for human here
    users[:, 1] += 3.0 * labels
    old, groups = rng.normal(0, 2, 120), [str(number) for number in range(120)]
    bare = Memory(memory.mean, memory.directions, memory.deviations, memory.rest)
    kept, forgot = (choose(users, old, labels, groups, 0, each) for each in (memory, bare))
    known = memory.pictures.labels.astype(float)
    before, after, lost = (
        auroc(memory.pictures.logits + memory.features() @ change, known)
        for change in (np.zeros(8), kept.change.change, forgot.change.change)
    )
    assert before - 0.06 < after < before
    assert lost < 0.6
    assert auroc(kept.logits, labels.astype(float)) > 0.7 > auroc(old, labels.astype(float))
    assert (len(kept.remembered), len(forgot.remembered)) == (400, 0)


def test_an_adapted_model_keeps_its_promise_for_the_remembered_photographs(untrained, make_manifest, tmp_path):
    width = len(Head.of(untrained.model_path).weight)
    memory = with_pictures(width, np.random.default_rng(2))
    bundle = remembering(untrained, tmp_path / "bundle", memory)
    asked = ["train", "--from", str(bundle.folder), "--data", str(make_manifest(train=60, val=20))]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "on 400 pictures that it remembers" in done.output
    told = json.loads((tmp_path / "mine/adaptation.json").read_text())["kept"]
    assert (told["n_human"], told["n_ai"]) == (200, 200)
    adapted = Bundle.open(tmp_path / "mine/bundle")
    assert "On 200 photographs and 200 AI pictures" in adapted.card
    later = Memory.in_bundle(adapted, width).pictures
    assert not np.allclose(later.logits, memory.pictures.logits)
    probabilities = np.array([probability_of(logit, adapted.spec.calibration) for logit in later.logits])
    for name in Profile:
        promise = adapted.with_profile(name).spec.thresholds
        assert (probabilities[later.labels == 0] >= promise.ai).mean() <= promise.false_alarm_target
        assert (probabilities[later.labels == 1] <= promise.human).mean() <= promise.miss_target
    again = madeby.train(make_manifest(train=60, val=20, name="more"), tmp_path / "again", from_model=tmp_path / "mine")
    assert again.kept.before == pytest.approx(told["after"], abs=1e-3)
