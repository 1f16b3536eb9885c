"""What a file says about itself: format, size, JPEG settings, fingerprints."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from madeby.pictures.decode import decode
from madeby.pictures.exif_orientation import exif_orientation
from madeby.pictures.jpeg import estimate_quality, read_jpeg_header
from madeby.pictures.perceptual_hash import hamming_distance, perceptual_hash


def scene(seed: int = 0, size: tuple[int, int] = (320, 240)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image, picture_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, picture_format, **options)
    return file.getvalue()


def test_the_facts_of_a_file():
    data = saved(scene(), "JPEG", quality=83)
    facts = decode(data).facts
    assert (facts.format, facts.width, facts.height, facts.bytes) == ("JPEG", 320, 240, len(data))
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert (facts.jpeg_quality, facts.chroma_subsampling) == (83, "4:2:0")
    assert len(facts.perceptual_hash) == 16


def test_jpeg_facts_are_null_for_other_formats_and_the_hash_can_be_left_out():
    facts = decode(saved(scene(), "PNG"), perceptual_hash=False).facts
    assert facts.jpeg_quality is facts.chroma_subsampling is facts.perceptual_hash is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("quality", [5, 20, 49, 50, 51, 75, 80, 90, 95, 99, 100])
def test_the_quality_of_an_ijg_file_is_told_exactly(quality, mode):
    image = scene(size=(16, 16)).convert(mode)
    assert read_jpeg_header(saved(image, "JPEG", quality=quality)).quality == quality


def test_tables_of_other_encoders_get_the_nearest_quality():
    with Image.open(io.BytesIO(saved(scene(), "JPEG", quality=80))) as image:
        tables = image.quantization
    nearly = {number: [max(1, value + (i % 3 - 1)) for i, value in enumerate(t)] for number, t in tables.items()}
    assert abs(read_jpeg_header(saved(scene(), "JPEG", qtables=nearly)).quality - 80) <= 2


def test_no_tables_no_quality():
    assert estimate_quality() is None
    assert estimate_quality((1, 2, 3)) is None


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (scene(), {"subsampling": "4:4:4"}, "4:4:4"),
        (scene(), {"subsampling": "4:2:2"}, "4:2:2"),
        (scene(), {"subsampling": "4:2:0"}, "4:2:0"),
        (scene().convert("L"), {}, "4:0:0"),
    ],
)
def test_chroma_subsampling(image, options, expected):
    assert read_jpeg_header(saved(image, "JPEG", **options)).subsampling == expected


def test_a_preview_inside_the_metadata_is_not_taken_for_the_picture():
    exif = b"Exif\0\0" + saved(scene(size=(64, 64)), "JPEG", quality=10, subsampling=0)
    header = read_jpeg_header(saved(scene(), "JPEG", quality=90, subsampling="4:2:0", exif=exif))
    assert (header.quality, header.subsampling, header.scans) == (90, "4:2:0", 1)


def test_metadata_is_cut_from_what_the_decoder_sees():
    data = saved(scene(), "JPEG", exif=Image.Exif().tobytes(), comment=b"secret", icc_profile=b"p" * 100_000)
    header = read_jpeg_header(data)
    assert header.icc == b"p" * 100_000
    assert b"secret" not in header.lean
    assert len(header.lean) < len(data) - 100_000
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(header.lean))), np.asarray(Image.open(io.BytesIO(data))))


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read_as_a_jpeg_header_or_as_exif(data):
    read_jpeg_header(b"\xff\xd8" + data)
    assert 1 <= exif_orientation(b"II*\0\x08\0\0\0" + data) <= 8
    assert 1 <= exif_orientation(data) <= 8


def test_the_perceptual_hash_survives_the_web_and_tells_pictures_apart():
    original = perceptual_hash(np.asarray(scene()))
    for changed in (saved(scene(), "JPEG", quality=40), saved(scene().resize((200, 150)), "WEBP", quality=50)):
        assert hamming_distance(original, decode(changed).facts.perceptual_hash) <= 6
    assert hamming_distance(original, perceptual_hash(np.asarray(scene(1)))) > 16


def test_the_perceptual_hash_is_the_same_at_any_size_and_for_a_plain_surface():
    large = perceptual_hash(np.asarray(scene(size=(3200, 2400))))
    assert hamming_distance(large, perceptual_hash(np.asarray(scene()))) <= 4
    plain = {perceptual_hash(np.full((h, w, 3), 77, np.uint8)) for h, w in ((1, 1), (40, 40), (600, 900))}
    assert len(plain) == 1


def test_hamming_distance_counts_bits():
    assert hamming_distance("0" * 16, "0" * 16) == 0
    assert hamming_distance("0" * 16, "f" * 16) == 64
    assert hamming_distance("0" * 16, "8000000000000001") == 2
