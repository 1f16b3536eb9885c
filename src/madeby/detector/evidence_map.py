"""Where in a picture the detector's evidence lies: the logit maps of its views, put together over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.detector.bundle import BundleSpec
from madeby.detector.detector import Reading
from madeby.detector.views import view_boxes
from madeby.errors import BundleError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EvidenceMap:
    """The evidence over one picture.

    ``log_odds`` is (rows, columns) float32: what the picture's calibrated log odds of ``ai`` would be if all of it
    were like this place. Above 0 a place speaks for ``ai``, below 0 for ``human``, NaN where no view looked.
    A cell is ``cell_height`` by ``cell_width`` of the picture's pixels; the last row and column may reach beyond it.
    """

    log_odds: Floats
    cell_height: float
    cell_width: float

    @property
    def looked_at(self) -> npt.NDArray[np.bool_]:
        """(rows, columns): the places that at least one view showed."""
        return ~np.isnan(self.log_odds)


def evidence_map(reading: Reading, height: int, width: int, spec: BundleSpec) -> EvidenceMap:
    """Put the logit maps of a picture's views together.

    Where views overlap their maps are averaged, each as much as it has places there: a view that shows the same part
    of the picture larger counts more. A place counts less towards the edge of a view, where the network sees less of
    its surroundings. The network's logit is the mean of its map, so the map shows the very numbers that the probability
    was made of.

    Args:
        reading: what the detector read from the picture.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        spec: the detector's bundle: its views and its calibration.

    Raises:
        BundleError: the bundle's network gives no logit map.
    """
    if reading.logit_map is None:
        raise BundleError(
            f"the model {spec.name} {spec.version} gives one number a view and no logit map, so it cannot show where "
            f"its evidence lies; name another model"
        )
    boxes = view_boxes(height, width, spec.preprocessing)
    view_rows, view_columns = reading.logit_map.shape[1:]
    finest = boxes[-1]
    cell_height, cell_width = finest.height / view_rows, finest.width / view_columns
    rows, columns = int(np.ceil(height / cell_height)), int(np.ceil(width / cell_width))
    window = np.outer(_towards_the_middle(view_rows), _towards_the_middle(view_columns))
    total, weights = np.zeros((rows, columns)), np.zeros((rows, columns))
    for box, logits in zip(boxes, reading.logit_map, strict=True):
        times = max(1, round(box.height / finest.height))  # cells that one place of this view covers, in each direction
        counted, said = (np.kron(each, np.ones((times, times))) / times**2 for each in (window, window * logits))
        top, left = round(box.top / cell_height), round(box.left / cell_width)
        place = np.s_[top : top + counted.shape[0], left : left + counted.shape[1]]
        inside = np.s_[: rows - top, : columns - left]  # the rest of a padded picture's view mirrors what is inside
        total[place] += said[inside]
        weights[place] += counted[inside]
    with np.errstate(invalid="ignore"):
        logits = total / weights
    log_odds = spec.calibration.slope * logits + spec.calibration.intercept
    return EvidenceMap(log_odds.astype(np.float32), cell_height, cell_width)


def _towards_the_middle(count: int) -> npt.NDArray[np.float64]:
    """Weights (count,), 0 to 1, that rise linearly from the edges to the middle and are nowhere 0."""
    places = np.arange(count, dtype=np.float64)
    from_edge: npt.NDArray[np.float64] = np.minimum(places, places[::-1]) + 1.0
    return from_edge / (count + 1) * 2.0
