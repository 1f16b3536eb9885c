"""Draws a training: a bar for what is under way and a line for each epoch. The bar needs a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from madeby.training.adaptation.adapt import AdaptationSummary
    from madeby.training.run import EpochFigures, RunSummary

HEADING = "epoch   train loss  accuracy    val loss  accuracy     AUROC   seconds"


class TerminalProgress:
    """Watches a training; rich's objects are made when first drawn, so that a fresh one travels to a process."""

    def __init__(self) -> None:
        self._console: Console | None = None
        self._bar: Progress | None = None
        self._task: Any = None
        self._what = ""
        self._headed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def stage(self, name: str, done: int, count: int) -> None:
        """Draw a step outside the epochs."""
        self._draw(f"{name} pictures", done, count)

    def batch(self, epoch: int, epochs: int, done: int, count: int) -> None:
        """Draw an epoch's batches."""
        self._draw(f"epoch {epoch}/{epochs}", done, count)

    def epoch(self, figures: EpochFigures, best: bool) -> None:
        """Print an epoch's line; a star marks the best so far."""
        console = self._out()
        if not self._headed:
            console.print(HEADING, style="dim", highlight=False)
            self._headed = True
        console.print(
            f"{figures.epoch:5d}{figures.train_loss:13.4f}{figures.train_accuracy:10.4f}"
            f"{figures.val_loss:12.4f}{figures.val_accuracy:10.4f}{figures.val_auroc:10.4f}"
            f"{figures.seconds:10.1f}{' *' if best else ''}",
            highlight=False,
        )

    def __getstate__(self) -> dict[str, Any]:
        self._stop()
        return self.__dict__ | {"_console": None}

    def _out(self) -> Console:
        if self._console is None:
            from rich.console import Console  # takes its time to load, and every command loads this file

            self._console = Console(stderr=False)
        return self._console

    def _draw(self, what: str, done: int, count: int) -> None:
        if not self._out().is_terminal:
            return
        if self._bar is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._out(),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(what, total=count)
        if what != self._what:
            self._what = what
            self._bar.reset(self._task, description=what, total=count)
        self._bar.update(self._task, completed=done)

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def print_summary(summary: RunSummary) -> None:
    """Say what a run came to and what to do with it."""
    best = summary.best
    stopped = " (stopped early)" if summary.stopped_early else ""
    unreadable = f", {summary.unreadable} could not be read" if summary.unreadable else ""
    typer.echo(
        f"\n{summary.network}, {summary.parameters:,} parameters, "
        f"{summary.n_train:,} + {summary.n_val:,} pictures{unreadable}\n"
        f"best epoch {best.epoch} of {summary.epochs}{stopped}: validation accuracy {best.val_accuracy:.4f}, "
        f"AUROC {best.val_auroc:.4f}, loss {best.val_loss:.4f}\n"
        f"{summary.seconds:.0f} s on {summary.accelerator} in {summary.precision}; ONNX logits differ by at most "
        f"{summary.parity:.1e}; calibration: {summary.calibration}\n"
        f"bundle: {summary.bundle}\n"
        f"try it: madeby scan PICTURE --model {summary.bundle}"
    )


def print_adaptation(summary: AdaptationSummary) -> None:
    """Say what an adaptation came to and what to do with it."""
    unread = f", {len(summary.unread)} could not be read" if summary.unread else ""
    how = (
        "these pictures give no reason to leave the old head: only its scale and even point were fitted"
        if summary.penalty is None
        else f"pull towards the old head: {summary.penalty:.3g}"
    )
    kept = (
        ""
        if summary.kept is None
        else f"on {summary.kept.n_human + summary.kept.n_ai:,} pictures that it remembers: AUROC "
        f"{summary.kept.before:.4f} before, {summary.kept.after:.4f} after; thresholds were set on these as well\n"
    )
    typer.echo(
        f"\n{summary.model}, adapted to {summary.n_human:,} human and {summary.n_ai:,} ai pictures{unread}\n"
        f"on these pictures, each answered about by a head that had not seen it:\n"
        f"  before: accuracy {summary.before[0]:.4f}, AUROC {summary.before[1]:.4f}\n"
        f"  after:  accuracy {summary.after[0]:.4f}, AUROC {summary.after[1]:.4f}\n"
        f"{kept}{how}; {summary.seconds:.0f} s\n"
        f"bundle: {summary.bundle}\n"
        f"see what it forgot: madeby evaluate {summary.folder} --data OTHER.parquet -o FOLDER"
    )
