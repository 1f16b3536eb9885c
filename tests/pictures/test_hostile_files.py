"""Damaged and hostile files are refused with a code, quickly, and nothing else ever comes out."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.decode import decode
from madeby.pictures.limits import Limits


def smooth() -> Image.Image:
    coarse = np.random.default_rng(5).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((48, 32), Image.Resampling.BICUBIC)


def saved(image: Image.Image, picture_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, picture_format, **options)
    return file.getvalue()


def heic() -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(smooth()).save(file, format="HEIF")
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def png(width: int, height: int, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"\0" * min(100, height) * (1 + 3 * min(100, width))))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + rows + chunk(b"IEND", b"")


EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF[0x010F] = "a maker"

SEEDS = {
    "jpeg": saved(smooth(), "JPEG", exif=EXIF),
    "jpeg progressive": saved(smooth(), "JPEG", progressive=True),
    "jpeg cmyk": saved(smooth().convert("CMYK"), "JPEG"),
    "png": saved(smooth().convert("RGBA"), "PNG", exif=EXIF),
    "png palette": saved(smooth().quantize(16), "PNG", transparency=3),
    "webp": saved(smooth(), "WEBP", exif=EXIF),
    "webp lossless": saved(smooth().convert("RGBA"), "WEBP", lossless=True),
    "gif": saved(smooth().quantize(32), "GIF"),
    "bmp": saved(smooth(), "BMP"),
    "bmp palette": saved(smooth().quantize(16), "BMP"),
    "tiff": saved(smooth(), "TIFF", exif=EXIF),
    "tiff lzw": saved(smooth(), "TIFF", compression="tiff_lzw"),
    "tiff float": saved(Image.fromarray(np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)), "TIFF"),
    "avif": saved(smooth(), "AVIF", exif=EXIF),
    "heic": heic(),
}


def outcome(data: bytes, limits: Limits = Limits(max_pixels=10_000_000)) -> ErrorCode | None:
    """The code of the refusal, None for a picture; anything else that decode does fails the test."""
    try:
        picture = decode(data, limits)
    except PictureError as refusal:
        assert refusal.message
        return refusal.code
    assert picture.pixels.shape == (picture.facts.height, picture.facts.width, 3)
    return None


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, min(len(data) - 1, draw(st.sampled_from((60, 250, 100_000))))))
        match draw(st.integers(0, 4)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at : at + 4] = draw(st.sampled_from((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\x80")))
            case 2:
                del data[at : at + draw(st.integers(1, 20))]
            case 3:
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                del data[max(at, 1) :]
        data = data or bytearray(b"\0")
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(mutations())
def test_mutated_files_of_every_format_give_a_picture_or_a_code(data):
    assert outcome(data) in (
        None,
        ErrorCode.UNREADABLE,
        ErrorCode.UNSUPPORTED,
        ErrorCode.TOO_LARGE,
    )


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBP", b"")),
    st.binary(max_size=200),
)
def test_noise_behind_any_magic_gives_a_code(magic, noise):
    assert outcome(magic + noise) in (ErrorCode.UNREADABLE, ErrorCode.UNSUPPORTED, ErrorCode.TOO_LARGE)


def test_an_empty_file_is_unreadable():
    assert outcome(b"") is ErrorCode.UNREADABLE


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_file_cut_in_half_is_unreadable(name):
    assert outcome(SEEDS[name]) is None
    assert outcome(SEEDS[name][: len(SEEDS[name]) // 2]) is ErrorCode.UNREADABLE


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_limits_are_checked_for_every_format(name):
    assert outcome(SEEDS[name], Limits(max_pixels=100)) is ErrorCode.TOO_LARGE
    assert outcome(SEEDS[name], Limits(max_bytes=100)) is ErrorCode.TOO_LARGE


def huge_jpeg() -> bytes:
    data = bytearray(SEEDS["jpeg"])
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    return bytes(data)


def huge_webp() -> bytes:
    extended = b"VP8X" + struct.pack("<L", 10) + b"\0" * 4 + (16383).to_bytes(3, "little") * 2
    body = b"WEBP" + extended + SEEDS["webp lossless"][12:]
    return b"RIFF" + struct.pack("<L", len(body)) + body


def huge_gif() -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08\x01\0\0;"
    return b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + b"\0" * 6 + frame


def huge_bmp() -> bytes:
    return b"BM" + struct.pack("<LLL", 54, 0, 54) + struct.pack("<LllHHLLllLL", 40, 60000, 60000, 1, 24, *[0] * 6)


def huge_tiff() -> bytes:
    entries = [(256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 60000), (279, 4, 1, 10)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<L", 8) + directory + b"\0" * 4


@pytest.mark.parametrize("make", [huge_jpeg, huge_webp, huge_gif, huge_bmp, huge_tiff, lambda: png(60000, 60000)])
def test_bombs_are_refused_from_their_header(make):
    start = time.process_time()
    assert outcome(make(), Limits()) is ErrorCode.TOO_LARGE
    assert time.process_time() - start < 5


def test_what_a_png_carries_beside_its_pixels_is_never_expanded():
    bomb = zlib.compress(b"\0" * 50_000_000)
    text = [chunk(b"zTXt", b"key\0\0" + bomb), chunk(b"iTXt", b"key\0\1\0\0\0" + bomb)] * 20
    start = time.process_time()
    assert outcome(png(10, 10, *text)) is None
    assert time.process_time() - start < 5
    picture = decode(png(10, 10, chunk(b"iCCP", b"key\0\0" + bomb)))
    assert "profile" in picture.warnings[0]


def test_a_jpeg_of_a_thousand_scans_is_refused():
    data = saved(smooth(), "JPEG", progressive=True)
    scan = data.rfind(b"\xff\xda")
    end = data.rfind(b"\xff\xd9")
    assert outcome(data[:end] + data[scan:end] * 1000 + data[end:]) is ErrorCode.UNREADABLE


def test_tiff_tags_that_all_claim_the_same_bytes_cost_little():
    size = 1_000_000
    tags = [struct.pack("<HHLL", 40000 + number, 7, size, 8) for number in range(5000)]
    wanted = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    wanted += [(277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 16)]
    entries = [struct.pack("<HHLL", *entry) for entry in wanted] + tags
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0" * 4
    start = time.process_time()
    outcome(b"II*\0" + struct.pack("<L", 8 + size) + b"\0" * size + directory)
    assert time.process_time() - start < 10


def test_a_tiff_of_a_kind_that_is_not_read_says_what_to_do():
    data = saved(smooth(), "TIFF")
    at = data.find(struct.pack("<HHL", 258, 3, 3))
    (values,) = struct.unpack_from("<L", data, at + 8)
    wide = data[:values] + struct.pack("<HHH", 32, 32, 32) + data[values + 6 :]
    with pytest.raises(PictureError) as refused:
        decode(wide)
    assert refused.value.code is ErrorCode.UNSUPPORTED
    assert "8 or 16 bits" in refused.value.message
