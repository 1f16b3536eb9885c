"""``madeby benchmark``: detectors side by side, by collection, generator and degradation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madeby.cli.terminal_text import plain

if TYPE_CHECKING:
    from madeby import Benchmark

ROWS_SHOWN = 60
SHARES = ("tpr_at_fpr_1", "tpr_at_fpr_5", "real_accuracy", "coverage", "accuracy_decided")


def benchmark(
    data: Annotated[list[str], typer.Option("--data", metavar="FILE[:SPLIT]", help="Manifest; can be repeated.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for table, plots, page and scores.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(
            "--detector",
            metavar="[NAME=]DETECTOR",
            help="A model, a classifier's spec or .onnx, or process:COMMAND; can be repeated. Default model if none.",
        ),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, val, test or all, where --data names none.")] = "test",
    degrade: Annotated[
        list[str] | None,
        typer.Option(
            "--degrade",
            metavar="NAME=VALUE[,...]",
            help="Also measure pictures changed so: jpeg=60, resize=0.5,jpeg=60, web; all, none; can be repeated.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most pictures of each label of a collection.")] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Beside them, classifiers of file facts and contents.")
    ] = True,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the 95% intervals; 0 for none.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws and resamples.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the scores that lie in the folder.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each answer of a program.")] = 120.0,
    threads: Annotated[int | None, typer.Option(min=1, help="Pictures at a time; one a core by default.")] = None,
) -> None:
    """Set detectors side by side: by collection, by generator, on pictures as they are and after degradations."""
    import madeby
    from madeby.cli.bar import steps

    with steps() as progress:
        found = madeby.benchmark(
            data,
            output,
            detectors=detector or (),
            split=split,
            degrade=degrade or (),
            limit=limit,
            baselines=baselines,
            bootstrap=bootstrap,
            seed=seed,
            resume=resume,
            timeout=timeout,
            threads=threads,
            progress=progress,
        )
    _print(found, output)


def _print(found: Benchmark, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    rows = [row for row in found.rows if not row.degradation]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("pictures", "detector"):
        table.add_column(heading)
    for heading in ("human", "ai", "AUROC", "95% interval", "at 1%", "at 5%", "real right", "decided", "of them right"):
        table.add_column(heading, justify="right")
    last = ""
    for row in rows[:ROWS_SHOWN]:
        name = f"{row.data}: {row.value}" + ("" if row.scope == "all" else f" ({row.scope})")
        ends = row.auroc
        spread = f"{ends.low:.3f} to {ends.high:.3f}" if ends and ends.low is not None and ends.high is not None else ""
        table.add_row(
            *("" if name == last else plain(name), plain(row.detector), f"{row.n_human:,}", f"{row.n_ai:,}"),
            *("–" if ends is None else f"{ends.value:.3f}", spread),
            *(_share(row, figure) for figure in SHARES),
        )
        last = name
    console.print(table)
    if len(rows) > ROWS_SHOWN:
        console.print(f"and {len(rows) - ROWS_SHOWN} more in benchmark.csv")
    if len(found.degradations) > 1:
        changed = ", ".join(one for one in found.degradations if one)
        console.print(f"\nafter {changed}: see benchmark.html or benchmark.csv")
    for failure in found.failures:
        when = "" if failure.degradation is None else f" ({failure.degradation or 'as they are'})"
        console.print(plain(f"not answered: {failure.detector}{when}: {failure.reason}"), soft_wrap=True)
    for note in found.notes:
        console.print(plain(f"note: {note}"), soft_wrap=True)
    typer.echo(f"\nwrote {plain(str(output))}/benchmark.html, benchmark.csv, benchmark.json and plots")


def _share(row: object, name: str) -> str:
    figure = getattr(row, name)
    return "–" if figure is None else f"{figure.value:.1%}"
