"""A progress bar on standard error, while a person watches there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None] | None]:
    """Give a function that takes (what is done, done, total), one bar after another; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bars("{task.description}") as progress:
        task = progress.add_task("")

        def advance(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield advance


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that takes (done, total), or None where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bars(what) as progress:
        task = progress.add_task(what)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance


@contextmanager
def count(what: str) -> Iterator[Callable[[int], None] | None]:
    """Give a function that takes the number done, where no one knows of how many; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(what), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done: progress.update(task, completed=done)


def _bars(what: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
