"""Pictures of every format and kind come out as the same upright sRGB pixels."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.decode import decode

WIDTH, HEIGHT = 48, 32


def smooth() -> Image.Image:
    coarse = np.random.default_rng(5).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def saved(image: Image.Image, picture_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, picture_format, **options)
    return file.getvalue()


def saved_heic(image: Image.Image, **options) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, format="HEIF", **options)
    return file.getvalue()


def difference(one, other) -> int:
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())


def orientation_tag(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize("picture_format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_exact_pixels(picture_format):
    picture = decode(saved(smooth(), picture_format))
    assert difference(picture.pixels, smooth()) == 0
    assert picture.facts.format == picture_format
    assert picture.warnings == ()


@pytest.mark.parametrize(
    ("picture_format", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 12),
        ("WEBP", {"quality": 95}, 40),
        ("WEBP", {"lossless": True, "exact": True}, 0),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}, 16),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("TIFF", {"compression": "packbits"}, 0),
    ],
)
def test_codecs_give_the_pixels_within_their_loss(picture_format, options, tolerance):
    picture = decode(saved(smooth(), picture_format, **options))
    assert difference(picture.pixels, smooth()) <= tolerance
    assert picture.facts.format == picture_format


def test_heic_is_read():
    picture = decode(saved_heic(smooth(), quality=95, chroma=444))
    assert picture.facts.format == "HEIC"
    assert difference(picture.pixels, smooth()) <= 16


def test_pixels_are_contiguous_and_writable_and_the_original_bytes_stay():
    data = saved(smooth(), "PNG")
    picture = decode(data)
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    assert picture.data == data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_is_turned_upright(picture_format, orientation):
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "AVIF": {"quality": 90}}
    data = saved(smooth(), picture_format, exif=orientation_tag(orientation), **options.get(picture_format, {}))
    with Image.open(io.BytesIO(data)) as image:
        reference = ImageOps.exif_transpose(image).convert("RGB")
    picture = decode(data)
    assert difference(picture.pixels, reference) == 0
    assert (picture.facts.width, picture.facts.height) == reference.size


def test_orientation_holds_for_pictures_of_many_strips():
    tall = smooth().resize((700, 900))
    data = saved(tall, "PNG", exif=orientation_tag(6))
    assert difference(decode(data).pixels, tall.transpose(Image.Transpose.ROTATE_270)) == 0


def test_heic_rotation_is_applied_once():
    picture = decode(saved_heic(smooth(), quality=95, chroma=444, exif=orientation_tag(6).tobytes()))
    assert difference(picture.pixels, smooth().transpose(Image.Transpose.ROTATE_270)) <= 16


def transparent(mode: str) -> Image.Image:
    """Left half opaque, right half gone."""
    alpha = Image.new("L", (WIDTH, HEIGHT), 255)
    alpha.paste(0, (WIDTH // 2, 0, WIDTH, HEIGHT))
    image = smooth().convert(mode[:-1] if mode != "RGBA" else "RGB")
    image.putalpha(alpha)
    assert image.mode == mode
    return image


@pytest.mark.parametrize(
    ("mode", "picture_format"),
    [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("RGBA", "AVIF"), ("LA", "PNG"), ("LA", "TIFF")],
)
def test_transparency_is_flattened_on_white(mode, picture_format):
    options = {"lossless": True} if picture_format == "WEBP" else {}
    pixels = decode(saved(transparent(mode), picture_format, **options)).pixels
    assert (pixels[:, WIDTH // 2 + 1 :] == 255).all()
    assert (pixels[:, : WIDTH // 2] != 255).any()


def test_half_transparent_black_becomes_grey():
    pixels = decode(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG")).pixels
    assert difference(pixels, np.full((4, 4, 3), 127)) <= 1


@pytest.mark.parametrize("picture_format", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_becomes_white(picture_format):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (4, 0, 8, 8))
    pixels = decode(saved(image, picture_format, transparency=1)).pixels
    assert (pixels[:, :4] == (10, 20, 30)).all()
    assert (pixels[:, 4:] == 255).all()


def test_a_palette_with_an_alpha_for_every_entry_is_flattened():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, 200, 100, 50])
    pixels = decode(saved(image, "PNG", transparency=bytes([128, 255]))).pixels
    assert difference(pixels, np.full((8, 8, 3), 127)) <= 1


def test_the_transparent_colour_of_a_true_colour_png_becomes_white():
    pixels = decode(saved(Image.new("RGB", (4, 4), (1, 2, 3)), "PNG", transparency=(1, 2, 3))).pixels
    assert (pixels == 255).all()


def test_grey_and_one_bit_pictures_become_rgb():
    grey = smooth().convert("L")
    assert difference(decode(saved(grey, "PNG")).pixels, grey.convert("RGB")) == 0
    bits = smooth().convert("1")
    for picture_format in ("PNG", "TIFF", "BMP"):
        assert difference(decode(saved(bits, picture_format)).pixels, bits.convert("RGB")) == 0


def deep_ramp() -> np.ndarray:
    return np.linspace(0, 65535, 256 * 4).reshape(4, 256).astype(np.uint16)


@pytest.mark.parametrize("picture_format", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_high_bytes(picture_format):
    pixels = decode(saved(Image.fromarray(deep_ramp()), picture_format)).pixels
    assert difference(pixels[..., 0], deep_ramp() >> 8) == 0


def png_of(bit_depth: int, colour_type: int, rows: np.ndarray) -> bytes:
    """A PNG written by hand, for kinds that Pillow reads but does not write; rows are (height, bytes)."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    width = rows.shape[1] * 8 // bit_depth // channels
    header = struct.pack(">LLBBBBB", width, rows.shape[0], bit_depth, colour_type, 0, 0, 0)
    filtered = np.pad(rows, ((0, 0), (1, 0)))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(filtered.tobytes())),
            chunk(b"IEND", b""),
        )
    )


