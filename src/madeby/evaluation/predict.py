"""A detector's answers about the pictures of a manifest, read exactly as ``scan`` reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from madeby.datasets.parallel import in_order
from madeby.detector.calibration import probability_of
from madeby.detector.detector import Detector
from madeby.errors import PictureError
from madeby.evaluation.degrading import Chain
from madeby.pictures.decode import decode
from madeby.pictures.sources import read
from madeby.schema import Verdict

PREDICTED = ("logit", "probability", "verdict")


@dataclass(frozen=True)
class Unread:
    """A picture of the manifest that could not be read any more, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Predictions:
    """The readable rows of the manifest with ``logit``, ``probability`` and ``verdict``, and the others."""

    table: pl.DataFrame
    unread: tuple[Unread, ...]


def predict(
    detector: Detector,
    rows: pl.DataFrame,
    *,
    flips: bool = False,
    degradation: Chain = Chain(),
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Read every row's picture with the detector.

    The verdict is the pixels' alone, by the bundle's thresholds, since a manifest's labels are about pixels.

    Args:
        detector: loaded with one thread a reading, since pictures are read side by side.
        rows: usable rows of a manifest.
        flips: read each picture's mirror image as well and average the two logits.
        degradation: what is done to each picture before it is read.
        threads: pictures at a time; one a core if None.
        progress: called with (pictures done, their count).
    """
    paths: Sequence[str] = rows["path"].to_list()

    def answer(entry: tuple[int, str]) -> tuple[float, float] | Unread:
        row, path = entry
        try:
            pixels = degradation.apply(decode(read(path), perceptual_hash=False).pixels, seed=row)
        except PictureError as error:
            return Unread(path, error.message)
        reading = detector.read(pixels)
        if not flips:
            return reading.logit, reading.probability
        logit = (reading.logit + detector.read(np.ascontiguousarray(pixels[:, ::-1])).logit) / 2
        return logit, probability_of(logit, detector.bundle.spec.calibration)

    answers: list[tuple[float, float]] = []
    kept: list[int] = []
    unread: list[Unread] = []
    for row, given in enumerate(in_order(answer, list(enumerate(paths)), threads)):
        if isinstance(given, Unread):
            unread.append(given)
        else:
            kept.append(row)
            answers.append(given)
        if progress is not None and (row % 50 == 49 or row + 1 == len(paths)):
            progress(row + 1, len(paths))
    probabilities = [probability for _, probability in answers]
    table = rows[kept].with_columns(
        pl.Series("logit", [logit for logit, _ in answers], pl.Float64),
        pl.Series("probability", probabilities, pl.Float64),
        pl.Series("verdict", [verdict_of(detector, probability) for probability in probabilities], pl.String),
    )
    return Predictions(table, tuple(unread))


def verdict_of(detector: Detector, probability: float) -> str:
    """What the bundle's thresholds make of a probability."""
    thresholds = detector.bundle.spec.thresholds
    if probability >= thresholds.ai:
        return Verdict.AI.value
    return Verdict.HUMAN.value if probability <= thresholds.human else Verdict.UNCERTAIN.value
