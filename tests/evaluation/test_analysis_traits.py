"""Traits measure what their names say."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from madeby.datasets.audit.container_facts import container_facts
from madeby.evaluation.analysis.traits import traits_of
from madeby.pictures.decode import decode


def traits(picture, file_format="PNG", **options):
    packed = io.BytesIO()
    picture.save(packed, file_format, **options)
    decoded = decode(packed.getvalue())
    return traits_of(decoded.pixels, container_facts(packed.getvalue(), decoded.facts))


def noise(side=128, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def test_blur_lowers_sharpness_noise_and_high_frequencies_and_steepens_the_spectrum():
    sharp, soft = traits(noise()), traits(noise().filter(ImageFilter.GaussianBlur(2)))
    assert soft.sharpness < sharp.sharpness
    assert soft.noise < sharp.noise
    assert soft.high_frequencies < 0.1 < sharp.high_frequencies
    assert soft.spectrum_slope < -2 < sharp.spectrum_slope
    assert sharp.spectrum_slope == pytest.approx(0, abs=0.3)  # white noise


def test_the_spectrum_of_pink_noise_has_its_slope():
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None])
    frequency[0, 0] = 1
    field = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(256, 256))) / frequency)
    level = np.clip(128 + 40 * field / field.std(), 0, 255).astype(np.uint8)
    assert traits(Image.fromarray(level).convert("RGB")).spectrum_slope == pytest.approx(-2, abs=0.3)


def test_the_noise_of_a_noisy_grey_is_its_deviation():
    rng = np.random.default_rng(0)
    level = np.clip(128 + rng.normal(0, 8, (256, 256)), 0, 255).astype(np.uint8)
    assert traits(Image.fromarray(level).convert("RGB")).noise == pytest.approx(8, rel=0.05)


def test_a_single_colour_has_no_entropy_and_no_spectrum():
    found = traits(Image.new("RGB", (64, 48), (255, 0, 0)))
    assert (found.entropy, found.contrast, found.flat) == (0, pytest.approx(0, abs=1e-3), 1)
    assert (found.spectrum_slope, found.high_frequencies) == (None, None)
    assert found.saturation == found.warmth == 255
    assert found.aspect == pytest.approx(64 / 48)


def test_file_facts_are_the_file_s():
    found = traits(noise(40), "JPEG", quality=80)
    assert (found.format, found.jpeg_quality, found.subsampling, found.shorter_side) == ("JPEG", 80, "4:2:0", 40)
    assert found.bytes_per_pixel == found.bytes / 1600
    assert found.metadata == "none"


def test_a_picture_too_small_for_a_spectrum_still_has_its_colours():
    found = traits(noise(5))
    assert found.sharpness is found.noise is found.spectrum_slope is None
    assert found.entropy > 4
