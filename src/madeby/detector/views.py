"""From a decoded picture to the network's input: the one place that decides what a detector sees.

Scanning, calibration, evaluation and the training cache all call these functions, so that a bundle answers
exactly about what it was trained and measured on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.detector.bundle import Preprocessing

Pixels = npt.NDArray[np.uint8]

LONGEST_IN_SQUARES = 16
"""How many times as long as wide a picture is scaled before its middle square is cut out."""


@dataclass(frozen=True)
class Box:
    """The part of a picture that one view shows, in the picture's pixels; a padded picture's may reach beyond it."""

    top: int
    left: int
    height: int
    width: int


def views_of(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    """Cut a picture into the views that its network takes.

    Args:
        pixels: (height, width, 3) sRGB, 0..255.
        preprocessing: which views, from the bundle or the recipe.

    Returns:
        (views, size, size, 3) uint8; one view for ``resize`` and ``centre``, five for ``quarters``, four for
        ``quadrants``, one to ``crops`` for ``crops``.
    """
    if preprocessing.view == "resize":
        return resized(pixels, preprocessing.size)[None]
    if preprocessing.view == "centre":
        return centred(pixels, preprocessing.size)[None]
    if preprocessing.view == "quadrants":
        return np.stack(quartered(centred(pixels, 2 * preprocessing.size)))
    if preprocessing.view == "quarters":
        return np.stack([centred(pixels, preprocessing.size), *quartered(centred(pixels, 2 * preprocessing.size))])
    padded = padded_to(pixels, preprocessing.size)
    corners = crop_corners(padded.shape[0], padded.shape[1], preprocessing.size, preprocessing.crops)
    size = preprocessing.size
    return np.stack([padded[top : top + size, left : left + size] for top, left in corners])


def view_boxes(height: int, width: int, preprocessing: Preprocessing) -> list[Box]:
    """What each of the views that :func:`views_of` cuts from a picture of this size shows, in the same order."""
    if preprocessing.view == "resize":
        return [Box(0, 0, height, width)]
    size = preprocessing.size
    if preprocessing.view in ("centre", "quarters", "quadrants"):
        side = min(height, width)
        whole = Box((height - side) // 2, (width - side) // 2, side, side)
        shown = [] if preprocessing.view == "quadrants" else [whole]
        return shown if preprocessing.view == "centre" else [*shown, *_quarters_of(whole)]
    corners = crop_corners(max(height, size), max(width, size), size, preprocessing.crops)
    return [Box(top, left, size, size) for top, left in corners]


def resized(pixels: Pixels, size: int) -> Pixels:
    """The whole picture squeezed to (size, size, 3): bilinear, antialiased; untouched if it has that size."""
    if pixels.shape[:2] == (size, size):
        return pixels
    small = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(small)


def centred(pixels: Pixels, size: int) -> Pixels:
    """The middle square of the picture, scaled to (size, size, 3): bicubic, antialiased."""
    pixels = without_far_ends(pixels)
    height, width = pixels.shape[:2]
    scale = size / min(height, width)
    height, width = max(size, round(height * scale)), max(size, round(width * scale))
    scaled = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(scaled.crop((left, top, left + size, top + size)))


def without_far_ends(pixels: Pixels) -> Pixels:
    """The middle of a picture that is many times longer than wide: scaled whole, it could fill any memory."""
    height, width = pixels.shape[:2]
    most = LONGEST_IN_SQUARES * min(height, width)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return pixels[top : top + most, left : left + most]


def quartered(square: Pixels) -> list[Pixels]:
    """The four quarters of a square of even side: the upper two, then the lower two, each from left to right."""
    return [part for half in np.split(square, 2) for part in np.split(half, 2, axis=1)]


def padded_to(pixels: Pixels, size: int) -> Pixels:
    """The picture with both sides at least ``size``, continued by mirroring at the right and bottom edge."""
    height, width = pixels.shape[:2]
    if height >= size and width >= size:
        return pixels
    bottom, right = max(0, size - height), max(0, size - width)
    return np.pad(pixels, ((0, bottom), (0, right), (0, 0)), mode="symmetric")


def crop_corners(height: int, width: int, size: int, count: int) -> list[tuple[int, int]]:
    """Top-left corners of at most ``count`` distinct squares spread evenly over the picture.

    The grid takes the picture's proportions; the centre square comes first. Corners lie on multiples of 8
    pixels where that keeps them inside, so that a crop sees JPEG's own block grid in a constant phase.
    """
    rows, columns = _grid_shape(height, width, size, count)
    tops, lefts = _positions(height, size, rows), _positions(width, size, columns)
    corners = [(top, left) for top in tops for left in lefts]
    middle = ((height - size) / 2, (width - size) / 2)
    return sorted(corners, key=lambda corner: (abs(corner[0] - middle[0]) + abs(corner[1] - middle[1]), corner))


def normalised(views: Pixels, preprocessing: Preprocessing) -> npt.NDArray[np.float32]:
    """Views as the network's input: (views, 3, size, size) float32, scaled to 0..1, then standardised."""
    mean = np.asarray(preprocessing.mean, np.float32) * 255.0
    scale = 1.0 / (np.asarray(preprocessing.std, np.float32) * 255.0)
    values = views.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    values -= mean[:, None, None]
    values *= scale[:, None, None]
    return values


def _quarters_of(box: Box) -> list[Box]:
    """What :func:`quartered` shows of a square box; the lower and right ones take the odd pixel."""
    upper, lower = box.height // 2, box.height - box.height // 2
    rows, columns = ((box.top, upper), (box.top + upper, lower)), ((box.left, upper), (box.left + upper, lower))
    return [Box(top, left, height, width) for top, height in rows for left, width in columns]


def _grid_shape(height: int, width: int, size: int, count: int) -> tuple[int, int]:
    """Rows and columns of the crop grid: as many squares as fit into ``count``, none repeated."""
    most_rows, most_columns = -(-height // size), -(-width // size)
    best = (1, 1)
    for rows in range(1, min(most_rows, count) + 1):
        columns = min(most_columns, count // rows)
        more = rows * columns - best[0] * best[1]
        squarer = abs(rows * width - columns * height) < abs(best[0] * width - best[1] * height)
        if more > 0 or (more == 0 and squarer):
            best = (rows, columns)
    return best


def _positions(length: int, size: int, count: int) -> list[int]:
    if count == 1:
        return [_aligned((length - size) // 2, length - size)]
    return sorted({_aligned(round(i * (length - size) / (count - 1)), length - size) for i in range(count)})


def _aligned(position: int, highest: int) -> int:
    return min(position // 8 * 8, highest)
