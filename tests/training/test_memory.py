"""What a bundle remembers of the pictures that it learnt from, and what `train --from` makes of it."""

import json
import re
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
from madeby.training.adaptation.adapt import _kept
from madeby.training.adaptation.features import features_of
from madeby.training.adaptation.fit import Chosen, _Examples, _rehearsed, choose, fit_change
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory, Remembered
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


def test_what_is_still_known_is_judged_by_one_change_at_a_time():
    rng = np.random.default_rng(6)
    memory, _ = with_pictures(8, rng)
    known, folds = memory.pictures.labels.astype(float), np.arange(400) % 5
    change = fit_change(np.zeros((2, 8)), np.zeros(2), np.array([0, 1], np.int8), None)

    def kept(logits):
        return _kept(memory.pictures, Chosen(None, change, np.zeros(2), logits, folds, ()))

    moved = memory.pictures.logits + np.array([-0.6, -0.2, 0.1, 0.4, 0.9])[folds]
    assert kept(moved).after == pytest.approx(kept(moved).before)
    assert auroc(moved, known) < auroc(memory.pictures.logits, known) - 0.01
    assert kept(-memory.pictures.logits).after == pytest.approx(1 - kept(moved).before)
    assert (kept(moved).n_human, kept(moved).n_ai) == (200, 200)
    assert np.isnan(auroc_within(moved[:4], np.array([0.0, 1, 0, 1]), np.arange(4)))


def test_users_and_remembered_pictures_count_alike_however_many_they_are():
    rng = np.random.default_rng(7)
    features, labels = rng.normal(0, 1, (60, 4)), np.tile(np.array([0, 1], np.int8), 30)
    features[:30, 0] += labels[:30]
    features[30:, 1] += labels[30:]
    rehearsed = np.arange(60) >= 30
    examples = _Examples(features, np.zeros(60), labels, np.ones(60), np.zeros(60, np.int64), rehearsed)
    thrice = examples
    for _ in range(2):
        thrice = thrice.and_also(examples[rehearsed])
    spread = Memory.of(features, np.ones(60), most=4)
    once, again = (each.fitted(0.1, spread).weight for each in (examples, thrice))
    np.testing.assert_allclose(once, again, atol=1e-4)
    users_alone = examples[~rehearsed].fitted(0.1, spread).weight
    assert np.abs(once - users_alone).max() > 0.05


@pytest.mark.parametrize(("of_humans", "of_ai"), [(2, 2), (2, 10), (10, 3), (7, 13)])
def test_every_change_learns_from_both_labels_and_some_are_judged_on_both(of_humans, of_ai):
    count = 20 * (of_humans + of_ai)
    collections = np.arange(count) // 20
    labels = (collections >= of_humans).astype(np.int8)
    pictures = Remembered(np.zeros((count, 3)), np.zeros(count), labels, collections)
    examples = _rehearsed(np.zeros((count, 3)), pictures)
    for fold in range(5):
        assert {*labels[examples.folds != fold]} == {0, 1}
    sizes = [[(labels[examples.folds == fold] == label).sum() for fold in range(5)] for label in (0, 1)]
    assert all(max(each) - min(each) <= 20 for each in sizes)
    assert any(human and ai for human, ai in zip(*sizes, strict=True))


def test_a_collection_counts_by_the_root_of_its_size():
    labels = np.array([0] * 116 + [1] * 20, np.int8)
    collections = np.array([0] * 100 + [1] * 16 + [2] * 10 + [3] * 10)
    pictures = Remembered(np.zeros((136, 1)), np.zeros(136), labels, collections)
    weights = _rehearsed(np.zeros((136, 1)), pictures).weights
    assert [weights[collections == each].sum() for each in (0, 1)] == pytest.approx([10, 4])


def test_an_adapted_model_keeps_its_promise_for_the_remembered_pictures(untrained, make_manifest, tmp_path):
    width = len(Head.of(untrained.model_path).weight)
    manifest = make_manifest(train=220, val=20)
    paths = read_manifest(manifest)["path"].to_list()[:100]
    seen = features_of(untrained, Head.of(untrained.model_path), paths, Silent()).features
    memory, known = with_pictures(width, np.random.default_rng(2), count=1000, like=seen)
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
    assert re.search(r"like the 500 learnt\s+from\s+or\s+remembered are called `ai`", adapted.card)
    later = Memory.in_bundle(adapted, width).pictures
    old, new = (Head.of(each.model_path) for each in (bundle, adapted))
    slope, intercept = bundle.spec.calibration.slope, bundle.spec.calibration.intercept
    added = known @ (new.weight - slope * old.weight) + new.bias - slope * old.bias - intercept
    answers = slope * memory.pictures.logits + intercept + added  # of the head that stays
    assert np.abs(added).std() > 0.01
    assert np.abs(later.logits - answers).mean() < 0.3 * np.abs(later.logits).mean()
    probabilities = np.array([probability_of(logit, adapted.spec.calibration) for logit in later.logits])
    for name in Profile:
        promise = adapted.with_profile(name).spec.thresholds
        assert promise.ai <= 1  # or it would promise nothing
        assert (probabilities[later.labels == 0] >= promise.ai).mean() <= promise.false_alarm_target
        assert (probabilities[later.labels == 1] <= promise.human).mean() <= promise.miss_target
        given = np.array([probability_of(logit, adapted.spec.calibration) for logit in answers])
        assert (given[later.labels == 0] >= promise.ai).mean() <= 2 * promise.false_alarm_target
        assert (given[later.labels == 1] <= promise.human).mean() <= 2 * promise.miss_target
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
