import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeby.detector.bundle import Preprocessing
from madeby.detector.views import crop_corners, normalised, view_boxes, views_of, without_far_ends


@given(height=st.integers(1, 700), width=st.integers(1, 700), size=st.integers(8, 256), count=st.integers(1, 16))
@settings(max_examples=200, deadline=None)
def test_crops_are_whole_squares_inside_the_picture_and_never_more_than_asked(height, width, size, count):
    pixels = np.zeros((height, width, 3), np.uint8)
    views = views_of(pixels, Preprocessing(view="crops", size=size, crops=count))
    assert 1 <= len(views) <= count
    assert views.shape[1:] == (size, size, 3)


@given(
    height=st.integers(64, 2000),
    width=st.integers(64, 2000),
    size=st.sampled_from([64, 224]),
    count=st.integers(1, 16),
)
def test_crop_corners_are_distinct_and_keep_the_phase_of_jpeg_blocks(height, width, size, count):
    height, width = max(height, size), max(width, size)
    corners = crop_corners(height, width, size, count)
    assert len(set(corners)) == len(corners)
    for top, left in corners:
        assert 0 <= top <= height - size
        assert 0 <= left <= width - size
        assert top % 8 == 0
        assert left % 8 == 0


def test_a_large_picture_is_looked_at_in_as_many_places_as_allowed():
    assert len(crop_corners(3000, 4000, 224, 9)) == 9
    assert len(crop_corners(224, 4000, 224, 9)) == 9
    assert len(crop_corners(224, 224, 224, 9)) == 1


def test_the_centre_is_looked_at_first():
    top, left = crop_corners(960, 960, 320, 9)[0]
    assert (top, left) == (320, 320)


def test_a_small_picture_is_continued_by_mirroring_not_by_black():
    pixels = np.full((10, 12, 3), 200, np.uint8)
    view = views_of(pixels, Preprocessing(view="crops", size=32, crops=4))[0]
    assert (view == 200).all()


def test_the_whole_view_of_a_picture_that_has_the_size_is_the_picture_itself():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    view = views_of(pixels, Preprocessing(view="resize", size=32))
    assert (view[0] == pixels).all()


def test_normalised_pixels_run_from_minus_one_to_one_with_the_default_mean_and_deviation():
    views = np.stack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)])
    pixels = normalised(views, Preprocessing(view="resize", size=8))
    assert pixels.shape == (2, 3, 8, 8)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose([pixels.min(), pixels.max()], [-1, 1], atol=1e-6)


@given(height=st.integers(1, 400), width=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_middle_square_is_one_view_and_its_box_lies_in_the_middle(height, width):
    preprocessing = Preprocessing(view="centre", size=32)
    assert views_of(np.zeros((height, width, 3), np.uint8), preprocessing).shape == (1, 32, 32, 3)
    (box,) = view_boxes(height, width, preprocessing)
    assert box.height == box.width == min(height, width)
    assert abs((box.top + box.height / 2) - height / 2) < 1 and abs((box.left + box.width / 2) - width / 2) < 1


def test_the_middle_square_keeps_proportions_and_leaves_the_ends_out():
    pixels = np.zeros((64, 192, 3), np.uint8)
    pixels[:, 64:128] = 255
    pixels[16:48, 80:112] = 0
    (view,) = views_of(pixels, Preprocessing(view="centre", size=64))
    assert (view == pixels[:, 64:128]).all()


@given(height=st.integers(1, 400), width=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_quarters_follow_the_middle_square_and_cover_it(height, width):
    pixels = np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    preprocessing = Preprocessing(view="quarters", size=16)
    views = views_of(pixels, preprocessing)
    assert views.shape == (5, 16, 16, 3)
    assert (views[:1] == views_of(pixels, Preprocessing(view="centre", size=16))).all()
    upper, lower = np.concatenate(views[1:3], axis=1), np.concatenate(views[3:], axis=1)
    assert (np.concatenate([upper, lower]) == views_of(pixels, Preprocessing(view="centre", size=32))[0]).all()
    alone = Preprocessing(view="quadrants", size=16)
    assert (views_of(pixels, alone) == views[1:]).all()
    whole, *quarters = view_boxes(height, width, preprocessing)
    assert view_boxes(height, width, alone) == quarters
    covered = np.zeros((height, width), int)
    for box in quarters:
        covered[box.top : box.top + box.height, box.left : box.left + box.width] += 1
    inside = covered[whole.top : whole.top + whole.height, whole.left : whole.left + whole.width]
    assert (inside == 1).all()
    assert covered.sum() == whole.height * whole.width


@pytest.mark.parametrize("view", ["centre", "quarters", "quadrants"])
@pytest.mark.parametrize(("height", "width"), [(1, 60_000), (60_000, 1)])
def test_a_picture_of_one_line_does_not_fill_the_memory(view, height, width):
    pixels = np.full((height, width, 3), 200, np.uint8)
    assert max(without_far_ends(pixels).shape) <= 16
    assert (views_of(pixels, Preprocessing(view=view, size=224)) == 200).all()


def test_the_far_ends_of_a_long_picture_are_not_seen():
    pixels = np.zeros((20, 2000, 3), np.uint8)
    pixels[:, 980:1020] = 200
    assert (views_of(pixels, Preprocessing(view="centre", size=40))[0] == 200).all()


def test_a_panorama_keeps_its_bits():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 300, 3), dtype=np.uint8)
    assert without_far_ends(pixels) is pixels or (without_far_ends(pixels) == pixels).all()
