"""GIF: blocks up to the trailer (GIF89a; XMP part 3 for its application extension)."""

from __future__ import annotations

from madeby.provenance.containers.contents import LARGEST_TEXT, ContainerError, Contents


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as a GIF file."""
    return data[:6] in (b"GIF87a", b"GIF89a")


def walk(data: bytes, contents: Contents) -> None:
    """Collect the comments, XMP and C2PA extensions of a GIF file."""
    contents.format = "GIF"
    contents.width = int.from_bytes(data[6:8], "little")
    contents.height = int.from_bytes(data[8:10], "little")
    position = 13 + _colour_table(data[10])
    while True:
        block = data[position]
        if block == 0x3B:
            contents.end = position + 1
            return
        if block == 0x2C:
            position = _sub_blocks(data, position + 11 + _colour_table(data[position + 9]), contents)
        elif block == 0x21:
            position = _extension(data, position, contents)
        else:
            raise ContainerError("a GIF block has the wrong length")


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _extension(data: bytes, position: int, contents: Contents) -> int:
    kind = data[position + 1]
    if kind == 0xFE:
        comment = bytearray()
        after = _sub_blocks(data, position + 2, contents, comment)
        contents.add_text("comment", comment.decode("utf-8", "replace"))
        return after
    application = data[position + 3 : position + 14] if kind == 0xFF and data[position + 2] == 11 else b""
    if application == b"XMP DataXMP":
        # the packet stands unchunked, followed by a ramp of 257 bytes that leads any reader to its end
        start = position + 14
        end = data.find(b"\x01\xff\xfe", start, start + LARGEST_TEXT)
        if end < 0 or end + 258 > len(data):
            raise ContainerError("a GIF XMP block is truncated")
        contents.add_xmp(data[start:end])
        return end + 258
    if application.startswith(b"C2PA_GIF"):
        contents.has_c2pa = True
    return _sub_blocks(data, position + 2, contents)


def _sub_blocks(data: bytes, position: int, contents: Contents, into: bytearray | None = None) -> int:
    """The position behind a chain of length-prefixed blocks; their bytes are appended to ``into``."""
    while length := data[position]:
        contents.step()
        if position + 1 + length >= len(data):
            raise ContainerError("the GIF file is truncated")
        if into is not None and len(into) < LARGEST_TEXT:
            into += data[position + 1 : position + 1 + length]
        position += 1 + length
    return position + 1
