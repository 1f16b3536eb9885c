"""What a benchmark asks of a detector, whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from madeby.detector.views import Pixels
from madeby.errors import MadebyError
from madeby.evaluation.benchmarking.record import DetectorInfo


@dataclass(frozen=True)
class Shown:
    """One picture as a detector gets it.

    ``path`` is its file, ``pixels`` (height, width, 3) uint8 sRGB what is left of it after a degradation; ``changed``
    says that they are no longer the file's.
    """

    path: str
    pixels: Pixels
    changed: bool


class DetectorFailedError(MadebyError):
    """A detector cannot go on, whatever the picture; the others can."""


class Scorer(Protocol):
    """A detector that is ready to answer."""

    @property
    def info(self) -> DetectorInfo:
        """What it is."""

    @property
    def threads(self) -> int | None:
        """How many pictures it can be asked about at a time; None for one a core."""

    def score(self, shown: Shown) -> float:
        """P(ai) of one picture, 0..1.

        Raises:
            PictureError: no answer about this picture.
            DetectorFailedError: no answers any more.
        """

    def close(self) -> None:
        """Let go of what it holds."""


@dataclass(frozen=True)
class Entrant:
    """A detector that takes part: its name in the table, and how to make it ready.

    ``open`` raises a :class:`~madeby.errors.MadebyError` where that fails.
    """

    name: str
    open: Callable[[], Scorer]
