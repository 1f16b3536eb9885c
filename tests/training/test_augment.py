import numpy as np
import pytest
import torch

from madeby.errors import RecipeError
from madeby.training.augment import Augmentation, change_names, parse_step, random_crop
from madeby.training.geometry import (
    brightened,
    contrasted,
    flipped,
    flipped_vertically,
    rotated,
    shifted,
    zoomed,
)


def batch(count=4, side=16, seed=0):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 255


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flip", ("flip", 1, 1, 0.5)),
        ("flip@0.2", ("flip", 1, 1, 0.2)),
        ("rotate=10", ("rotate", -10, 10, 1)),
        ("rotate=0..10", ("rotate", 0, 10, 1)),
        ("jpeg=75", ("jpeg", 75, 75, 1)),
        ("jpeg=50..95@0.5", ("jpeg", 50, 95, 0.5)),
        ("resize=0.5..1.5", ("resize", 0.5, 1.5, 1)),
        (" blur=0.2..2 ", ("blur", 0.2, 2, 1)),
    ],
)
def test_steps_are_read(text, expected):
    step = parse_step(text)
    assert (step.change.name, step.low, step.high, step.probability) == expected


@pytest.mark.parametrize(
    "text", ["jpg=50", "jpeg", "jpeg=a", "jpeg=95..50", "jpeg=0..50", "flip@2", "flip@x", "=3", ""]
)
def test_steps_that_mean_nothing_are_refused(text):
    with pytest.raises(RecipeError, match="augment"):
        parse_step(text)


@pytest.mark.parametrize("name", change_names())
def test_every_change_keeps_views_the_networks_size_and_is_repeatable(name):
    values = {"rotate": "=15", "shift": "=3", "zoom": "=0.8..1.2", "jpeg": "=50", "webp": "=50", "resize": "=0.6",
              "blur": "=1", "noise": "=8", "fit": "=28", "brightness": "=0.5", "contrast": "=0.5"}  # fmt: skip
    text = name + values.get(name, "")
    augmentation = Augmentation([text], 24)
    tile = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    first, second = (augmentation.pixels(tile, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (24, 24, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    views = batch()
    changed = augmentation.tensors(views, 3)
    assert changed.shape == views.shape
    assert torch.equal(changed, augmentation.tensors(views, 3))


def test_flips_mirror_only_the_chosen():
    views, chosen = batch(2), torch.tensor([1.0, 0.0])
    assert torch.equal(flipped(views, chosen)[0], views[0].flip(2))
    assert torch.equal(flipped_vertically(views, chosen)[0], views[0].flip(1))
    assert torch.equal(flipped(views, chosen)[1], views[1])


def test_a_quarter_turn_is_a_quarter_turn():
    views = batch(1)
    turned = rotated(views, torch.tensor([90.0]))[0]
    candidates = [torch.rot90(views[0], times, (1, 2)) for times in (1, 3)]
    assert any(torch.allclose(turned, candidate, atol=0.1) for candidate in candidates)


@pytest.mark.parametrize(
    ("change", "identity"),
    [(rotated, 0.0), (zoomed, 1.0), (brightened, 1.0), (contrasted, 1.0)],
)
def test_the_identity_value_changes_nothing(change, identity):
    views = batch(2)
    assert torch.allclose(change(views, torch.full((2,), identity)), views, atol=0.1)


def test_shifting_moves_whole_pixels_and_repeats_edges():
    views = batch(1, side=8)
    moved = shifted(views, torch.tensor([[2.0, 0.0]]))
    assert torch.equal(moved[:, :, :, 2:], views[:, :, :, :-2])
    assert torch.equal(moved[:, :, :, 0], views[:, :, :, 0])
    down = shifted(views, torch.tensor([[0.0, -3.0]]))
    assert torch.equal(down[:, :, :-3], views[:, :, 3:])
    assert torch.equal(shifted(views, torch.zeros(1, 2)), views)


def test_crops_come_from_anywhere_and_small_tiles_are_mirrored():
    tile = np.arange(12 * 12 * 3, dtype=np.uint8).reshape(12, 12, 3)
    rng = np.random.default_rng(0)
    corners = {random_crop(tile, 8, rng)[0, 0, 0] for _ in range(200)}
    assert len(corners) == 25
    assert random_crop(tile, 16, rng).shape == (16, 16, 3)
