"""The evidence map shows the numbers that the probability was made of, where they came from."""

import io
from dataclasses import replace

import numpy as np
import onnx
import pytest
from PIL import Image

from madeby.detector.bundle import MODEL_FILE, Bundle, Calibration, sha256_of
from madeby.detector.detector import Detector
from madeby.detector.evidence_drawing import LONGEST_SIDE, MapKind, draw_evidence
from madeby.detector.evidence_map import evidence_map
from madeby.errors import BundleError


def half_bright(width: int, height: int) -> np.ndarray:
    """Dark at the left, bright at the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return pixels


def mapped(bundle, pixels):
    return evidence_map(Detector(bundle).read(pixels), *pixels.shape[:2], bundle.spec)


@pytest.mark.parametrize("view", ["crops", "resize"])
def test_evidence_lies_where_it_is(make_bundle, view):
    evidence = mapped(make_bundle(view=view, crops=16), half_bright(96, 64))
    middle = evidence.log_odds.shape[1] // 2
    assert (evidence.log_odds[:, : middle - 1] < 0).all()
    assert (evidence.log_odds[:, middle + 1 :] > 0).all()


@pytest.mark.parametrize("view", ["quarters", "quadrants"])
def test_quarters_with_and_without_the_whole_make_one_fine_map_whose_mean_is_the_logit(make_bundle, view):
    bundle = make_bundle(view=view)
    pixels = half_bright(96, 64)
    reading = Detector(bundle).read(pixels)
    evidence = evidence_map(reading, 64, 96, bundle.spec)
    assert evidence.log_odds.shape == (64, 96)
    assert (evidence.looked_at.any(axis=0)).tolist() == [16 <= column < 80 for column in range(96)]
    assert np.nanmean(evidence.log_odds) == pytest.approx(reading.logit, abs=0.05)
    assert (evidence.log_odds[:, 16:46] < 0).all()
    assert (evidence.log_odds[:, 50:80] > 0).all()


def test_the_quarters_count_as_the_places_they_have(make_bundle):
    bundle = make_bundle(view="quarters")
    reading = Detector(bundle).read(np.zeros((64, 64, 3), np.uint8))
    maps = np.zeros_like(reading.logit_map)
    maps[0], maps[1] = 5.0, 10.0  # the whole, and its upper left quarter
    evidence = evidence_map(replace(reading, logit_map=maps), 64, 64, bundle.spec)
    assert 9 < evidence.log_odds[16, 16] < 10  # the quarter has four places where the whole has one
    assert 0 < evidence.log_odds[48, 48] < 1.5


def test_values_are_calibrated_log_odds(make_bundle):
    bundle = make_bundle()
    spec = bundle.spec.model_copy(update={"calibration": Calibration(method="platt", slope=0.5, intercept=1.0)})
    evidence = mapped(Bundle(bundle.folder, spec), np.full((40, 40, 3), 255, np.uint8))
    assert evidence.log_odds == pytest.approx(0.5 * 4 + 1.0, abs=1e-5)


def test_places_that_no_view_shows_are_marked(make_bundle):
    evidence = mapped(make_bundle(crops=1), half_bright(128, 128))
    assert evidence.looked_at.sum() == 32 * 32
    assert evidence.looked_at[48:80, 48:80].all()


@pytest.mark.parametrize(("width", "height"), [(7, 5), (31, 200), (33, 33), (1000, 1), (257, 131)])
def test_any_shape_has_a_map_of_its_own_size(make_bundle, width, height):
    evidence = mapped(make_bundle(crops=9), half_bright(width, height))
    assert evidence.log_odds.shape == (height, width)
    assert evidence.looked_at.any()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 5), (1000, 1), (33, 33), (257, 131)])
def test_quarters_of_any_shape_make_a_map(make_bundle, width, height):
    evidence = mapped(make_bundle(view="quarters"), half_bright(width, height))
    assert evidence.log_odds.shape[0] * evidence.cell_height == pytest.approx(height, abs=evidence.cell_height)
    assert evidence.looked_at.any()


@pytest.mark.parametrize(("width", "height"), [(7, 5), (3000, 40), (1, 2000), (500, 300)])
def test_both_drawings_have_one_size_and_fit(make_bundle, width, height):
    pixels = half_bright(width, height)
    evidence = mapped(make_bundle(), pixels)
    overlay, alone = (Image.open(io.BytesIO(draw_evidence(pixels, evidence, kind, "é"))) for kind in MapKind)
    assert overlay.size == alone.size
    assert max(overlay.size) == min(LONGEST_SIDE, max(width, height))
    assert (overlay.mode, alone.mode) == ("RGB", "RGBA")
    assert alone.text["Description"] == "é"


def test_colours_tell_the_sides_apart_and_unseen_places_are_transparent(make_bundle):
    pixels = half_bright(128, 64)
    evidence = mapped(make_bundle(crops=2, size=64), pixels)
    alone = np.asarray(Image.open(io.BytesIO(draw_evidence(pixels, evidence, MapKind.MAP))))
    red, blue = alone[..., 0].astype(int), alone[..., 2].astype(int)
    assert (red[:, 70:] > blue[:, 70:]).all()
    assert (blue[:, :58] > red[:, :58]).all()
    assert (alone[:, 80:, 3] > 100).all()
    seen_in_part = mapped(make_bundle("narrow", crops=1), pixels)
    partly = np.asarray(Image.open(io.BytesIO(draw_evidence(pixels, seen_in_part, MapKind.MAP))))
    assert (partly[:10, :, 3] == 0).all()


def test_a_model_without_a_map_says_so(make_bundle):
    bundle = make_bundle("mapless")
    model = onnx.load(bundle.model_path)
    del model.graph.output[1]
    onnx.save(model, bundle.folder / MODEL_FILE)
    spec = bundle.spec.model_copy(update={"model_sha256": sha256_of(bundle.folder / MODEL_FILE)})
    with pytest.raises(BundleError, match=r"mapless .* no logit map"):
        mapped(Bundle(bundle.folder, spec), half_bright(64, 64))
