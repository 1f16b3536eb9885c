"""Draws evidence maps: over the picture, or alone on a transparent ground for laying over it.

Orange speaks for ``ai`` and blue for ``human``, a pair that people with any colour vision tell apart. A colour is
the more opaque the further the place's own probability lies from even odds, ``|2 P(ai) - 1|``; the scale is the
same for every picture. Places that no view looked at are hatched in the overlay and transparent in the map.
"""

from __future__ import annotations

import io
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from madeby.detector.evidence_map import EvidenceMap, Floats
from madeby.detector.views import Pixels

LONGEST_SIDE = 1024
"""Of a drawing, in pixels; larger pictures are drawn smaller, smaller ones as they are."""

TOWARDS_AI, TOWARDS_HUMAN = (255, 122, 0), (0, 114, 255)
MOST_OPAQUE = 0.6
_GREYNESS, _HATCH_PERIOD = 0.75, 10
_HATCH_DARK, _HATCH_LIGHT = 0.55, 0.7


class MapKind(StrEnum):
    """``overlay``: the picture with the map over it; ``map``: the map alone, RGBA, of the overlay's size."""

    OVERLAY = "overlay"
    MAP = "map"


def draw_evidence(pixels: Pixels, evidence: EvidenceMap, kind: MapKind, description: str = "") -> bytes:
    """A PNG of the evidence.

    Args:
        pixels: the picture, (height, width, 3) sRGB uint8.
        evidence: its map.
        kind: which drawing.
        description: kept in the file's text, for people who meet it alone.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    colours, opacity, looked_at = _coloured(evidence, height, width, size)
    if kind is MapKind.MAP:
        drawing = np.dstack([colours, np.rint(opacity * 255).astype(np.uint8)])
    else:
        picture = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
        drawing = _over(picture, colours, opacity, looked_at)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "madeby")
    if description:
        text.add_itxt("Description", description)
    file = io.BytesIO()
    Image.fromarray(drawing).save(file, "PNG", pnginfo=text, compress_level=4)
    return file.getvalue()


def _coloured(
    evidence: EvidenceMap, height: int, width: int, size: tuple[int, int]
) -> tuple[Pixels, Floats, npt.NDArray[np.bool_]]:
    """Colours (h, w, 3), opacities 0..1 (h, w) and what was looked at (h, w), for a drawing of (width, height)."""
    # Cells at the far edges may reach beyond the picture: only its own part of the map is drawn.
    box = (0.0, 0.0, width / evidence.cell_width, height / evidence.cell_height)
    known = evidence.looked_at
    looked_at = _stretched(known.astype(np.float32), size, box, Image.Resampling.NEAREST) > 0.5
    # Smoothed among the places that were looked at only, so that unknown ones do not bleed into them.
    share = _stretched(known.astype(np.float32), size, box, Image.Resampling.BILINEAR)
    log_odds = _stretched(np.where(known, evidence.log_odds, 0.0), size, box, Image.Resampling.BILINEAR)
    leaning = np.tanh(np.where(looked_at, log_odds / np.maximum(share, 1e-3), 0.0) / 2.0)
    colours = np.where((leaning > 0)[..., None], np.asarray(TOWARDS_AI, np.uint8), np.asarray(TOWARDS_HUMAN, np.uint8))
    return colours, (np.abs(leaning) * MOST_OPAQUE).astype(np.float32), looked_at


def _stretched(
    values: npt.NDArray[np.floating], size: tuple[int, int], box: tuple[float, float, float, float], how: int
) -> Floats:
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize(size, Image.Resampling(how), box=box), np.float32)


def _over(picture: Pixels, colours: Pixels, opacity: Floats, looked_at: npt.NDArray[np.bool_]) -> Pixels:
    """The picture, paler so that the map's colours are the only strong ones, with the map over it."""
    grey = np.asarray(Image.fromarray(picture).convert("L"), np.float32)
    base = picture * (1 - _GREYNESS) + grey[..., None] * _GREYNESS
    covered = base * (1 - opacity[..., None]) + colours * opacity[..., None]
    height, width = looked_at.shape
    stripes = (np.arange(height)[:, None] + np.arange(width)) % _HATCH_PERIOD < _HATCH_PERIOD // 5
    hatched = grey * np.where(stripes, _HATCH_LIGHT, _HATCH_DARK) + stripes * 25.0
    drawn = np.where(looked_at[..., None], covered, hatched[..., None])
    return np.rint(drawn).clip(0, 255).astype(np.uint8)
