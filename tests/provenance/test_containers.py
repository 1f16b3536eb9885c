"""Metadata is found where each container keeps it, and nowhere else."""

import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provenance_files import (
    A1111,
    camera_exif,
    every_kind,
    exif_block,
    jpeg,
    plain,
    png,
    png_chunk,
    read,
    signed,
    source_type_xmp,
    with_exif,
    with_xmp,
    xmp,
)

from madeby.provenance.containers import contents_of
from madeby.provenance.containers.contents import LARGEST_TEXT
from madeby.provenance.exif import read_exif
from madeby.provenance.material import Material
from madeby.provenance.reading import read_material
from madeby.provenance.xmp import XmpError, read_xmp

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_walked_to_its_end(form):
    contents = contents_of(plain(form))
    assert contents.format == form
    assert contents.problems == []
    assert contents.trailing == 0


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_exif_is_found_in_every_format(form):
    data = plain("TIFF", tiffinfo={0x010F: "Canon"}) if form == "TIFF" else with_exif(camera_exif(), form)
    assert read_exif(contents_of(data).exif).text(read_exif(contents_of(data).exif).image, 0x010F) == "Canon"


@pytest.mark.parametrize("form", FORMATS)
def test_xmp_is_found_in_every_format(form):
    packet = source_type_xmp("trainedAlgorithmicMedia")
    assert [part.strip(b"\0") for part in contents_of(with_xmp(packet, form)).xmp] == [packet]


@pytest.mark.parametrize("form", FORMATS)
def test_the_place_of_a_c2pa_manifest_is_known_in_every_format(form):
    assert contents_of(signed(form=form)).has_c2pa
    assert not contents_of(plain(form)).has_c2pa


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("kind", ["c2pa PNG", "a1111", "xmp JPEG", "exif PNG", "iim"])
def test_what_is_appended_after_the_end_is_named_and_is_no_evidence(form, kind):
    files = every_kind()
    tail = b"junk" + files[kind]
    data = plain(form) + tail
    assert contents_of(data).trailing == len(tail)
    for name in ("c2pa", "iptc", "generator", "camera"):
        assert read(name, data).detail["state"] == "absent"
    container = read("container", data)
    assert container.detail["state"] == "trailing"
    assert container.detail["trailing_bytes"] == len(tail)
    assert container.points_to is None


def test_known_companions_after_the_end_are_told_from_junk():
    assert read("container", plain() + b"\0" * 100).detail["trailing_kind"] == "padding"
    assert read("container", plain() + b"\0\0\0\x18ftypmp42").detail["state"] == "appended"
    assert read("container", plain() + plain("JPEG")).detail["state"] == "appended"


def test_a_text_chunk_with_a_wrong_checksum_is_ignored_and_named():
    data = png(png_chunk(b"tEXt", b"parameters\0" + A1111.encode(), checksum=1))
    assert read("generator", data).detail["state"] == "absent"
    assert "wrong checksum" in read("container", data).reason


def test_a_compressed_bomb_is_named_and_never_unpacked():
    bomb = zlib.compress(b"\0" * (LARGEST_TEXT + 1))
    contents = contents_of(png((b"zTXt", b"parameters\0\0" + bomb)))
    assert contents.texts == []
    assert "unpacks to more" in contents.problems[0]


def test_a_chunk_longer_than_the_file_ends_the_walk():
    data = plain("PNG")
    contents = contents_of(data[:33] + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + data[33:])
    assert "longer than the file" in contents.problems[0]


def test_extended_xmp_is_put_together_from_its_segments():
    packet = source_type_xmp("trainedAlgorithmicMedia")
    half = len(packet) // 2
    start = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">I", len(packet))
    later = (0xE1, start + struct.pack(">I", half) + packet[half:])
    earlier = (0xE1, start + struct.pack(">I", 0) + packet[:half])
    assert contents_of(jpeg(later, earlier)).xmp == [packet]


def test_a_circular_exif_directory_is_named():
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    exif = read_exif(block)
    assert "points back to itself" in " ".join(exif.problems)
    assert read("camera", with_exif(block)).points_to is None


