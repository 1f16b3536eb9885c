"""Which picture format a file holds, told by its first bytes alone and never by its name."""

from __future__ import annotations

from enum import StrEnum

_SUFFIXES = ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .avif .avifs .heic .heif .hif"
PICTURE_SUFFIXES = frozenset(_SUFFIXES.split())
"""Suffixes (lower case) of the files that are taken from a folder."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PictureFormat(StrEnum):
    """The picture formats that are read."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    AVIF = "AVIF"
    HEIC = "HEIC"


def sniff(data: bytes) -> PictureFormat | None:
    """The format that the magic bytes at the start of ``data`` name, or None for any other file."""
    if data.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return PictureFormat.WEBP
    if data.startswith((b"GIF87a", b"GIF89a")):
        return PictureFormat.GIF
    if data.startswith(_TIFF_MAGIC):
        return PictureFormat.TIFF
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    if data.startswith(b"BM"):
        return PictureFormat.BMP
    return None


def _sniff_brands(data: bytes) -> PictureFormat | None:
    """The format of an ISO base media file (ISO/IEC 14496-12): its major and compatible brands say it."""
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, end - 3, 4)}
    if brands & _AVIF_BRANDS:
        return PictureFormat.AVIF
    if brands & _HEIF_BRANDS:
        return PictureFormat.HEIC
    return None
