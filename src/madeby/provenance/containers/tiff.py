"""TIFF (and DNG): the first image file directory's metadata tags (TIFF 6.0; XMP part 3; C2PA 2.2 annex A)."""

from __future__ import annotations

from madeby.provenance.containers.contents import Contents
from madeby.provenance.exif import read_exif

XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, C2PA_TAG = 700, 33723, 34377, 0xCD41


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as a classic TIFF file."""
    return data[:4] in (b"II*\x00", b"MM\x00*")


def walk(data: bytes, contents: Contents) -> None:
    """Collect the metadata of a TIFF file, whose own directories are what EXIF is elsewhere."""
    contents.format = "TIFF"
    contents.exif = data
    exif = read_exif(data)
    contents.problems += exif.problems
    if isinstance(packet := exif.image.get(XMP_TAG), bytes):
        contents.add_xmp(packet)
    if isinstance(block := exif.image.get(IPTC_TAG), bytes):
        contents.iptc = block
    if isinstance(resources := exif.image.get(PHOTOSHOP_TAG), bytes):
        contents.photoshop = resources
    contents.has_c2pa = C2PA_TAG in exif.image
    contents.width = exif.integer(exif.image, 256) or 0
    contents.height = exif.integer(exif.image, 257) or 0
