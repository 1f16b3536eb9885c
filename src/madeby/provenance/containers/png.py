"""PNG: chunks up to IEND, with their checksums (PNG specification, third edition; C2PA 2.2 annex A)."""

from __future__ import annotations

import zlib

from madeby.provenance.containers.contents import ContainerError, Contents

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_READ = {b"IHDR", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"caBX"}


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as a PNG file."""
    return data.startswith(SIGNATURE)


def walk(data: bytes, contents: Contents) -> None:
    """Collect the text, EXIF, XMP and C2PA chunks of a PNG file; a chunk with a wrong checksum is no evidence."""
    contents.format = "PNG"
    position = len(SIGNATURE)
    while True:
        contents.step()
        if position + 12 > len(data):
            raise ContainerError("the PNG file ends without its IEND chunk")
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            raise ContainerError(f"the PNG chunk {_name(kind)} is longer than the file")
        position = end + 4
        if kind == b"IEND":
            contents.end = position
            return
        if kind == b"IDAT":
            contents.pixel_data.append((start, length))
        elif kind in _READ:
            body = data[start:end]
            if zlib.crc32(kind + body) != int.from_bytes(data[end : end + 4], "big"):
                contents.complain(f"the PNG chunk {_name(kind)} has a wrong checksum and was ignored")
                continue
            try:
                _collect(kind, body, contents)
            except ContainerError as error:
                contents.complain(f"PNG chunk {_name(kind)}: {error}")


def _collect(kind: bytes, body: bytes, contents: Contents) -> None:
    if kind == b"IHDR" and len(body) == 13:
        contents.width = int.from_bytes(body[:4], "big")
        contents.height = int.from_bytes(body[4:8], "big")
        contents.colour_type = (body[8], body[9], body[12])
    elif kind == b"eXIf":
        contents.exif = contents.exif or body.removeprefix(b"Exif\x00\x00")
    elif kind == b"caBX":
        contents.has_c2pa = True
    elif kind == b"tEXt":
        contents.spend(len(body))
        keyword, _, value = body.partition(b"\x00")
        _keep(keyword, value, "latin-1", contents)
    elif kind == b"zTXt":
        keyword, _, rest = body.partition(b"\x00")
        _keep(keyword, contents.unpacked(rest[1:]), "latin-1", contents)
    elif kind == b"iTXt":
        keyword, _, rest = body.partition(b"\x00")
        compressed, rest = rest[:1] == b"\x01", rest[2:]
        value = rest.partition(b"\x00")[2].partition(b"\x00")[2]  # behind language tag and translated keyword
        if compressed:
            value = contents.unpacked(value)
        else:
            contents.spend(len(value))
        _keep(keyword, value, "utf-8", contents)


def _keep(keyword: bytes, value: bytes, encoding: str, contents: Contents) -> None:
    name = keyword.decode("latin-1")
    if name == "XML:com.adobe.xmp":
        contents.add_xmp(value)
    elif name.startswith("Raw profile type "):  # ImageMagick's way: hexadecimal digits behind a short header
        _keep_raw_profile(name.removeprefix("Raw profile type "), value, contents)
    else:
        text = value.decode(encoding, "replace")
        if encoding == "latin-1":  # many generators write UTF-8 where Latin-1 is prescribed
            text = _utf8_or(text, value)
        contents.add_text(name, text)


def _utf8_or(text: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return text


def _keep_raw_profile(kind: str, value: bytes, contents: Contents) -> None:
    lines = value.strip().split(b"\n", 2)
    if len(lines) != 3:
        raise ContainerError("a raw profile is damaged")
    try:
        profile = bytes.fromhex(lines[2].decode("ascii"))
    except ValueError:
        raise ContainerError("a raw profile is damaged") from None
    if kind in ("exif", "APP1") and profile.startswith(b"Exif\x00\x00"):
        contents.exif = contents.exif or profile[6:]
    elif kind == "xmp":
        contents.add_xmp(profile)
    elif kind in ("iptc", "8bim"):
        contents.photoshop = contents.photoshop or profile


def _name(kind: bytes) -> str:
    return kind.decode("latin-1") if kind.isalpha() else kind.hex()