def test_16_bit_colour_keeps_its_high_bytes():
    deep = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(">u2")
    data = png_of(16, 2, deep.reshape(5, -1).view(np.uint8))
    assert difference(decode(data).pixels, deep >> 8) == 0


@pytest.mark.parametrize(
    ("samples", "warned"),
    [
        (np.linspace(0, 1, 64, dtype=np.float32), False),
        (np.linspace(0, 255, 64, dtype=np.float32), False),
        (np.linspace(-3, 5, 64, dtype=np.float32), True),
        (np.linspace(0, 255, 64).astype(np.int32), False),
        (np.linspace(0, 2e9, 64).astype(np.int32), True),
    ],
)
def test_samples_of_any_range_fill_the_range_of_a_picture(samples, warned):
    picture = decode(saved(Image.fromarray(samples.reshape(8, 8)), "TIFF"))
    assert picture.pixels.min() <= 1
    assert picture.pixels.max() >= 254
    assert bool(picture.warnings) is warned


def test_floats_that_are_no_numbers_do_not_stop_a_picture():
    samples = np.full((4, 4), np.nan, dtype=np.float32)
    samples[0, 0] = np.inf
    assert decode(saved(Image.fromarray(samples), "TIFF")).pixels.shape == (4, 4, 3)


def tiff_of(bits: int, photometric: int, width: int, height: int, samples: bytes) -> bytes:
    """An uncompressed grey TIFF written by hand, for kinds that Pillow reads but does not write."""
    start = 8 + 2 + 12 * 9 + 4
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, photometric)]
    entries += [(273, 4, 1, start), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(samples))]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<L", 8) + directory + b"\0" * 4 + samples


def test_a_tiff_that_counts_from_white_is_not_shown_as_its_negative():
    data = tiff_of(16, 0, 256, 4, deep_ramp().tobytes())
    assert difference(decode(data).pixels[..., 0], 255 - (deep_ramp() >> 8)) == 0


def test_12_bit_grey_keeps_its_high_bits():
    samples = np.arange(0, 4096, 64).reshape(-1, 2)
    packed = b"".join(bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255)) for a, b in samples.tolist())
    pixels = decode(tiff_of(12, 1, 64, 1, packed)).pixels
    assert difference(pixels[0, :, 0], samples.ravel() >> 4) == 0


