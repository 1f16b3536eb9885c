"""Remembered pictures are learnt from again by `train --from`, and what is promised of them holds."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from remembered import remembering, with_pictures
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.datasets.manifest import read_manifest
from madeby.detector.bundle import MEMORY_FILE, Bundle, Profile, sha256_of
from madeby.detector.calibration import probability_of
from madeby.training.adaptation.adapt import _kept
from madeby.training.adaptation.features import features_of
from madeby.training.adaptation.fit import Chosen, _Examples, _rehearsed, choose, fit_change
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory, Remembered
from madeby.training.figures import auroc, auroc_within
from madeby.training.progress import Silent


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
    assert again.kept.before == pytest.approx(told["after"], abs=1e-3)

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
    card = Bundle.open(tmp_path / "mine/bundle").card
    assert "learnt from again" not in card
    assert "the 40 human pictures learnt from are too few to promise" in card
