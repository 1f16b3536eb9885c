"""Thresholds set anew on one's own photographs, and the profiles that say how readily a verdict is given."""

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.datasets.manifest import manifest_sha256, read_manifest, write_manifest
from madeby.detector.bundle import Bundle, Profile, Training
from madeby.errors import MadebyError


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """250 different pictures around middle grey; the bundle of the tests calls bright ones ai."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for number in range(250):
        level = rng.normal(120, 25)
        pixels = np.clip(rng.normal(level, 12, (32, 32, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return folder


def save(pixels, path):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


@pytest.fixture
def calibrated(make_bundle, photographs, tmp_path):
    return madeby.calibrate(photographs, tmp_path / "mine", model=make_bundle().folder)


def test_the_promise_holds_on_the_photographs_and_the_network_stays(calibrated, make_bundle, photographs):
    bundle, original = Bundle.open(calibrated.bundle.folder), make_bundle("other")
    assert bundle.spec.name == "brightness-calibrated"
    assert bundle.spec.model_sha256 == original.spec.model_sha256
    assert bundle.spec.calibration == original.spec.calibration
    for profile, least, most in (
        (Profile.CAUTIOUS, 0, 0.005),
        (Profile.BALANCED, 0.004, 0.01),
        (Profile.EAGER, 0.04, 0.05),
    ):
        results = list(madeby.scan(photographs, model=bundle.folder, threshold_profile=profile.value))
        called = np.mean([result.verdict is madeby.Verdict.AI for result in results])
        assert least <= called <= most
    assert "250 different" in bundle.card
    assert "Calls bright pictures ai." in bundle.card


def test_photographs_alone_leave_what_is_promised_about_misses(calibrated):
    after = calibrated.after
    assert after[Profile.BALANCED].human == calibrated.before.human
    assert after[Profile.CAUTIOUS].human == -0.1  # the old bundle promised nothing there


def test_ai_pictures_set_the_lower_thresholds_too(make_bundle, photographs, tmp_path):
    rng = np.random.default_rng(1)
    (tmp_path / "ai").mkdir()
    for number in range(60):
        save(np.clip(rng.normal(170, 20, (32, 32, 3)) + rng.normal(0, 15), 0, 255), tmp_path / f"ai/{number}.png")
    summary = madeby.calibrate(photographs, tmp_path / "mine", model=make_bundle().folder, ai=tmp_path / "ai")
    eager = summary.after[Profile.EAGER]
    results = list(madeby.scan(tmp_path / "ai", model=summary.bundle.folder, threshold_profile="eager"))
    assert eager.n_ai == 60
    assert np.mean([result.verdict is madeby.Verdict.HUMAN for result in results]) <= 0.1


def test_repeated_broken_and_foreign_files_do_not_count(make_bundle, photographs, tmp_path):
    first = next(photographs.iterdir())
    (tmp_path / "copy.png").write_bytes(first.read_bytes())
    (tmp_path / "broken.png").write_bytes(first.read_bytes()[:40])
    save(np.zeros((4, 4, 3)), tmp_path / "tiny.png")
    bundle = make_bundle(min_side=8)
    sources = [photographs, *(tmp_path / name for name in ("copy.png", "broken.png", "tiny.png"))]
    read = madeby.calibrate(sources, tmp_path / "mine", model=bundle.folder).photographs
    assert (len(read.probabilities), read.repeated, read.outside, read.seen) == (250, 1, 1, 253)
    ((broken, reason),) = read.unread
    assert broken.endswith("broken.png")
    assert reason


def test_a_manifest_tells_photographs_from_ai_pictures(make_bundle, tmp_path):
    rng = np.random.default_rng(2)
    for label, level in (("real", 110), ("fake", 190)):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(110):
            pixels = np.clip(rng.normal(level + rng.normal(0, 20), 10, (32, 32, 3)), 0, 255)
            save(pixels, tmp_path / f"set/{label}/{number}.png")
    madeby.data_import("folders", tmp_path / "set", output=tmp_path / "set.parquet")
    summary = madeby.calibrate(
        (), tmp_path / "mine", model=make_bundle().folder, data=tmp_path / "set.parquet", split="all"
    )
    assert len(summary.photographs.probabilities) == len(summary.ai.probabilities) == 110


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"false_alarms": 0.001}, "it takes 999"),
        ({"false_alarms": 0.0}, "above 0"),
        ({"false_alarms": 0.5}, "at most 0.1"),
        ({"name": "my model"}, "cannot be a model's name"),
        ({"name": ""}, "cannot be a model's name"),
        ({"false_alarms": float("nan")}, "not nan"),
        ({"photographs": ()}, "name photographs"),
        ({"photographs": "no/such/folder"}, "0 different photographs.*left out: 1 unreadable; no/such/folder"),
    ],
)
def test_what_cannot_be_promised_is_refused(make_bundle, photographs, tmp_path, options, told):
    asked = {"photographs": photographs, "output": tmp_path / "mine", "model": make_bundle().folder} | options
    with pytest.raises(MadebyError, match=told):
        madeby.calibrate(asked.pop("photographs"), asked.pop("output"), **asked)
    assert not (tmp_path / "mine").exists()


def test_a_picture_is_a_photograph_or_ai_made(make_bundle, photographs, tmp_path):
    (tmp_path / "copy.png").write_bytes(next(photographs.iterdir()).read_bytes())
    with pytest.raises(MadebyError, match="1 pictures are given both"):
        madeby.calibrate(photographs, tmp_path / "mine", model=make_bundle().folder, ai=tmp_path / "copy.png")
    assert not (tmp_path / "mine").exists()


def test_pictures_outside_the_domain_are_named_where_too_few_are_left(make_bundle, photographs, tmp_path):
    with pytest.raises(MadebyError, match=r"0 different photographs.*left out: 250 outside the model's domain"):
        madeby.calibrate(photographs, tmp_path / "mine", model=make_bundle(min_side=64).folder)


@pytest.fixture
def a_set(tmp_path):
    """A manifest of two collections of 120 photographs, one brighter than the other, whose files have odd names."""
    rng = np.random.default_rng(2)
    for label, level in (("real", 90), ("fake", 160)):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(120):
            pixels = np.clip(rng.normal(level + rng.normal(0, 8), 10, (32, 32, 3)), 0, 255)
            save(pixels, tmp_path / f"set/{label}/{number}[1]{{a,b}}.png")
    madeby.data_import("folders", tmp_path / "set", output=tmp_path / "set.parquet")
    told = {"label": pl.lit("human"), "split": pl.lit("val"), "collection": pl.col("path").str.extract("/(real|fake)/")}
    write_manifest(read_manifest(tmp_path / "set.parquet").with_columns(**told), tmp_path / "m.csv")
    return tmp_path / "m.csv"


def test_each_collection_of_a_manifest_keeps_the_promise(make_bundle, a_set, tmp_path):
    summary = madeby.calibrate((), tmp_path / "mine", model=make_bundle().folder, data=a_set)
    read = summary.photographs
    assert (len(read.probabilities), read.unread) == (240, ())
    brighter = read.probabilities[[name == "fake" for name in read.collections]]
    assert len(brighter) == 120
    assert np.mean(brighter >= summary.after[Profile.EAGER].ai) <= 0.05
    assert np.mean(read.probabilities >= summary.after[Profile.EAGER].ai) <= 0.025


@pytest.mark.parametrize(("recipe", "split", "refused"), [({}, "val", False), ({"from": "x"}, "val", True)])
def test_pictures_that_the_model_has_learnt_from_set_no_thresholds(
    make_bundle, a_set, tmp_path, recipe, split, refused
):
    bundle = make_bundle()
    training = Training(manifest_sha256=manifest_sha256(read_manifest(a_set)), recipe=recipe)
    Bundle(bundle.folder, bundle.spec.model_copy(update={"training": training})).write_spec()
    if refused:
        with pytest.raises(MadebyError, match="has learnt from the val pictures"):
            madeby.calibrate((), tmp_path / "mine", model=bundle.folder, data=a_set, split=split)
    else:
        madeby.calibrate((), tmp_path / "mine", model=bundle.folder, data=a_set, split=split)


def test_what_stops_on_the_way_leaves_the_older_bundle(calibrated, make_bundle, photographs, tmp_path):
    def stop(done):
        raise KeyboardInterrupt

    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    with pytest.raises(KeyboardInterrupt):
        madeby.calibrate(photographs, tmp_path / "mine", model=make_bundle("other").folder, progress=stop)
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before
    assert not list(tmp_path.glob(".mine*"))


def test_nothing_else_is_overwritten(make_bundle, photographs, tmp_path):
    bundle = make_bundle()
    (tmp_path / "file").touch()
    with pytest.raises(MadebyError, match="cannot be written"):
        madeby.calibrate(photographs, tmp_path / "file/mine", model=bundle.folder)
    with pytest.raises(MadebyError, match="the model itself"):
        madeby.calibrate(photographs, bundle.folder, model=bundle.folder)
    with pytest.raises(MadebyError, match="is not a bundle"):
        madeby.calibrate(photographs, photographs, model=bundle.folder)


def test_the_command_says_what_it_did(make_bundle, photographs, tmp_path):
    asked = ["calibrate", str(photographs), "-o", str(tmp_path / "mine"), "--model", str(make_bundle().folder)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "250 different photographs" in done.output
    assert "cautious" in done.output


def test_a_profile_decides_from_its_own_threshold_in_every_face(make_bundle, tmp_path):
    bundle = make_bundle()
    save(np.random.default_rng(5).integers(150, 190, (32, 32, 3)), tmp_path / "grey.png")
    data = (tmp_path / "grey.png").read_bytes()

    def verdicts(profile):
        detector = madeby.load_detector(bundle.folder, threshold_profile=profile)
        (scanned,) = madeby.scan(tmp_path / "grey.png", model=bundle.folder, threshold_profile=profile)
        (explained,) = madeby.explain(tmp_path / "grey.png", model=bundle.folder, threshold_profile=profile)
        in_memory = madeby.scan_bytes(data, model=bundle.folder, threshold_profile=profile)
        loaded = madeby.scan_bytes(data, model=detector)
        return {result.verdict.value for result in (scanned, explained.result, in_memory, loaded)}

    assert verdicts("balanced") == {"uncertain"}
    assert verdicts("eager") == {"ai"}
    there_and_back = madeby.load_detector(bundle.folder, threshold_profile="eager").with_profile("balanced")
    assert there_and_back.bundle.spec.thresholds.ai == 0.9
    with pytest.raises(MadebyError, match="no thresholds for the profile cautious"):
        verdicts("cautious")
    with pytest.raises(MadebyError, match="there is no threshold profile 'bold'"):
        verdicts("bold")
