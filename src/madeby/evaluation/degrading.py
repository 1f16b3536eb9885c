"""Pictures as they come out of the world's mills: changed by named degradations before a detector reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from madeby.detector.views import Pixels
from madeby.errors import RecipeError
from madeby.pictures.degradations import Degradation, degradation


@dataclass(frozen=True)
class Chain:
    """Degradations one after another, each with its value; empty for pictures as they are."""

    steps: tuple[tuple[Degradation, float], ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Chain:
        """Read ``name=value`` for each step, in their order; the bare name where a degradation has a usual value.

        Raises:
            RecipeError: nothing is called so, or the value is no number or out of bounds.
        """
        steps = []
        for text in texts:
            name, equals, value = text.partition("=")
            entry = degradation(name.strip())
            try:
                number = entry.usual if entry.usual is not None and not equals else float(value)
            except ValueError:
                raise RecipeError(
                    f"degrade: {text!r} is not NAME=NUMBER, as in {name.strip()}={entry.unchanged:g}"
                ) from None
            entry.apply(np.zeros((8, 8, 3), np.uint8), number)  # bounds are told before any picture is read
            steps.append((entry, number))
        return cls(tuple(steps))

    @property
    def text(self) -> str:
        """The steps as they are written: ``resize=0.5,jpeg=60``, ``web``; empty where there are none."""
        return ",".join(
            entry.name if value == entry.usual else f"{entry.name}={value:g}" for entry, value in self.steps
        )

    def apply(self, pixels: Pixels, seed: int) -> Pixels:
        """The changed picture, (height, width, 3) uint8; the same seed gives the same picture."""
        for entry, value in self.steps:
            pixels = entry.apply(pixels, value, seed)
        return pixels
