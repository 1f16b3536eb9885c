"""WebP: RIFF chunks within the length that the RIFF header declares (RFC 9649; C2PA 2.2 annex A)."""

from __future__ import annotations

from madeby.provenance.containers.contents import ContainerError, Contents


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def walk(data: bytes, contents: Contents) -> None:
    """Collect the EXIF, XMP and C2PA chunks of a WebP file."""
    contents.format = "WEBP"
    declared = 8 + int.from_bytes(data[4:8], "little")
    if declared > len(data):
        contents.complain("the WebP file is shorter than its header says")
    contents.end = min(declared + declared % 2, len(data))
    position = 12
    while position + 8 <= contents.end:
        contents.step()
        kind = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        start, end = position + 8, position + 8 + length
        if end > contents.end:
            raise ContainerError("a WebP chunk is longer than the file")
        position = end + length % 2
        if kind == b"EXIF":
            contents.exif = contents.exif or data[start:end].removeprefix(b"Exif\x00\x00")
        elif kind == b"XMP ":
            contents.add_xmp(data[start:end])
        elif kind == b"C2PA":
            contents.has_c2pa = True
        elif kind == b"VP8X" and length >= 10:
            contents.width = 1 + int.from_bytes(data[start + 4 : start + 7], "little")
            contents.height = 1 + int.from_bytes(data[start + 7 : start + 10], "little")
