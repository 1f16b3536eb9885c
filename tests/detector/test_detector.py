from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from madeby.detector.bundle import MODEL_FILE, Bundle, Calibration, sha256_of
from madeby.detector.calibration import probability_of
from madeby.detector.detector import Detector
from madeby.detector.flatness import flat_share
from madeby.errors import BundleError
from madeby.schema import Label, Strength


def grey(value: int, width: int = 100, height: int = 80) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_bright_is_ai_dark_is_human_and_between_is_neither(make_bundle):
    detector = Detector(make_bundle())
    bright, dark, middle = (detector.read(grey(value)) for value in (255, 0, 128))
    assert bright.probability == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-6)
    assert dark.probability == pytest.approx(1 / (1 + np.exp(4)), abs=1e-6)
    assert [detector.signal(reading).points_to for reading in (bright, dark, middle)] == [
        Label.AI,
        Label.HUMAN,
        None,
    ]
    assert detector.signal(middle).strength is Strength.NONE


def test_the_logit_is_the_mean_over_crops_and_of_the_map(make_bundle):
    pixels = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    reading = Detector(make_bundle(crops=6)).read(pixels)
    assert reading.crops == 6
    assert reading.logit == pytest.approx(reading.view_logits.mean(), abs=1e-6)
    assert reading.logit_map is not None
    assert reading.logit_map.mean() == pytest.approx(reading.logit, abs=1e-4)


def test_many_threads_get_the_same_answer(make_bundle):
    detector = Detector(make_bundle(), threads=1)
    pictures = [grey(value) for value in range(0, 250, 10)]
    alone = [detector.read(picture).logit for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: detector.read(picture).logit, pictures))
    assert alone == together


def test_a_picture_smaller_than_validated_is_told(make_bundle):
    detector = Detector(make_bundle(min_side=64))
    varied = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert "32×40" in detector.out_of_domain(varied[:40, :32])[0]
    assert detector.out_of_domain(varied) == []


def test_a_page_of_text_is_outside_what_a_bundle_knows_and_a_photograph_is_not(make_bundle):
    from sklearn.datasets import load_sample_image

    detector = Detector(make_bundle())
    page = np.full((400, 300, 3), 255, np.uint8)
    page[40:360:8, 30:270] = np.random.default_rng(0).integers(0, 256, (40, 240, 3), dtype=np.uint8)
    assert "one flat colour" in detector.out_of_domain(page)[0]
    for name in ("china.jpg", "flower.jpg"):
        assert detector.out_of_domain(load_sample_image(name)) == []


@pytest.mark.parametrize("logit", [-1e6, -30.0, 0.0, 30.0, 1e6])
def test_probability_stays_between_0_and_1_for_any_logit(logit):
    assert 0.0 <= probability_of(logit, Calibration(slope=2.0, intercept=-1.0)) <= 1.0


def test_calibration_is_applied():
    calibration = Calibration(method="platt", slope=2.0, intercept=-1.0)
    assert probability_of(0.5, calibration) == pytest.approx(0.5)


def test_a_file_that_is_not_a_model_is_refused(make_bundle):
    bundle = make_bundle()
    bundle.model_path.write_bytes(b"not a model")
    spec = bundle.spec.model_copy(update={"model_sha256": sha256_of(bundle.folder / MODEL_FILE)})
    with pytest.raises(BundleError, match="cannot be loaded"):
        Detector(Bundle(bundle.folder, spec))


def test_the_share_of_one_colour_is_counted_only_where_it_can_matter():
    rng = np.random.default_rng(0)
    for flat_rows in range(0, 65, 8):
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        pixels[:flat_rows] = 7
        share = flat_share(pixels)
        assert share == pytest.approx(max(flat_rows / 64, 1 / 4096), abs=1e-3)
        assert (flat_share(pixels, above=0.5) > 0.5) == (share > 0.5)
        assert flat_share(pixels, above=0.5) in (0.0, share)
