"""What a JPEG file says about itself before any pixel is decoded (ITU-T T.81 marker structure)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_SOI, _EOI, _SOS, _DQT, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01, _SOI}
_ICC = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"

# ITU-T T.81 annex K, tables K.1 and K.2, in zigzag order, which is how the files store them.
_LUMINANCE = (
    *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40),
    *(58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103),
    *(104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
)
_CHROMINANCE = (
    *(17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99),
    *([99] * 38),
)
_SUBSAMPLING = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
    (4, 2): "4:1:0",
}


class Component(NamedTuple):
    """One colour component of the frame: its sampling factors and the quantisation table it uses."""

    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True)
class JpegHeader:
    """The header segments of a JPEG file, up to its first scan.

    ``lean`` is the file without the segments that carry no pixels (EXIF, XMP, profiles, comments, previews):
    a decoder given it meets no metadata at all. ``tables`` maps a table's number to its 64 values in zigzag
    order. ``scans`` counts the scans of the picture itself, not of previews or appended pictures.
    """

    lean: bytes
    tables: dict[int, tuple[int, ...]]
    components: tuple[Component, ...]
    exif: bytes
    icc: bytes
    scans: int

    @property
    def quality(self) -> int | None:
        """The IJG quality (1 to 100) whose tables lie nearest to the file's, or None without tables."""
        return estimate_quality(*(self.tables.get(component.table, ()) for component in self.components[:2]))

    @property
    def subsampling(self) -> str | None:
        """Chroma subsampling as J:a:b, ``4:0:0`` for grey, ``HxV`` for factors that have no such name."""
        if not self.components:
            return None
        if len(self.components) == 1:
            return "4:0:0"
        luma, chroma = self.components[:2]
        if not chroma.horizontal or not chroma.vertical:
            return None
        ratio = (luma.horizontal // chroma.horizontal, luma.vertical // chroma.vertical)
        return _SUBSAMPLING.get(ratio, f"{ratio[0]}x{ratio[1]}")


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Read a JPEG file's marker segments up to its first scan; damaged parts are left out, never fatal."""
    kept = [data[:2]]
    tables: dict[int, tuple[int, ...]] = {}
    components: tuple[Component, ...] = ()
    exif = b""
    profile: dict[int, bytes] = {}
    scan = len(data)
    for marker, start, end in _segments(data):
        if marker == _SOS:
            scan = start
            break
        body = data[start + 4 : end]
        if marker == _DQT:
            tables |= _quantisation_tables(body)
        elif marker in _FRAMES and not components:
            components = _components(body)
        elif marker == _APP1 and body.startswith(_EXIF):
            exif += body if not exif else body[len(_EXIF) :]
        elif marker == _APP2 and body.startswith(_ICC) and len(body) > 14:
            profile[body[12]] = body[14:]
        if not _is_metadata(marker):
            kept.append(data[start:end])
    kept.append(data[scan:])
    icc = b"".join(profile[number] for number in sorted(profile))
    return JpegHeader(b"".join(kept), tables, components, exif, icc, _count_scans(data, scan))


@lru_cache(maxsize=256)  # a camera, a program or a data set uses few tables for all its pictures
def estimate_quality(luminance: tuple[int, ...] = (), chrominance: tuple[int, ...] = ()) -> int | None:
    """The quality setting of the IJG library whose quantisation tables lie nearest to the given ones.

    Args:
        luminance: the table of the first component, 64 values in zigzag order.
        chrominance: that of the second, empty if there is none.

    Returns:
        1 to 100, exact for files of the IJG library and its kin, an estimate for other encoders; None
        without a whole luminance table.
    """
    if len(luminance) != 64:
        return None
    standard = _standard_tables()
    distance = np.abs(standard[0] - np.asarray(luminance)).sum(axis=1)
    if len(chrominance) == 64 and chrominance != luminance:
        distance = distance + np.abs(standard[1] - np.asarray(chrominance)).sum(axis=1)
    # Of equally near settings the highest: q 100 and 99 differ, but very low ones saturate alike.
    return 100 - int(np.argmin(distance[::-1]))


@cache
def _standard_tables() -> npt.NDArray[np.int64]:
    """(2, 100, 64): the IJG library's luminance and chrominance tables for quality 1 to 100."""
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    base = np.asarray([_LUMINANCE, _CHROMINANCE], dtype=np.int64)
    return np.clip((base[:, None, :] * scale[None, :, None] + 50) // 100, 1, 255)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each header segment; bytes that belong to no segment are skipped."""
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0 or marker in _BARE:
            at += 2
        elif marker == _EOI:
            return
        else:
            end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
            yield marker, at, min(end, len(data))
            at = end


def _is_metadata(marker: int) -> bool:
    """Whether a segment cannot change a pixel: all but JFIF's and Adobe's, which decide the colour space."""
    return marker == _COM or (_APP0 < marker <= _APP15 and marker != _APP14)


def _quantisation_tables(body: bytes) -> dict[int, tuple[int, ...]]:
    tables: dict[int, tuple[int, ...]] = {}
    at = 0
    while at < len(body):
        wide, number = body[at] >> 4, body[at] & 15
        size = 2 if wide else 1
        values = body[at + 1 : at + 1 + 64 * size]
        if len(values) != 64 * size:
            break
        tables[number] = struct.unpack(">64H" if wide else ">64B", values)
        at += 1 + 64 * size
    return tables


def _components(body: bytes) -> tuple[Component, ...]:
    if len(body) < 6:
        return ()
    specifications = [body[at : at + 3] for at in range(6, 6 + 3 * body[5], 3)]
    return tuple(Component(s[1] >> 4, s[1] & 15, s[2]) for s in specifications if len(s) == 3)


def _count_scans(data: bytes, scan: int) -> int:
    # Entropy-coded data escapes 0xFF, so these two bytes are always a marker there.
    end = data.find(bytes((0xFF, _EOI)), scan)
    return data.count(bytes((0xFF, _SOS)), scan, end if end >= 0 else len(data))
