"""The one EXIF field that shapes pixels: how the camera was held."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT = 3


def exif_orientation(exif: bytes) -> int:
    """Orientation 1 to 8 (EXIF 2.32, tag 0x0112) of an EXIF block; 1, upright, if it says nothing usable.

    Args:
        exif: a TIFF structure, with or without the ``Exif\\0\\0`` in front of it.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "L", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHLH", exif, entry)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
