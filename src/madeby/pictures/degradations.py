"""What happens to pictures on their way through the world: named changes with one parameter each.

Training applies them to make a detector sturdy, the benchmark to measure how sturdy it is. A new one is one
:func:`_register` call below; it is then known everywhere by its name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from madeby.errors import RecipeError

Pixels = npt.NDArray[np.uint8]

SCREENSHOT_QUALITY = 90
"""JPEG quality in which phones and messengers keep screenshots."""


@dataclass(frozen=True)
class Degradation:
    """A named change of a picture.

    ``parameter`` is what its one number is called, ``meaning`` says what the number does, ``lowest`` and
    ``highest`` bound it, ``unchanged`` is the value at which (almost) nothing happens. ``usual`` is the value that
    the bare name stands for, None where one must be given.
    """

    name: str
    parameter: str
    meaning: str
    lowest: float
    highest: float
    unchanged: float
    function: Callable[[Pixels, float, int], Pixels]
    usual: float | None = None

    def apply(self, pixels: Pixels, value: float, seed: int = 0) -> Pixels:
        """The changed picture; the argument is left as it is.

        Args:
            pixels: (height, width, 3) uint8 sRGB.
            value: of the parameter, within ``lowest`` and ``highest``.
            seed: for changes with chance in them; the same seed gives the same picture.

        Returns:
            (height, width, 3) uint8; codecs, blur and noise keep height and width.

        Raises:
            RecipeError: the value is out of bounds.
        """
        if not self.lowest <= value <= self.highest:
            raise RecipeError(
                f"{self.name}: {self.parameter} must lie between {self.lowest:g} and {self.highest:g}, not {value:g}"
            )
        return self.function(pixels, value, seed)


_REGISTRY: dict[str, Degradation] = {}


def degradation(name: str) -> Degradation:
    """The degradation of this name.

    Raises:
        RecipeError: there is none; the message lists the names.
    """
    try:
        return _REGISTRY[name]
    except KeyError:
        raise RecipeError(f"no degradation is called {name!r}; there are: {', '.join(_REGISTRY)}") from None


def degradations() -> tuple[Degradation, ...]:
    """All degradations, in the order in which they were registered."""
    return tuple(_REGISTRY.values())


def _register(entry: Degradation) -> None:
    if entry.name in _REGISTRY:
        raise ValueError(f"two degradations are called {entry.name!r}")
    _REGISTRY[entry.name] = entry


def _jpeg(pixels: Pixels, quality: float, _: int) -> Pixels:
    return _recoded(pixels, "JPEG", round(quality))


def _webp(pixels: Pixels, quality: float, _: int) -> Pixels:
    return _recoded(pixels, "WEBP", round(quality))


def _recoded(pixels: Pixels, codec: str, quality: int) -> Pixels:
    """Written in a lossy format at this quality (4:2:0 chroma, as the web does) and read back."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, codec, quality=quality)
    with Image.open(file, formats=[codec]) as image:
        return np.array(image.convert("RGB"))


def _resize(pixels: Pixels, factor: float, _: int) -> Pixels:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def _blur(pixels: Pixels, sigma: float, _: int) -> Pixels:
    # Pillow's Gaussian is three box blurs: within a grey level of the true one from sigma 0.5 up.
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def _noise(pixels: Pixels, sigma: float, seed: int) -> Pixels:
    grain = np.random.default_rng(seed).standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(np.rint(pixels + grain * np.float32(sigma)), 0, 255).astype(np.uint8)


def _fit(pixels: Pixels, side: float, _: int) -> Pixels:
    """The picture with its longer side at most ``side`` pixels, as platforms store it; never enlarged."""
    factor = side / max(pixels.shape[:2])
    return pixels.copy() if factor >= 1 else _resize(pixels, factor, 0)


def _crop(pixels: Pixels, share: float, seed: int) -> Pixels:
    height, width = pixels.shape[:2]
    kept = (max(1, round(height * share)), max(1, round(width * share)))
    draw = np.random.default_rng(seed)
    top, left = (int(draw.integers(whole - part + 1)) for whole, part in zip((height, width), kept, strict=True))
    return pixels[top : top + kept[0], left : left + kept[1]].copy()


def _screenshot(pixels: Pixels, scale: float, seed: int) -> Pixels:
    """Drawn on a screen off the pixel grid, as scrolling and layout leave it, taken from there and sent on as JPEG."""
    height, width = pixels.shape[:2]
    right, down = np.random.default_rng(seed).random(2) if scale != 1 and min(height, width) > 1 else (0.0, 0.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    box = (right, down, width - 1 + right, height - 1 + down) if right or down else None
    shown = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, box)
    return _recoded(np.asarray(shown), "JPEG", SCREENSHOT_QUALITY)


def _fitted_jpeg(side: int) -> Callable[[Pixels, float, int], Pixels]:
    """What a platform does to an upload: at most ``side`` pixels, then JPEG."""
    return lambda pixels, quality, seed: _jpeg(_fit(pixels, side, seed), quality, seed)


_register(Degradation("jpeg", "quality", "IJG quality of a JPEG re-encoding, 4:2:0", 1, 100, 100, _jpeg))
_register(Degradation("webp", "quality", "quality of a lossy WebP re-encoding", 0, 100, 100, _webp))
_register(Degradation("resize", "factor", "both sides times the factor, bicubic, antialiased", 0.01, 8, 1, _resize))
_register(Degradation("blur", "sigma", "Gaussian blur, standard deviation in pixels", 0, 50, 0, _blur))
_register(Degradation("noise", "sigma", "Gaussian noise a sample, standard deviation of 255", 0, 255, 0, _noise))
_register(Degradation("fit", "side", "longer side at most so many pixels, never enlarged", 8, 65_536, 65_536, _fit))
_register(Degradation("crop", "share", "cut to this share of both sides, anywhere", 0.01, 1, 1, _crop, usual=0.5))
_register(Degradation("screenshot", "scale", "shown at this scale, then JPEG 90", 0.1, 4, 1, _screenshot, usual=0.8))
_register(Degradation("web", "quality", "fit=768, then JPEG of this quality", 1, 100, 100, _fitted_jpeg(768), usual=60))
_register(
    Degradation("hard", "quality", "fit=512, then JPEG of this quality", 1, 100, 100, _fitted_jpeg(512), usual=40)
)
