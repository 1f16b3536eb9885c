"""Every registered degradation keeps its promises."""

from __future__ import annotations

import numpy as np
import pytest

from madeby.errors import RecipeError
from madeby.pictures.degradations import degradation, degradations

MIDDLE = {"jpeg": 50, "webp": 50, "resize": 0.5, "blur": 1.5, "noise": 8, "fit": 40}


def scene(height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def middle(entry) -> float:
    return MIDDLE.get(entry.name, (entry.lowest + entry.highest) / 2)


@pytest.fixture(params=degradations(), ids=lambda entry: entry.name)
def entry(request):
    return request.param


def test_it_changes_the_picture_and_not_its_argument(entry):
    pixels = scene()
    changed = entry.apply(pixels, middle(entry))
    assert np.array_equal(pixels, scene())
    assert changed.dtype == np.uint8
    assert changed.ndim == 3 and changed.shape[2] == 3
    assert changed.flags.writeable and changed.flags.c_contiguous
    assert changed.shape != pixels.shape or not np.array_equal(changed, pixels)


def test_the_same_seed_gives_the_same_picture(entry):
    once, again = (entry.apply(scene(), middle(entry), seed=4) for _ in range(2))
    assert np.array_equal(once, again)


def test_it_does_next_to_nothing_at_its_unchanged_value(entry):
    smooth = np.repeat(np.arange(64, dtype=np.uint8)[:, None, None] * 2, 64, axis=1).repeat(3, axis=2)
    changed = entry.apply(smooth, entry.unchanged)
    assert changed.shape == smooth.shape
    assert np.abs(changed.astype(int) - smooth).max() <= 3


def test_values_out_of_bounds_are_refused_with_the_bounds(entry):
    with pytest.raises(RecipeError, match=entry.parameter):
        entry.apply(scene(), entry.highest + 1)


def test_it_takes_the_smallest_pictures(entry):
    assert entry.apply(scene(1, 1), middle(entry)).shape[2] == 3


def test_it_is_found_by_name_and_says_what_it_means(entry):
    assert degradation(entry.name) is entry
    assert entry.meaning


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(RecipeError, match="jpeg, webp, resize"):
        degradation("sepia")


def test_noise_depends_on_the_seed():
    noise = degradation("noise")
    assert not np.array_equal(noise.apply(scene(), 8, seed=1), noise.apply(scene(), 8, seed=2))
    spread = noise.apply(np.full((200, 200, 3), 128, np.uint8), 10).astype(float) - 128
    assert spread.std() == pytest.approx(10, rel=0.05)


def test_resize_scales_both_sides():
    assert degradation("resize").apply(scene(60, 80), 0.5).shape == (30, 40, 3)


def test_lower_quality_loses_more():
    jpeg = degradation("jpeg")
    losses = [np.abs(jpeg.apply(scene(), quality).astype(int) - scene()).mean() for quality in (95, 60, 20)]
    assert losses == sorted(losses)


def test_fit_keeps_proportions_and_never_enlarges():
    fit = degradation("fit")
    assert fit.apply(scene(60, 80), 40).shape == (30, 40, 3)
    assert np.array_equal(fit.apply(scene(60, 80), 80), scene(60, 80))


def test_crop_is_a_part_of_the_picture_that_depends_on_the_seed():
    crop, pixels = degradation("crop"), scene()
    parts = [crop.apply(pixels, 0.5, seed) for seed in range(4)]
    assert {part.shape for part in parts} == {(30, 40, 3)}
    assert len({part.tobytes() for part in parts}) > 1
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (30, 40, 3))
    assert all((windows == part).all(axis=(-3, -2, -1)).any() for part in parts)


@pytest.mark.parametrize(("name", "side", "quality"), [("web", 768, 60), ("hard", 512, 40)])
def test_the_named_chains_are_what_they_say(name, side, quality):
    chain, pixels = degradation(name), scene(600, 1024)
    assert chain.usual == quality
    by_hand = degradation("jpeg").apply(degradation("fit").apply(pixels, side), quality)
    assert by_hand.shape[1] == side
    assert np.array_equal(chain.apply(pixels, quality), by_hand)


def test_a_screenshot_is_of_the_shown_size_and_off_the_grid():
    screenshot = degradation("screenshot")
    shots = [screenshot.apply(scene(), 0.8, seed) for seed in (1, 2)]
    assert [shot.shape for shot in shots] == [(48, 64, 3)] * 2
    assert not np.array_equal(*shots)
