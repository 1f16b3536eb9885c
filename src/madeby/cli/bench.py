"""``madeby bench``: how fast this machine is."""

from __future__ import annotations

from typing import Annotated

import typer

from madeby.cli.provider_flag import PROVIDER_HELP, Provider


def bench(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files to measure with, the first 8; else pictures made on the spot.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, or the folder of a bundle or a run.")
    ] = None,
    provider: Annotated[Provider, typer.Option("--provider", help=PROVIDER_HELP)] = "cpu",
    megapixels: Annotated[
        float, typer.Option(min=0.0003, max=100, help="Size of the pictures that are made on the spot.")
    ] = 1.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="About how long to measure.")] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON and nothing else.")] = False,
) -> None:
    """Measure how many pictures a second this machine answers about, stage by stage, and what 100 million would cost.

    Nothing is fetched. Run it on an otherwise idle machine of the kind that you mean to use.
    """
    from madeby.api.pictures import bench as measure

    found = measure(sources or (), model=model, provider=provider, megapixels=megapixels, seconds=seconds)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"{found.machine}, {found.cores} cores\n{found.pictures}, model {found.model} on {found.provider}\n")
    stages = Table("stage", box=None, pad_edge=False, header_style="dim")
    for heading in ("ms a picture", "10%", "90%", "pictures/s a core"):
        stages.add_column(heading, justify="right")
    for each in found.stages:
        a_core = f"{1000 / each.median:,.1f}" if each.median else ""
        stages.add_row(each.stage, f"{each.median:.2f}", f"{each.low:.2f}", f"{each.high:.2f}", a_core)
    console.print(stages)
    console.print()
    whole = Table("file to result", box=None, pad_edge=False, header_style="dim")
    for heading in ("pictures/s", "100 million pictures"):
        whole.add_column(heading, justify="right")
    for rate in found.throughput:
        workers = f"{rate.workers} worker{'s' if rate.workers > 1 else ''}"
        whole.add_row(workers, f"{rate.pictures_a_second:,.1f}", f"{rate.core_hours:,.0f} core-hours")
    console.print(whole)
