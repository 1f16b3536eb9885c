"""The open watermarks: written here from their description, read back, and never seen where there are none."""

import io

import numpy as np
import pytest
import pywt
from PIL import Image
from provenance_files import read

from madeby.provenance.watermark import MESSAGES, P_VALUE, VARIANTS, best_match, block_votes, matching_bits, tail
from madeby.schema import Label, Strength

SIZE = (448, 384)


def photograph(seed, width=SIZE[0], height=SIZE[1]):
    """A soft picture with grain, which is what the scheme was made for."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(40, 216, (12, 14, 3), dtype=np.uint8))
    soft = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
    return np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8)


def watermarked(pixels, bits, order="BGR", offset=128.0):
    """Write a message: Haar low band of U, 4x4 blocks, the largest coefficient to 1/4 or 3/4 of a step of 36."""
    rgb = pixels.astype(float)
    channels = rgb if order == "BGR" else rgb[..., ::-1]
    luma = channels @ [0.299, 0.587, 0.114]
    u_before = 0.492 * (channels[..., 2] - luma) + offset
    low, rest = pywt.dwt2(u_before, "haar")
    number = 0
    for row in range(0, low.shape[0] // 4 * 4, 4):
        for column in range(0, low.shape[1] // 4 * 4, 4):
            block = low[row : row + 4, column : column + 4]
            place = np.unravel_index(1 + np.argmax(np.abs(block.ravel()[1:])), (4, 4))
            value = block[place]
            moved = (abs(value) // 36 + 0.25 + 0.5 * bits[number % len(bits)]) * 36
            block[place] = moved if value >= 0 else -moved
            number += 1
    change = pywt.idwt2((low, rest), "haar") - u_before
    channels = channels + change[..., None] * np.array([0.0, -0.395, 2.032])
    rgb = channels if order == "BGR" else channels[..., ::-1]
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.maker)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_known_message_is_found_in_every_variant(message, variant):
    marked = watermarked(photograph(1), message.bits, *variant)
    signal = read("watermark", b"", marked)
    assert (signal.points_to, signal.strength) == (Label.AI, Strength.STRONG)
    assert signal.detail["maker"] == message.maker
    assert signal.detail["matching_bits"] >= 0.95 * signal.detail["bits"]
    assert signal.detail["p_value"] <= P_VALUE


@pytest.mark.parametrize("size", [(449, 387), (450, 390), (455, 385), (1030, 260)])
def test_sizes_that_are_no_multiple_of_the_block_are_counted_as_the_writer_counts_them(size):
    message = MESSAGES[2]
    cut = (size[0] // 4 * 4, size[1] // 4 * 4)
    picture = photograph(2, *size)
    picture[: cut[1], : cut[0]] = watermarked(picture[: cut[1], : cut[0]], message.bits)
    assert best_match(picture).message is message
    assert best_match(picture).p_value <= P_VALUE


def test_large_pictures_are_read_in_part_and_still_found():
    marked = watermarked(photograph(3, 1600, 1200), MESSAGES[0].bits)
    assert len(block_votes(marked)[0].numbers) <= 4096
    assert best_match(marked).message is MESSAGES[0]
    assert best_match(marked).p_value <= P_VALUE


def test_light_compression_is_survived():
    out = io.BytesIO()
    marked = watermarked(photograph(4), MESSAGES[3].bits, "BGR", 0.5)
    Image.fromarray(marked).save(out, "JPEG", quality=97, subsampling=0)
    assert best_match(np.asarray(Image.open(out))).p_value <= P_VALUE


def test_pictures_without_a_watermark_have_none():
    rng = np.random.default_rng(0)
    pictures = [photograph(seed) for seed in range(20)]
    pictures += [np.full((300, 300, 3), value, np.uint8) for value in (0, 18, 128, 255)]
    pictures += [rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)]
    pictures += [np.tile(np.arange(384, dtype=np.uint8)[None, :, None] // 8 * 8, (384, 1, 3))]
    for picture in pictures:
        signal = read("watermark", b"", picture)
        assert signal.detail["state"] == "absent"
        assert signal.points_to is None


def test_random_messages_match_as_fair_coins_do():
    rng = np.random.default_rng(0)
    votes = [vote for seed in range(8) for vote in block_votes(photograph(seed))]
    matches = [matching_bits(vote, tuple(rng.integers(0, 2, 48))) for vote in votes for _ in range(50)]
    assert 22 < np.mean(matches) < 26
    assert max(matches) < 42


def test_the_p_value_is_the_binomial_tail():
    assert tail(0, 48) == 1
    assert tail(48, 48) == 2.0**-48
    assert tail(31, 32) == 33 / 2**32


def test_small_pictures_and_files_without_pixels_are_not_examined():
    assert read("watermark", b"", photograph(0, 200, 200)).detail["state"] == "not examined"
    assert read("watermark", b"").detail["state"] == "not examined"
