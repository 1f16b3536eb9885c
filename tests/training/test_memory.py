"""What a bundle remembers of the pictures that it learnt from, and what `train --from` makes of it."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from remembered import remembering, with_pictures
from safetensors.numpy import load_file, save_file

import madeby
from madeby.detector.bundle import MEMORY_FILE, Bundle, sha256_of
from madeby.errors import BundleError
from madeby.training.adaptation.fit import fit_change
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory


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
    turned = tensors["directions"] * np.float16(2)
    broken = [
        ("other names or types", {name: each for name, each in tensors.items() if name != "pictures.logits"}),
        ("other names or types", tensors | {"pictures.labels": labels + np.float32(0.5)}),
        ("other names or types", tensors | {"pictures.labels": labels.astype(np.int32) + 256}),
        ("other names or types", tensors | {"pictures.collections": collections + np.float32(1e30)}),
        ("other names or types", tensors | {"mean": tensors["mean"].astype(np.complex64)}),
        ("two collections of each label", tensors | {"pictures.labels": labels + np.uint8(1)}),
        ("two collections of each label", tensors | {"pictures.labels": np.zeros(400, np.uint8)}),
        ("two collections of each label", tensors | {"pictures.collections": collections * np.uint16(0)}),
        ("not finite", tensors | {"pictures.logits": np.full(400, np.nan, np.float32)}),
        ("along its directions", tensors | {"pictures.coordinates": tensors["pictures.coordinates"][:, :-1].copy()}),
        ("all alike", tensors | {"pictures.coordinates": tensors["pictures.coordinates"] * np.float16(0)}),
        ("right angles", tensors | {"directions": turned}),
        ("right angles", tensors | {"directions": turned * np.float16(0)}),
        ("not above 0", tensors | {"rest": -tensors["rest"]}),
        ("shapes do not fit", tensors | {"deviations": tensors["deviations"][:-1].copy()}),
    ]
    for reason, each in broken:
        save_file(each, bundle.folder / MEMORY_FILE)
        digest = sha256_of(bundle.folder / MEMORY_FILE)
        claimed = Bundle(bundle.folder, bundle.spec.model_copy(update={"memory_sha256": digest}))
        with pytest.raises(BundleError, match=f"not the memory of this bundle's head .*{reason}"):
            Memory.in_bundle(claimed, 16)
    for content in (b"", b"\x08" + bytes(7) + b"no json!", small_floats()):
        (bundle.folder / MEMORY_FILE).write_bytes(content)
        digest = sha256_of(bundle.folder / MEMORY_FILE)
        claimed = Bundle(bundle.folder, bundle.spec.model_copy(update={"memory_sha256": digest}))
        with pytest.raises(BundleError, match=r"cannot be read .*fetch the bundle again"):
            Memory.in_bundle(claimed, 16)


def small_floats():
    """A file of one number in a format that NumPy does not have."""
    header = json.dumps({"mean": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"0"


def test_what_the_file_could_not_hold_is_not_written(tmp_path):
    memory, features = with_pictures(8, np.random.default_rng(0))
    pictures = memory.pictures
    for change, reason in (
        ({"coordinates": pictures.coordinates * 1e6}, "not finite"),
        ({"coordinates": pictures.coordinates * 1e-12}, "all alike"),
        ({"logits": np.full(400, np.nan)}, "not finite"),
        ({"logits": pictures.logits[1:]}, "along its directions"),
        ({"labels": -pictures.labels}, "labels are 0 or 1"),
        ({"labels": pictures.labels * 2}, "two collections of each label"),
        ({"collections": pictures.collections + 65_536}, "0 to 65,535"),
    ):
        with pytest.raises(ValueError, match=reason):
            replace(memory, pictures=replace(pictures, **change)).write(tmp_path)
    without = Memory.of_users(features).with_pictures(features, pictures.logits, pictures.labels, pictures.collections)
    with pytest.raises(ValueError, match="along its directions"):
        without.write(tmp_path)
    with pytest.raises(ValueError, match="keeps no pictures"):
        Memory.of_users(features).features()
    assert not any(tmp_path.iterdir())
