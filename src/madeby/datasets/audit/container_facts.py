"""What can be known of a picture from its file alone, the pixels unseen."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from madeby.pictures.formats import PictureFormat
from madeby.pictures.jpeg import read_jpeg_header
from madeby.pictures.png import take_apart_png
from madeby.provenance.containers import contents_of
from madeby.schema import PictureFacts

_WEBP_HAS_PROFILE = 0x20  # flag of the VP8X chunk, RFC 9649 section 2.7


@dataclass(frozen=True)
class ContainerFacts:
    """A file's facts for the shortcut test.

    ``tables`` names the JPEG quantisation tables (a checksum, 0 without any); ``scans`` is above 1 for
    progressive JPEGs. The rest says which metadata the file carries.
    """

    format: str
    width: int
    height: int
    bytes: int
    jpeg_quality: int | None
    subsampling: str | None
    tables: int
    scans: int
    has_exif: bool
    has_profile: bool
    has_xmp: bool
    has_text: bool
    has_c2pa: bool


def container_facts(data: bytes, facts: PictureFacts) -> ContainerFacts:
    """Gather the facts of a file that has been decoded.

    Args:
        data: the file.
        facts: what decoding it told.
    """
    contents = contents_of(data)
    tables, scans, profile, exif = 0, 0, False, contents.exif is not None
    if facts.format == PictureFormat.JPEG:
        header = read_jpeg_header(data)
        tables = zlib.crc32(repr(sorted(header.tables.items())).encode())
        scans, profile, exif = header.scans, bool(header.icc), bool(header.exif)
    elif facts.format == PictureFormat.PNG:
        profile = bool(take_apart_png(data).icc)
    elif facts.format == PictureFormat.WEBP:
        profile = data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & _WEBP_HAS_PROFILE)
    return ContainerFacts(
        format=facts.format,
        width=facts.width,
        height=facts.height,
        bytes=facts.bytes,
        jpeg_quality=facts.jpeg_quality,
        subsampling=facts.chroma_subsampling,
        tables=tables,
        scans=scans,
        has_exif=exif,
        has_profile=profile,
        has_xmp=bool(contents.xmp),
        has_text=bool(contents.texts),
        has_c2pa=contents.has_c2pa,
    )
