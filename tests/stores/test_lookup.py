import io

import pytest
from PIL import Image

import madeby
from madeby.errors import BundleError
from madeby.stores import DEFAULT_BUNDLE, builtin_names, open_bundle


def test_the_default_bundle_ships_inside_the_package():
    assert DEFAULT_BUNDLE in builtin_names()
    assert open_bundle().spec.name == DEFAULT_BUNDLE
    assert open_bundle(DEFAULT_BUNDLE) == open_bundle()


@pytest.mark.parametrize("name", builtin_names())
def test_a_bundle_in_the_package_says_what_it_was_calibrated_on_and_stays_small(name):
    bundle = open_bundle(name)
    assert bundle.spec.calibration.method != "none"
    assert bundle.spec.calibration.n > 0
    assert bundle.spec.thresholds.n_human >= 99  # fewer could not promise 1% false alarms
    assert bundle.card
    assert bundle.model_path.stat().st_size <= 20_000_000


def test_the_cifake_bundle_does_not_judge_photographs_it_was_not_made_for():
    file = io.BytesIO()
    Image.effect_noise((400, 300), 60).convert("RGB").save(file, "JPEG")
    result = madeby.scan_bytes(file.getvalue(), model="cifake")
    assert result.verdict == "uncertain"
    assert "400×300 pixels" in result.reason


def test_a_folder_or_a_run_that_holds_a_bundle_is_found(make_bundle, tmp_path):
    bundle = make_bundle()
    assert open_bundle(bundle.folder).spec == bundle.spec
    run = tmp_path / "run"
    run.mkdir()
    bundle.folder.rename(run / "bundle")
    assert open_bundle(run).spec == bundle.spec


def test_a_wrong_name_suggests_the_nearest():
    with pytest.raises(BundleError, match="did you mean 'wild-lite'"):
        open_bundle("wildlite")


def test_a_folder_without_a_bundle_and_a_file_are_told_apart(tmp_path):
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        open_bundle(tmp_path)
    file = tmp_path / "model.onnx"
    file.write_bytes(b"")
    with pytest.raises(BundleError, match="is a file"):
        open_bundle(file)
