"""Shortcut two: what the picture shows, with every trace of its making averaged away.

No trained network is needed: a 16 x 16 thumbnail, blurred and freed of brightness and contrast, keeps where
things are and which way edges run. On pictures of 32 pixels that is still half their resolution, so the
smaller the pictures, the less a high figure proves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.shortcuts.features import Features, features_of

SEES = "composition alone: a blurred grey 16 x 16 thumbnail without its brightness and contrast"

_CELLS, _DIRECTIONS = 4, 4


def content_features(thumbnails: npt.NDArray[np.uint8]) -> Features:
    """Layout and edge directions of thumbnails.

    Args:
        thumbnails: (n, 16, 16, 3) uint8.
    """
    grey = thumbnails.mean(axis=3, dtype=np.float32)
    blurred = _blurred(grey)
    blurred -= blurred.mean(axis=(1, 2), keepdims=True)
    # Two grey levels of contrast at least: a plain picture has no layout, and its noise must not become one.
    blurred /= np.maximum(blurred.std(axis=(1, 2), keepdims=True), 2)
    count, side = blurred.shape[:2]
    cells = blurred.reshape(count, _CELLS, side // _CELLS, _CELLS, side // _CELLS).mean(axis=(2, 4))
    edges = _edge_directions(blurred)
    return features_of(
        {
            "where it is bright and dark": cells.reshape(count, -1),
            "which way edges run": edges.mean(axis=(1, 2)),
            "where edges are": edges.sum(axis=3).reshape(count, -1),
            "centre against border": _centre(blurred),
        }
    )


def _blurred(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A 3 x 3 mean, borders repeated."""
    for axis in (1, 2):
        padding = [(0, 0), (1, 1), (0, 0)] if axis == 1 else [(0, 0), (0, 0), (1, 1)]
        padded = np.pad(grey, padding, mode="edge")
        side = grey.shape[axis]
        parts = [np.take(padded, range(shift, shift + side), axis=axis) for shift in range(3)]
        grey = ((parts[0] + parts[1] + parts[2]) / 3).astype(np.float32)
    return grey


def _edge_directions(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 4, 4, 4): edge strength in each of 4 x 4 cells by direction, as in histograms of oriented gradients."""
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    direction = ((np.arctan2(down, right) % np.pi) / np.pi * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    count, side = grey.shape[:2]
    parts = [
        np.where(direction == one, strength, 0)
        .reshape(count, _CELLS, side // _CELLS, _CELLS, side // _CELLS)
        .mean(axis=(2, 4))
        for one in range(_DIRECTIONS)
    ]
    return np.stack(parts, axis=3).astype(np.float32)


def _centre(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 3): mean of the centre, its spread, and the spread of the border."""
    middle = grey[:, 4:12, 4:12]
    border = np.concatenate([grey[:, :2].reshape(len(grey), -1), grey[:, -2:].reshape(len(grey), -1)], axis=1)
    return np.stack([middle.mean(axis=(1, 2)), middle.std(axis=(1, 2)), border.std(axis=1)], axis=1)
