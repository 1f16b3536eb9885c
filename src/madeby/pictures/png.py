"""What a PNG file carries besides pixels, and the file without it (PNG specification, third edition)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_SIGNATURE_BYTES = 8
_PIXEL_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_MAX_PROFILE_BYTES = 16 * 1024 * 1024  # the largest printer profiles in use have about 3 MB


@dataclass(frozen=True)
class PngParts:
    """A PNG file taken apart.

    ``lean`` is the file with only the chunks that shape pixels: a decoder given it meets no text, no
    animation and no profile, whatever these would have expanded to. ``warnings`` tells what was unusable.
    """

    lean: bytes
    exif: bytes
    icc: bytes
    warnings: tuple[str, ...]


def take_apart_png(data: bytes) -> PngParts:
    """Walk the chunks of a PNG file; a truncated last chunk is kept as it is for the decoder to judge."""
    kept = [data[:_SIGNATURE_BYTES]]
    exif, icc = b"", b""
    warnings: list[str] = []
    at = _SIGNATURE_BYTES
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body, end = at + 8, at + 12 + length
        if name in _PIXEL_CHUNKS or end > len(data) or not name.isalpha():
            kept.append(data[at:end])
        elif name == b"eXIf":
            exif = data[body : body + length]
        elif name == b"iCCP" and not icc:
            try:
                icc = _profile(data[body : body + length])
            except (ValueError, zlib.error) as problem:
                warnings.append(f"the colour profile is unusable and was ignored: {problem}")
        at = end
        if name == b"IEND":
            break
    return PngParts(b"".join(kept), exif, icc, tuple(warnings))


def _profile(body: bytes) -> bytes:
    """Decompress an iCCP chunk's profile, no further than a real profile can be long."""
    _, found, rest = body.partition(b"\0")
    if not found or rest[:1] != b"\0":
        raise ValueError("unknown compression")
    stream = zlib.decompressobj()
    profile = stream.decompress(rest[1:], _MAX_PROFILE_BYTES)
    if stream.unconsumed_tail:
        raise ValueError(f"more than {_MAX_PROFILE_BYTES:,} bytes")
    return profile
