"""Which degradations a benchmark goes through."""

from __future__ import annotations

from collections.abc import Sequence

from madeby.errors import RecipeError
from madeby.evaluation.degrading import Chain

USUAL = ("jpeg=60", "resize=0.5", "web", "hard")
"""What a benchmark tries where nothing is said."""

ALL = (
    *("jpeg=95", "jpeg=90", "jpeg=80", "jpeg=70", "jpeg=60", "jpeg=50", "jpeg=40", "jpeg=30"),
    *("webp=90", "webp=70", "webp=50"),
    *("resize=0.25", "resize=0.5", "resize=0.75", "resize=1.25", "resize=1.5"),
    *("blur=0.5", "blur=1", "blur=2", "noise=2", "noise=5", "noise=10"),
    *("crop=0.75", "crop", "screenshot", "screenshot=1.5", "web", "hard"),
)
"""The whole ladder, mildest first within each kind."""


def ladder(named: Sequence[str]) -> list[Chain]:
    """The chains of degradations, pictures as they are first.

    Args:
        named: each a step (``jpeg=60``, ``web``) or steps one after another (``resize=0.5,jpeg=60``); ``all`` for
            the whole ladder, ``none`` for pictures as they are alone, nothing for the usual few.

    Raises:
        RecipeError: a degradation is not known, or its value is out of bounds.
    """
    texts: list[str] = []
    for text in named or USUAL:
        texts += ALL if text.strip() == "all" else () if text.strip() == "none" else (text,)
    chains = [Chain()]
    for text in texts:
        steps = [step for step in text.split(",") if step.strip()]
        if not steps:
            raise RecipeError(f"degrade: {text!r} names nothing: write NAME=VALUE, as in jpeg=60, or all, or none")
        chain = Chain.parse(steps)
        if chain.text not in {known.text for known in chains}:
            chains.append(chain)
    return chains