def test_exif_values_beyond_the_block_are_named_and_left_out():
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + struct.pack(">HHII", 0x010F, 2, 0xFFFFFF, 8) + b"\0" * 4
    exif = read_exif(block)
    assert exif.image == {}
    assert "outside" in exif.problems[0]


def test_rationals_with_a_zero_denominator_are_zero():
    block = (
        b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x829A, 5, 1, 26)
        + struct.pack("<I", 0) + struct.pack("<II", 1, 0)
    )  # fmt: skip
    assert read_exif(block).number(read_exif(block).image, 0x829A) == 0


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
        b"<a>" * 1000 + b"</a>" * 1000,
        b"<a><b></a>",
        b"",
        b"\xff\xfe\x00",
    ],
)
def test_hostile_xmp_is_refused(hostile):
    with pytest.raises(XmpError):
        read_xmp(hostile)
    if hostile:
        signal = read("iptc", with_xmp(hostile))
        assert signal.detail["state"] == "unreadable"
        assert signal.points_to is None


def test_xmp_values_are_found_as_attributes_elements_lists_and_resources():
    packet = xmp(
        properties="<dc:creator><rdf:Seq><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Seq></dc:creator>"
        '<photoshop:Credit>credit</photoshop:Credit><dc:relation rdf:resource="http://example.org/"/>',
        attributes='xmp:CreatorTool="tool"',
    )
    found = [(entry.name, entry.value) for entry in read_xmp(packet)]
    assert found == [
        ("CreatorTool", "tool"),
        ("creator", "one"),
        ("creator", "two"),
        ("Credit", "credit"),
        ("relation", "http://example.org/"),
    ]


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_can_be_walked(tail):
    for start in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x40\0\0\0WEBP",
        b"GIF89a",
        b"II*\0",
        b"\0\0\0\x10ftypavif",
    ):
        contents = contents_of(start + tail)
        assert contents.end <= contents.size


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_can_be_read_as_exif(tail):
    read_exif(b"II*\0\x08\0\0\0" + tail)
    read_exif(exif_block({0x010F: "x"})[:20] + tail)


def quickly(data):
    """All readers on a hostile file, within a time that no scan notices much."""
    start = time.process_time()  # not the clock's: other processes may be busy
    signals = {signal.name: signal for signal in read_material(Material(data))}
    assert time.process_time() - start < 20
    assert all(signal.points_to is None for signal in signals.values())
    return signals


def test_millions_of_tiny_parts_end_the_walk():
    for data in (
        b"\xff\xd8" + b"\xff\xfe\0\2" * 3_000_000,
        plain("PNG")[:33] + png_chunk(b"prVt", b"") * 1_500_000,
        b"RIFF\xff\xff\xff\x7fWEBP" + b"abcd\0\0\0\0" * 1_500_000,
        b"GIF89a" + b"\0" * 7 + b"!\xfe" + b"\1x" * 3_000_000,
        b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free" * 1_500_000,
    ):
        assert quickly(data)["container"].detail["state"] == "damaged"


def test_many_compressed_bombs_are_bounded_together():
    bomb = png_chunk(b"zTXt", b"comment\0\0" + zlib.compress(b" " * (LARGEST_TEXT - 10)))
    assert "more" in quickly(png(*[bomb] * 500))["container"].reason


def test_directory_entries_that_all_point_at_the_same_bytes_are_bounded():
    count, body = 1500, b"x" * (1 << 20)
    entries = b"".join(struct.pack("<HHII", 40_000 + n, 7, len(body), 8 + 2 + 12 * count + 4) for n in range(count))
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + b"\0" * 4 + body
    assert len(read_exif(block).image) <= 32


def test_item_locations_without_width_are_bounded():
    places = b"\0\0\0\0\0\0" + struct.pack(">H", 65_535) + struct.pack(">HHH", 1, 0, 65_535) * 65_535
    iloc = struct.pack(">I", len(places) + 8) + b"iloc" + places
    meta = struct.pack(">I", len(iloc) + 12) + b"meta\0\0\0\0" + iloc
    assert quickly(b"\0\0\0\x10ftypavif\0\0\0\0" + meta)["container"].detail["state"] == "damaged"
