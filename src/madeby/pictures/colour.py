"""From whatever a file holds (any depth, palette, ink or profile) to upright 8-bit sRGB.

A picture is rendered strip by strip into its final array, so that no second full-size copy exists.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Pixels = npt.NDArray[np.uint8]

_STRIP_PIXELS = 1 << 18
_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0

Strip = Image.Image
Step = Callable[[Strip], Strip]


def render(image: Image.Image, profile: bytes, orientation: int) -> tuple[Pixels, tuple[str, ...]]:
    """Turn a loaded image into sRGB: profile converted, transparency flattened on white, camera held upright.

    Args:
        image: any Pillow mode, pixels loaded.
        profile: the file's ICC profile, or empty. One that cannot be used is reported and ignored.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        (height, width, 3) uint8, contiguous and writable, and what the user should know.
    """
    warnings: list[str] = []
    shallow = _to_eight_bits(image, warnings)
    convert = _colour_conversion(image, profile, warnings)
    width, height = image.size
    sideways = orientation >= 5
    pixels = np.empty((width, height, 3) if sideways else (height, width, 3), np.uint8)
    for top, bottom, part in _strips(image):
        strip = _flattened(shallow(part), convert)
        if orientation in _UPRIGHT:
            strip = strip.transpose(_UPRIGHT[orientation])
        # Orientations 3, 4, 6 and 7 put the file's first row last.
        first, last = (height - bottom, height - top) if orientation in (3, 4, 6, 7) else (top, bottom)
        if sideways:
            pixels[:, first:last] = np.asarray(strip)
        else:
            pixels[first:last] = np.asarray(strip)
    return pixels, tuple(warnings)


def _strips(image: Image.Image) -> Iterator[tuple[int, int, Strip]]:
    """Top, bottom and pixels of the bands that the image is worked through in."""
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield top, bottom, image.crop((0, top, width, bottom))


def _flattened(strip: Strip, convert: Step | None) -> Strip:
    """The strip as RGB, profile applied, on white where it is transparent."""
    alpha = None
    if strip.has_transparency_data:
        if strip.mode == "La":
            strip = strip.convert("LA")
        strip = strip.convert("RGBA")
        alpha = strip.getchannel("A")
    colour = convert(strip) if convert else strip.convert("RGB")
    if alpha is None:
        return colour
    white = Image.new("RGB", strip.size, (255, 255, 255))
    white.paste(colour, mask=alpha)
    return white


def _colour_conversion(image: Image.Image, profile: bytes, warnings: list[str]) -> Step | None:
    """How to take a strip through the ICC profile to sRGB; None where there is nothing to convert."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = _profile_mode(image, space)
        if mode is None:
            warnings.append(f"the colour profile is for {space}, the picture is {image.mode}: ignored")
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB" and _changes_nothing(transform):
            return None
    except Exception as problem:  # lcms reports the faults of a stranger's profile in many types
        warnings.append(f"the colour profile is unusable and was ignored: {problem}")
        return None

    def convert(strip: Strip) -> Strip:
        ready = strip if strip.mode == mode else strip.convert(mode)
        converted = ImageCms.applyTransform(ready, transform)
        return converted if converted is not None else ready

    return convert


def _profile_mode(image: Image.Image, space: str) -> str | None:
    """The Pillow mode in which a profile of this space meets this image, or None if they do not fit."""
    mode = _MODE_OF_SPACE.get(space)
    grey = image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
    inks = image.mode == "CMYK"
    if mode == "RGB":
        return None if inks or image.mode == "LAB" else "RGB"
    if mode == "L":
        return "L" if grey else None
    return mode if mode == image.mode else None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether an RGB transform is the identity, to within one step, on a 9 x 9 x 9 lattice of colours."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    converted = ImageCms.applyTransform(Image.fromarray(lattice), transform)
    return int(np.abs(np.asarray(converted).astype(int) - lattice).max()) <= 1


def _to_eight_bits(image: Image.Image, warnings: list[str]) -> Step:
    """How to bring a strip with more than 8 bits a sample to 8; the identity for all others."""
    if image.mode.startswith("I;16"):
        scale, shift = 1.0 / (1 << (_bits(image) - 8)), 0.0
    elif image.mode in ("I", "F"):
        scale, shift = _range_scale(image, warnings)
    else:
        return lambda strip: strip
    inverted = _tag(image, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    transparent = image.info.get("transparency")

    def reduce(strip: Strip) -> Strip:
        deep = np.asarray(strip)
        with np.errstate(all="ignore"):
            levels = np.nan_to_num((deep.astype(np.float64) - shift) * scale)
        scaled = np.clip(levels, 0, 255).astype(np.uint8)
        if inverted:
            scaled = 255 - scaled
        if isinstance(transparent, int):
            scaled = np.where(deep == transparent, np.uint8(255), scaled)
        return Image.fromarray(scaled)

    return reduce


def _range_scale(image: Image.Image, warnings: list[str]) -> tuple[float, float]:
    """Scale, shift for samples whose range no header states; unit, byte and 16-bit ranges are recognised."""
    low, high = _finite_extrema(image)
    if low >= 0 and high <= 1 and image.mode == "F":
        return 255.0, 0.0
    if low >= 0 and high <= 255:
        return 1.0, 0.0
    if low >= 0 and high <= 65535:
        return 1 / 256, 0.0
    warnings.append(f"samples run from {low:g} to {high:g}; they were stretched to the range of a picture")
    return 255.0 / (high - low) if high > low else 1.0, low


def _finite_extrema(image: Image.Image) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for _, _, strip in _strips(image):
        samples = np.asarray(strip, dtype=np.float64)
        finite = np.isfinite(samples)
        low = min(low, float(samples.min(where=finite, initial=np.inf)))
        high = max(high, float(samples.max(where=finite, initial=-np.inf)))
    return (low, high) if low <= high else (0.0, 0.0)


def _bits(image: Image.Image) -> int:
    bits = _tag(image, _BITS_PER_SAMPLE, (16,))
    return bits[0] if isinstance(bits, tuple) and bits and bits[0] in (12, 16) else 16


def _tag(image: Image.Image, number: int, otherwise: Any) -> Any:
    """A TIFF tag of the image, or ``otherwise`` where it has none or is no TIFF."""
    return getattr(image, "tag_v2", {}).get(number, otherwise)
