"""Camera metadata: read fully, checked against the picture, and never more than weak evidence."""

import io

import numpy as np
import pytest
from PIL import Image
from provenance_files import camera_exif, exif_block, jpeg, plain, read, smooth, with_exif, with_xmp, xmp

from madeby.schema import Label, Strength


def with_thumbnail(picture, thumbnail, orientation=1):
    """A JPEG file whose EXIF holds a thumbnail, made by hand: Pillow writes none."""
    small = plain("JPEG", thumbnail)
    make, model = b"Canon\0", b"EOS 7D\0"
    image = [(0x010F, 2, len(make), make), (0x0110, 2, len(model), model), (0x0112, 3, 1, orientation)]
    photo = [(0x8827, 3, 1, 200)]
    strings, block = b"", b"II*\0" + (8).to_bytes(4, "little")
    first_end = 8 + 2 + 12 * 4 + 4
    photo_at = first_end
    second_at = photo_at + 2 + 12 + 4
    strings_at = second_at + 2 + 12 * 2 + 4

    def entry(tag, kind, count, value):
        nonlocal strings
        head = tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little")
        if isinstance(value, bytes) and len(value) > 4:
            strings, value = strings + value, strings_at + len(strings)
        return head + (value.to_bytes(4, "little") if isinstance(value, int) else value.ljust(4, b"\0"))

    first = b"".join(entry(*tag) for tag in image) + entry(0x8769, 4, 1, photo_at)
    exif_ifd = b"".join(entry(*tag) for tag in photo)
    second = entry(0x0201, 4, 1, strings_at + len(strings)) + entry(0x0202, 4, 1, len(small))
    block += b"\x04\0" + first + second_at.to_bytes(4, "little")
    block += b"\x01\0" + exif_ifd + b"\0" * 4 + b"\x02\0" + second + b"\0" * 4 + strings + small
    data = jpeg((0xE1, b"Exif\0\0" + block), pixels=picture)
    return data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def resized(pixels, width, height):
    return np.asarray(Image.fromarray(pixels).resize((width, height)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_cameras_metadata_is_weak_evidence_for_a_human(form):
    signal = read("camera", with_exif(camera_exif(), form))
    assert (signal.points_to, signal.strength) == (Label.HUMAN, Strength.WEAK)
    assert signal.reason == "EXIF names a Canon EOS 7D"
    expected = {"make": "Canon", "lens": "EF 50mm", "iso": 200, "aperture": 8.0, "gps": True}
    assert expected.items() <= signal.detail.items()


def test_metadata_without_a_camera_or_an_exposure_says_nothing():
    for block in (exif_block({0x0131: "GIMP"}), exif_block({0x010F: "Canon", 0x0110: "EOS"})):
        signal = read("camera", with_exif(block))
        assert signal.detail["state"] == "partial"
        assert signal.points_to is None


def test_the_chain_of_software_is_listed_and_editing_is_no_contradiction():
    block = exif_block({0x010F: "Canon", 0x0110: "EOS", 0x0131: "GIMP 2.10"}, {0x8827: 100})
    tool = xmp(attributes='xmp:CreatorTool="Adobe Photoshop 25.0"')
    data = jpeg((0xE1, b"Exif\0\0" + block), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + tool))
    signal = read("camera", data)
    assert signal.detail["software"] == ["GIMP 2.10", "Adobe Photoshop 25.0"]
    assert signal.detail["edits"] == ["edited with GIMP 2.10", "edited with Adobe Photoshop 25.0"]
    assert signal.detail["state"] == "consistent"


def test_another_size_and_a_later_change_are_signs_of_editing():
    block = exif_block(
        {0x010F: "Canon", 0x0110: "EOS", 0x0132: "2024:05:03 10:00:00"},
        {0x8827: 100, 0x9003: "2024:05:01 10:00:00", 0xA002: 5184, 0xA003: 3456},
    )
    assert read("camera", with_exif(block)).detail["edits"] == [
        "recorded as 5184x3456, now 64x48",
        "changed after it was taken",
    ]


def test_a_picture_changed_before_it_was_taken_contradicts_itself():
    block = exif_block(
        {0x010F: "Canon", 0x0110: "EOS", 0x0132: "2023:05:03 10:00:00"}, {0x8827: 100, 0x9003: "2024:05:01 10:00:00"}
    )
    signal = read("camera", with_exif(block))
    assert signal.detail["state"] == "contradictory"
    assert signal.points_to is None


def test_a_thumbnail_of_the_picture_is_consistent_and_of_another_is_not():
    picture = smooth(320, 240)
    data, pixels = with_thumbnail(picture, resized(picture, 160, 120))
    assert read("camera", data, pixels).detail["state"] == "consistent"
    data, pixels = with_thumbnail(picture, resized(smooth(320, 240, seed=9), 160, 120))
    signal = read("camera", data, pixels)
    assert signal.detail["contradictions"] == ["its thumbnail shows another picture"]


def test_bars_and_rotation_of_thumbnails_are_allowed_for():
    picture = smooth(360, 240)
    barred = np.zeros((120, 160, 3), np.uint8)
    barred[7:113] = resized(picture, 160, 106)
    data, pixels = with_thumbnail(picture, barred)
    assert read("camera", data, pixels).detail["state"] == "consistent"
    for orientation, turns in ((3, 2), (6, 3), (8, 1)):
        data, _ = with_thumbnail(picture, resized(picture, 160, 107), orientation)
        assert read("camera", data, np.ascontiguousarray(np.rot90(picture, turns))).detail["state"] == "consistent"


def test_broken_exif_is_named():
    signal = read("camera", with_exif(b"XX*\0garbage"))
    assert signal.detail["state"] == "unreadable"
    assert read("camera", plain()).detail == {"state": "absent"}
    assert read("camera", with_xmp(xmp())).detail == {"state": "absent"}
