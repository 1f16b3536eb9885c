"""JPEG: marker segments up to the end-of-image marker (ITU-T T.81 annex B, XMP part 3, C2PA 2.2 annex A)."""

from __future__ import annotations

import re

from madeby.provenance.containers.contents import ContainerError, Contents

EXIF = b"Exif\x00\x00"
XMP = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
PHOTOSHOP = b"Photoshop 3.0\x00"

_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG file."""
    return data[:3] == b"\xff\xd8\xff"


def walk(data: bytes, contents: Contents) -> None:
    """Collect the application segments of a JPEG file."""
    contents.format = "JPEG"
    extended: dict[bytes, dict[int, bytes]] = {}
    photoshop = bytearray()
    position = 2
    while True:
        contents.step()
        marker, position = _marker(data, position)
        if marker == 0xD9:
            contents.end = position
            break
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2 or position + length > len(data):
            contents.complain("a JPEG segment is longer than the file")
            break
        body = data[position + 2 : position + length]
        position += length
        if marker == 0xDA:
            position = _end_of_scan(data, position, contents)
            if position < 0:
                break
        elif marker in _FRAMES and len(body) >= 5 and not contents.width:
            contents.height = int.from_bytes(body[1:3], "big")
            contents.width = int.from_bytes(body[3:5], "big")
        else:
            _collect(marker, body, contents, extended, photoshop)
    if photoshop:
        contents.photoshop = bytes(photoshop)
    for parts in extended.values():
        contents.add_xmp(b"".join(parts[offset] for offset in sorted(parts)))


def _marker(data: bytes, position: int) -> tuple[int, int]:
    """The marker at ``position`` and the position behind it; fill bytes are skipped."""
    if position + 1 >= len(data):
        raise ContainerError("the JPEG file ends without its end marker")
    if data[position] != 0xFF:
        raise ContainerError("a JPEG segment has the wrong length")
    while data[position] == 0xFF:
        position += 1
        if position >= len(data):
            raise ContainerError("the JPEG file ends without its end marker")
    return data[position], position + 1


def _end_of_scan(data: bytes, position: int, contents: Contents) -> int:
    found = _NEXT_MARKER.search(data, position)
    if found is None:
        contents.complain("the JPEG file ends without its end marker")
        return -1
    return found.start()


def _collect(
    marker: int,
    body: bytes,
    contents: Contents,
    extended: dict[bytes, dict[int, bytes]],
    photoshop: bytearray,
) -> None:
    if marker == 0xE1 and body.startswith(EXIF):
        contents.exif = contents.exif or body[len(EXIF) :]
    elif marker == 0xE1 and body.startswith(XMP):
        contents.add_xmp(body[len(XMP) :])
    elif marker == 0xE1 and body.startswith(EXTENDED_XMP):
        rest = body[len(EXTENDED_XMP) :]
        if len(rest) > 40 and len(extended) < 4:  # 32 bytes of GUID, 4 of full length, 4 of offset
            offset = int.from_bytes(rest[36:40], "big")
            extended.setdefault(rest[:32], {})[offset] = rest[40:]
    elif marker == 0xED and body.startswith(PHOTOSHOP):
        photoshop += body[len(PHOTOSHOP) :]
    elif marker == 0xEB and body[:2] == b"JP":  # JUMBF in APP11 (ISO/IEC 19566-5)
        contents.has_c2pa = True
    elif marker == 0xFE:
        contents.add_text("comment", body.decode("utf-8", "replace").rstrip("\x00"))
