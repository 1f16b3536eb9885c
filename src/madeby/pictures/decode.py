"""From a file's bytes to upright sRGB pixels, or a clear refusal.

The format is told by magic bytes and only that format's decoder ever sees the data. Sizes are checked in the
header. Metadata is cut away before JPEG and PNG decoders run, so nothing in it can slow or stop them.
"""

from __future__ import annotations

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.colour import render
from madeby.pictures.exif_orientation import exif_orientation
from madeby.pictures.facts import picture_facts
from madeby.pictures.formats import PictureFormat, sniff
from madeby.pictures.jpeg import JpegHeader, read_jpeg_header
from madeby.pictures.limits import Limits
from madeby.pictures.png import take_apart_png
from madeby.schema import PictureFacts

# A progressive JPEG has some ten scans. Each costs a pass over the picture; a hostile file has thousands.
_MAX_JPEG_SCANS = 100
_WARNING_FILTERS = threading.Lock()

# Pillow logs some faults of TIFF files; without a handler of its own, Python would print them.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    ``pixels`` are (height, width, 3) uint8 sRGB, upright and contiguous; ``data`` the original bytes, which
    provenance is read from; ``warnings`` what was odd about the file without stopping it.
    """

    pixels: npt.NDArray[np.uint8]
    facts: PictureFacts
    data: bytes
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Opened:
    """A file whose header has been read: the lazy image and what shapes its pixels beside it."""

    image: Image.Image
    icc: bytes = b""
    orientation: int = 1
    jpeg: JpegHeader | None = None
    warnings: tuple[str, ...] = ()


def decode(data: bytes, limits: Limits = Limits(), *, perceptual_hash: bool = True) -> Picture:
    """Decode the first (or primary) picture of a file.

    EXIF orientation is applied, ICC profiles are converted to sRGB, transparency is flattened on white, deep
    samples are reduced to 8 bits. Safe to call from many threads.

    Args:
        data: the whole file: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.
        limits: bytes and pixels beyond which the file is refused before it is decoded.
        perceptual_hash: False leaves that fact out and saves its downscale.

    Raises:
        PictureError: ``unsupported`` for anything that is not one of these formats, ``unreadable`` for an
            empty, truncated or damaged file, ``too_large`` beyond the limits.
    """
    limits.check_bytes(len(data))
    if not data:
        raise PictureError(ErrorCode.UNREADABLE, "the file is empty")
    picture_format = sniff(data)
    if picture_format is None:
        raise PictureError(
            ErrorCode.UNSUPPORTED,
            f"not a picture in a format that is read ({', '.join(PictureFormat)})",
        )
    try:
        # Pillow warns about oddities in TIFF tags and about oversized GIF frames, which are ours to judge.
        quiet = picture_format in (PictureFormat.TIFF, PictureFormat.GIF)
        with _without_pillow_warnings() if quiet else nullcontext():
            opened = _open(data, picture_format, limits)
            limits.check_pixels(*opened.image.size)
            opened.image.load()
        pixels, notes = render(opened.image, opened.icc, opened.orientation)
    except PictureError:
        raise
    except (MemoryError, Image.DecompressionBombError) as problem:
        raise PictureError(ErrorCode.TOO_LARGE, f"too large to decode here: {problem}") from problem
    except Exception as problem:  # decoders report damage in every type there is
        raise PictureError(
            ErrorCode.UNREADABLE,
            f"the {picture_format} file is damaged, incomplete or of a rare kind that is not read: {problem}",
        ) from problem
    facts = picture_facts(data, pixels, picture_format, opened.jpeg, with_perceptual_hash=perceptual_hash)
    return Picture(pixels, facts, data, opened.warnings + notes)


def _open(data: bytes, picture_format: PictureFormat, limits: Limits) -> _Opened:
    """Read the header with the one decoder that the format names; Pillow's global tables are not consulted."""
    match picture_format:
        case PictureFormat.JPEG:
            return _open_jpeg(data)
        case PictureFormat.PNG:
            return _open_png(data)
        case PictureFormat.WEBP:
            return _open_webp(data, limits)
        case PictureFormat.AVIF:
            from PIL.AvifImagePlugin import AvifImageFile

            return _with_embedded_metadata(AvifImageFile(io.BytesIO(data)))
        case PictureFormat.HEIC:
            return _open_heic(data, limits)
        case PictureFormat.GIF:
            from PIL.GifImagePlugin import GifImageFile

            return _Opened(GifImageFile(io.BytesIO(data)))
        case PictureFormat.BMP:
            from PIL.BmpImagePlugin import BmpImageFile

            return _Opened(BmpImageFile(io.BytesIO(data)))
        case PictureFormat.TIFF:
            return _open_tiff(data)


def _open_jpeg(data: bytes) -> _Opened:
    from PIL.JpegImagePlugin import JpegImageFile

    header = read_jpeg_header(data)
    if header.scans > _MAX_JPEG_SCANS:
        raise PictureError(ErrorCode.UNREADABLE, f"a JPEG of {header.scans} scans is not a photograph's")
    image = JpegImageFile(io.BytesIO(header.lean))
    return _Opened(image, header.icc, exif_orientation(header.exif), header)


def _open_png(data: bytes) -> _Opened:
    from PIL.PngImagePlugin import PngImageFile

    parts = take_apart_png(data)
    image = PngImageFile(io.BytesIO(parts.lean))
    return _Opened(image, parts.icc, exif_orientation(parts.exif), warnings=parts.warnings)


def _open_webp(data: bytes, limits: Limits) -> _Opened:
    from PIL.WebPImagePlugin import WebPImageFile

    # The decoder allocates an extended file's whole canvas at once, so its size is read first.
    if data[12:16] == b"VP8X" and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        limits.check_pixels(width, height)
    return _with_embedded_metadata(WebPImageFile(io.BytesIO(data)))


def _open_heic(data: bytes, limits: Limits) -> _Opened:
    from pillow_heif import HeifFile

    container = HeifFile(io.BytesIO(data))  # type: ignore[no-untyped-call]  # the library is half typed
    limits.check_pixels(*container.size)
    # Rotation belongs to the format and is already applied; EXIF orientation is ignored (ISO/IEC 23008-12).
    primary = container[container.primary_index]
    return _with_profile(primary.to_pillow())


def _open_tiff(data: bytes) -> _Opened:
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        image = TiffImageFile(io.BytesIO(data))
    except SyntaxError as problem:
        if "unknown pixel mode" in str(problem):
            raise PictureError(
                ErrorCode.UNSUPPORTED,
                "a TIFF with samples of this kind is not read; save it with 8 or 16 bits",
            ) from problem
        raise
    # Pillow turns a TIFF upright itself when it loads the pixels.
    return _with_profile(image)


def _with_profile(image: Image.Image) -> _Opened:
    return _Opened(image, image.info.get("icc_profile") or b"")


def _with_embedded_metadata(image: Image.Image) -> _Opened:
    exif = image.info.get("exif") or b""
    return replace(_with_profile(image), orientation=exif_orientation(exif))


@contextmanager
def _without_pillow_warnings() -> Iterator[None]:
    """Silence warnings raised inside Pillow, one thread at a time: Python's filters belong to the process."""
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
