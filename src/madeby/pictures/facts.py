"""What a file says about itself, gathered into the schema's record."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from madeby.pictures.formats import PictureFormat
from madeby.pictures.jpeg import JpegHeader
from madeby.pictures.perceptual_hash import perceptual_hash
from madeby.schema import PictureFacts


def picture_facts(
    data: bytes,
    pixels: npt.NDArray[np.uint8],
    picture_format: PictureFormat,
    jpeg: JpegHeader | None,
    *,
    with_perceptual_hash: bool = True,
) -> PictureFacts:
    """The facts of a decoded picture.

    Args:
        data: the original bytes of the file.
        pixels: (height, width, 3) uint8, upright.
        picture_format: what the magic bytes said.
        jpeg: the file's header if it is a JPEG.
        with_perceptual_hash: leave the hash out where nobody reads it; it costs a downscale.
    """
    height, width = pixels.shape[:2]
    return PictureFacts(
        format=picture_format.value,
        width=width,
        height=height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        jpeg_quality=jpeg.quality if jpeg else None,
        chroma_subsampling=jpeg.subsampling if jpeg else None,
        perceptual_hash=perceptual_hash(pixels) if with_perceptual_hash else None,
    )
