"""What training tells whoever watches; the command line draws it, a notebook may."""

from __future__ import annotations

from typing import Protocol

from madeby.training.run import EpochFigures


class Progress(Protocol):
    """Called from the training process; with several processes, from a copy in the first of them."""

    def stage(self, name: str, done: int, count: int) -> None:
        """A named step outside the epochs is at ``done`` of ``count``."""

    def batch(self, epoch: int, epochs: int, done: int, count: int) -> None:
        """``done`` of an epoch's ``count`` batches are learned; epochs count from 1."""

    def epoch(self, figures: EpochFigures, best: bool) -> bool | None:
        """An epoch is over; ``best`` where none was better. True ends the training here, as if it were the last."""


class Silent:
    """Watches and says nothing."""

    def stage(self, name: str, done: int, count: int) -> None:
        """Nothing."""

    def batch(self, epoch: int, epochs: int, done: int, count: int) -> None:
        """Nothing."""

    def epoch(self, figures: EpochFigures, best: bool) -> None:
        """Nothing."""