@pytest.mark.parametrize("picture_format", ["JPEG", "TIFF"])
def test_inks_become_colours_and_not_their_negative(picture_format):
    inks = Image.merge("CMYK", [Image.new("L", (16, 16), level) for level in (0, 255, 255, 0)])
    pixels = decode(saved(inks, picture_format)).pixels
    assert difference(pixels, np.full((16, 16, 3), (255, 0, 0))) <= 8


def swapped_profile() -> bytes:
    """sRGB with red and green exchanged, so that ignoring it is plain to see."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_colour_profile_is_converted_to_srgb(picture_format):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    data = saved(
        Image.new("RGB", (16, 16), (250, 10, 20)),
        picture_format,
        icc_profile=swapped_profile(),
        **options.get(picture_format, {}),
    )
    picture = decode(data)
    assert picture.warnings == ()
    assert difference(picture.pixels, np.full((16, 16, 3), (10, 250, 20))) <= 6


def test_heic_profiles_are_converted_too():
    image = Image.new("RGB", (64, 64), (250, 10, 20))
    image.info["icc_profile"] = swapped_profile()
    assert difference(decode(saved_heic(image, quality=95)).pixels[32, 32], (10, 250, 20)) <= 8


def test_the_srgb_profile_leaves_every_pixel_alone():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(decode(saved(smooth(), "PNG", icc_profile=srgb)).pixels, smooth()) == 0


@pytest.mark.parametrize(
    "profile",
    [b"not a profile at all", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()],
    ids=["rubbish", "of another colour space"],
)
def test_a_profile_that_cannot_be_used_is_reported_and_ignored(profile):
    picture = decode(saved(smooth(), "PNG", icc_profile=profile))
    assert difference(picture.pixels, smooth()) == 0
    assert "profile" in picture.warnings[0]


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_stands_for_an_animation(picture_format):
    first, second = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    options = {"lossless": True} if picture_format == "WEBP" else {}
    data = saved(first, picture_format, save_all=True, append_images=[second], **options)
    assert (decode(data).pixels == (255, 0, 0)).all()


def test_the_magic_bytes_decide_and_not_what_a_file_is_called():
    assert decode(saved(smooth(), "WEBP")).facts.format == "WEBP"
    with pytest.raises(PictureError) as refused:
        decode(b"this is a letter, saved as picture.jpg\n")
    assert refused.value.code is ErrorCode.UNSUPPORTED
    assert "JPEG, PNG" in refused.value.message


def test_formats_of_pillow_that_are_not_ours_are_refused():
    for picture_format in ("PPM", "TGA", "PCX", "ICO", "SGI"):
        with pytest.raises(PictureError) as refused:
            decode(saved(smooth(), picture_format))
        assert refused.value.code is ErrorCode.UNSUPPORTED


def test_metadata_of_any_size_never_stops_a_png():
    text = PngInfo()
    text.add_text("workflow", "x" * 3_000_000, zip=True)
    assert difference(decode(saved(smooth(), "PNG", pnginfo=text)).pixels, smooth()) == 0


def test_nothing_is_written_and_no_filter_is_changed(capfd):
    before = list(warnings.filters)
    exif = orientation_tag(3)
    exif[0x010F] = "maker"
    damaged = bytearray(saved(smooth(), "TIFF", exif=exif))
    at = damaged.find(b"\x0f\x01\x02\x00")
    damaged[at + 4 : at + 12] = b"\xff\xff\xff\x7f\xff\xff\xff\x7f"  # a maker's name beyond the end of the file
    assert decode(bytes(damaged)).pixels.shape == (HEIGHT, WIDTH, 3)
    assert list(warnings.filters) == before
    assert capfd.readouterr() == ("", "")


def test_many_threads_decode_at_once():
    from concurrent.futures import ThreadPoolExecutor

    files = [saved(smooth(), f) for f in ("PNG", "TIFF", "GIF", "JPEG", "WEBP", "BMP")] * 20
    alone = [decode(data).facts for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda data: decode(data).facts, files)) == alone


def test_what_most_pictures_do_not_need_is_not_imported():
    program = (
        "import sys, madeby.pictures.decode, madeby.pictures.sources, madeby.pictures.degradations;"
        "print([name for name in ('httpx', 'httpcore', 'pillow_heif', 'torch', 'scipy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
