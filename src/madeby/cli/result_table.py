"""The table of verdicts on the terminal."""

from __future__ import annotations

import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from madeby.cli.terminal_text import plain
from madeby.schema import Result, Signal, Strength, Verdict

STYLES = {Verdict.AI: "bold dark_orange", Verdict.HUMAN: "bold dodger_blue1", Verdict.UNCERTAIN: "bold"}
ROWS_A_TABLE = 500


class ResultTable:
    """Collects results and prints a table, every few hundred rows and at the end, then a count."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(width=None if sys.stdout.isatty() else 140)
        self._rows: list[Result] = []
        self._counts: Counter[str] = Counter()
        self._model = ""

    def write(self, result: Result) -> None:
        """Take one result."""
        self._rows.append(result)
        self._counts[result.verdict.value if result.verdict else "could not be read"] += 1
        if result.model:
            self._model = f"{result.model.name} {result.model.version}"
        if len(self._rows) >= ROWS_A_TABLE:
            self._print_rows()

    def close(self) -> None:
        """Print what is held, then the totals."""
        self._print_rows()
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self._counts.items()))
        model = f" · model {self._model}" if self._model else ""
        self._console.print(f"{self._counts.total()} pictures: {counts or 'none'}{model}", highlight=False)

    def abort(self) -> None:
        """Print what is held."""
        self._print_rows()

    def _print_rows(self) -> None:
        if not self._rows:
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("picture", overflow="fold", ratio=3)
        table.add_column("verdict", no_wrap=True)
        table.add_column("P(ai)", justify="right", no_wrap=True)
        table.add_column("why", overflow="fold", ratio=5)
        for result in self._rows:
            table.add_row(*_cells(result))
        self._console.print(table)
        self._rows.clear()


def _cells(result: Result) -> tuple[str, str, str, str]:
    if result.verdict is None:
        return plain(result.source), "[red]error[/red]", "", plain(result.reason)
    style = STYLES[result.verdict]
    probability = "" if result.probability is None else f"{result.probability:.2f}"
    lines = [result.reason, *(f"! {warning}" for warning in result.warnings)]
    lines += [f"{signal.name}: {signal.reason}" for signal in result.signals if _worth_telling(signal, result.reason)]
    return plain(result.source), f"[{style}]{result.verdict.value}[/]", probability, plain("\n".join(lines))


def _worth_telling(signal: Signal, reason: str) -> bool:
    """Whether a signal says something that the reason of the verdict does not."""
    return signal.name != "detector" and signal.strength is not Strength.NONE and signal.reason not in reason
