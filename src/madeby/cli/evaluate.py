"""``madeby evaluate``: how good a detector is on labelled pictures, with intervals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madeby.cli.profile_flag import PROFILE_HELP, Profile
from madeby.cli.provider_flag import PROVIDER_HELP, Provider
from madeby.cli.terminal_text import plain

if TYPE_CHECKING:
    from rich.table import Table

    from madeby import Evaluation, Figures

LISTED_UNREAD = 10
ROWS_A_TABLE = 30
COLUMNS = ("accuracy", "auroc", "tpr_at_fpr_1", "ece")


def evaluate(
    data: Annotated[Path, typer.Option("--data", help="Manifest made by `madeby data import`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for metrics, predictions and plots.")],
    run: Annotated[str | None, typer.Argument(help="Folder of a run or a bundle, name of a model, or URL.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="The same, as an option.")] = None,
    split: Annotated[str, typer.Option("--split", help="train, val, test or all.")] = "test",
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the 95% intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    flips: Annotated[
        bool, typer.Option("--flips", help="Read each picture's mirror image too and average (reported apart).")
    ] = False,
    degrade: Annotated[
        list[str] | None,
        typer.Option(
            "--degrade", metavar="NAME=VALUE", help="Change pictures first: jpeg=60, webp, resize, ..., web, hard."
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Pictures at a time; one a core by default.")] = None,
    threshold_profile: Annotated[Profile, typer.Option("--threshold-profile", help=PROFILE_HELP)] = "balanced",
    provider: Annotated[Provider, typer.Option("--provider", help=PROVIDER_HELP)] = "cpu",
    into_card: Annotated[
        str | None, typer.Option("--into-card", metavar="NAME", help="Also write the figures into the model's card.")
    ] = None,
) -> None:
    """Measure a detector on a split: figures, plots, and galleries of the surest mistakes."""
    import madeby
    from madeby.cli.bar import bar

    if (run is None) == (model is None):
        raise typer.BadParameter("name either a run or --model, and not both")
    with bar("reading pictures") as progress:
        evaluation = madeby.evaluate(
            run or model or "",
            data,
            output,
            split=split,
            bootstrap=bootstrap,
            seed=seed,
            flips=flips,
            degrade=degrade or (),
            threads=threads,
            threshold_profile=threshold_profile,
            provider=provider,
            into_card=into_card,
            progress=progress,
        )
    _print(evaluation)


def _print(evaluation: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    metrics = evaluation.metrics
    model = f"{plain(metrics.model.name)} {plain(metrics.model.version)}"
    console.print(
        f"{model} on {metrics.n:,} pictures of {plain(metrics.data)}, split {metrics.split}: "
        f"{metrics.n_human:,} human, {metrics.n_ai:,} ai"
        + (", each read with its mirror image" * metrics.flips)
        + (f", changed by {metrics.degradation}" if metrics.degradation else "")
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95% interval")
    for name, interval in metrics.intervals.items():
        spread = f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
        table.add_row(name, _number(getattr(metrics, name)), spread)
    console.print(table)
    if metrics.without_repeats is not None:
        rest = metrics.without_repeats
        console.print(
            f"\n{metrics.repeats:,} of the pictures stand, pixel for pixel, in train or val as well; without them "
            f"({rest.n:,} pictures): accuracy {_number(rest.accuracy)}, AUROC {_number(rest.auroc)}"
        )
    abstention = metrics.abstention
    console.print(
        f"\nverdicts: {_share(abstention.coverage)} decided, {_share(abstention.accuracy_decided)} of them right; "
        f"{_share(abstention.false_alarm_rate)} of human pictures called ai, "
        f"{_share(abstention.miss_rate)} of ai pictures called human"
    )
    for column, blocks in metrics.by.items():
        console.print()
        console.print(_by_table(column, blocks))
        if len(blocks) > ROWS_A_TABLE:
            console.print(f"and {len(blocks) - ROWS_A_TABLE} more in metrics.json")
    if evaluation.unread:
        console.print(f"\n{len(evaluation.unread)} pictures could not be read and were left out:")
        for unread in evaluation.unread[:LISTED_UNREAD]:
            typer.echo(f"  {unread.path}: {unread.reason}")
    typer.echo(f"\nwrote {evaluation.folder}/metrics.json, predictions.parquet and {len(evaluation.plots)} plots")


def _by_table(column: str, blocks: dict[str, Figures]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(plain(column))
    for heading in ("human", "ai", *COLUMNS, "human called ai", "ai called ai"):
        table.add_column(heading, justify="right")
    for value, figures in list(blocks.items())[:ROWS_A_TABLE]:
        numbers = (_number(getattr(figures, name)) for name in COLUMNS)
        called = (figures.abstention.false_alarm_rate, figures.abstention.detection_rate)
        table.add_row(plain(value), f"{figures.n_human:,}", f"{figures.n_ai:,}", *numbers, *map(_share, called))
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
