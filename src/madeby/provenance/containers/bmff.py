"""HEIC and AVIF: ISO base media boxes and the items of the ``meta`` box (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from madeby.provenance.containers.contents import MOST_ITEMS, ContainerError, Contents

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
MOST_PIECES = 64
_AVIF = {b"avif", b"avis"}


@dataclass
class _Items:
    """What the ``meta`` box says of the items: their kind and the pieces of the file that hold them."""

    exif: set[int] = field(default_factory=set)
    xmp: set[int] = field(default_factory=set)
    places: dict[int, tuple[int, list[tuple[int, int]]]] = field(default_factory=dict)
    idat: int = 0


def recognises(data: bytes) -> bool:
    """Whether the bytes begin with a file type box."""
    return data[4:8] == b"ftyp"


def walk(data: bytes, contents: Contents) -> None:
    """Collect the EXIF and XMP items and the C2PA box of a HEIC or AVIF file."""
    contents.format = "AVIF" if data[8:12] in _AVIF else "HEIF"
    items = _Items()
    for kind, start, end in _boxes(data, 0, len(data), contents):
        if kind == b"uuid":
            identifier = data[start : start + 16]
            if identifier == C2PA_UUID:
                contents.has_c2pa = True
            elif identifier == XMP_UUID:
                contents.add_xmp(data[start + 16 : end])
        elif kind == b"meta":
            _read_meta(data, start + 4, end, items, contents)
    for number in sorted(items.exif):
        block = _item(data, items, number, contents)
        offset = int.from_bytes(block[:4], "big")  # to the TIFF header, behind the offset field itself
        contents.exif = contents.exif or block[4 + offset :]
    for number in sorted(items.xmp):
        contents.add_xmp(_item(data, items, number, contents))


def _boxes(data: bytes, position: int, end: int, contents: Contents) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two positions as (kind, start of body, end)."""
    while position + 8 <= end:
        contents.step()
        length = int.from_bytes(data[position : position + 4], "big")
        kind, header = data[position + 4 : position + 8], 8
        if length == 1:
            length, header = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        elif length == 0:
            length = end - position
        if length < header or position + length > end:
            raise ContainerError("a box is longer than what holds it")
        yield kind, position + header, position + length
        position += length


def _read_meta(data: bytes, start: int, end: int, items: _Items, contents: Contents) -> None:
    for kind, body, stop in _boxes(data, start, end, contents):
        if kind == b"iinf":
            entries = body + (6 if data[body] == 0 else 8)
            for inner, entry, entry_end in _boxes(data, entries, stop, contents):
                if inner == b"infe":
                    _read_entry(data, entry, entry_end, items)
        elif kind == b"iloc":
            _read_places(data, body, stop, items)
        elif kind == b"idat":
            items.idat = body


def _read_entry(data: bytes, start: int, end: int, items: _Items) -> None:
    version = data[start]
    if version not in (2, 3):
        return
    width = 2 if version == 2 else 4
    number = int.from_bytes(data[start + 4 : start + 4 + width], "big")
    kind = data[start + 6 + width : start + 10 + width]
    if kind == b"Exif":
        items.exif.add(number)
    elif kind == b"mime":
        content_type = data[start + 10 + width : end].split(b"\x00")[1:2]
        if content_type == [b"application/rdf+xml"]:
            items.xmp.add(number)


def _read_places(data: bytes, start: int, end: int, items: _Items) -> None:
    version = data[start]
    offset_size, length_size = data[start + 4] >> 4, data[start + 4] & 15
    base_size, index_size = data[start + 5] >> 4, data[start + 5] & 15 if version else 0
    position = start + 6

    def number(size: int) -> int:
        nonlocal position
        if position + size > end:
            raise ContainerError("the item location box is truncated")
        position += size
        return int.from_bytes(data[position - size : position], "big")

    for _ in range(min(number(4 if version == 2 else 2), MOST_ITEMS)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)  # data reference: 0 is this file, the only one read
        base = number(base_size)
        pieces = []
        if (count := number(2)) > MOST_PIECES:
            raise ContainerError("an item lies in more pieces than are read")
        for _ in range(count):
            number(index_size)
            offset = number(offset_size)
            pieces.append((base + offset, number(length_size)))
        items.places[item] = (method, pieces)


def _item(data: bytes, items: _Items, number: int, contents: Contents) -> bytes:
    method, pieces = items.places.get(number, (0, []))
    if method > 1:
        raise ContainerError("a metadata item is stored in a way that is not read")
    shift = items.idat if method == 1 else 0
    contents.spend(sum(length for _, length in pieces))
    block = b"".join(data[shift + offset : shift + offset + length] for offset, length in pieces)
    if not block or len(block) != sum(length for _, length in pieces):
        raise ContainerError("a metadata item lies outside the file")
    return block
