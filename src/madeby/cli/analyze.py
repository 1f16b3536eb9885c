"""``madeby analyze``: what pictures show, and what a detector's mistakes have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from madeby.cli.terminal_text import plain

if TYPE_CHECKING:
    from madeby import Analysis

LISTED_UNREAD = 5


def analyze(
    target: Annotated[
        Path,
        typer.Argument(help="Folder that `madeby evaluate` wrote, results that `madeby scan` wrote, or a manifest."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for analysis.json, plots, galleries and map.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Manifest with labels for the pictures, or with their new places.")
    ] = None,
    content_model: Annotated[
        str, typer.Option("--content-model", help="ImageNet classifier by its timm name (vgg19, ...); none for none.")
    ] = "efficientnet_lite0",
    content_weights: Annotated[
        Path | None, typer.Option("--content-weights", help="Its .safetensors or .pth file; else from the model hub.")
    ] = None,
    classes: Annotated[
        str, typer.Option("--classes", help="Contents to show in any case, as in lab_coat,plate,rapeseed.")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Most pictures: a seeded draw with the labels' shares kept.")
    ] = None,
    map_points: Annotated[int, typer.Option(min=0, help="Most pictures on the map; 0 for no map.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws, intervals and the map.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Cores to use.")] = None,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="Colours of plots and galleries.")] = "light",
) -> None:
    """Study what evaluated or scanned pictures show, and what the detector's mistakes have in common."""
    import madeby
    from madeby.cli.bar import bar

    with bar("looking at pictures") as progress:
        analysis = madeby.analyze(
            target,
            output,
            data=data,
            content_model=content_model,
            content_weights=content_weights,
            classes=[name.strip() for name in classes.split(",") if name.strip()],
            limit=limit,
            map_points=map_points,
            seed=seed,
            threads=threads,
            theme=theme,
            progress=progress,
        )
    _print(analysis, output)


def _print(analysis: Analysis, output: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    pictures = analysis.pictures
    asked = f"{analysis.model.name} {analysis.model.version} on " if analysis.model else ""
    unlabelled = f", {pictures.unlabelled:,} without label" if pictures.unlabelled else ""
    kinds = f"{pictures.human:,} human, {pictures.ai:,} ai{unlabelled}"
    console.print(plain(f"{asked}{pictures.analysed:,} pictures of {analysis.data or analysis.target}: {kinds}\n"))
    for finding in analysis.findings:
        console.print(plain(f"{'·' if finding.known else '?'} {finding.line}"))
    if pictures.unread:
        console.print()
        for path, reason in pictures.unread_examples[:LISTED_UNREAD]:
            console.print(plain(f"not read: {path}: {reason}"), soft_wrap=True)
        if pictures.unread > LISTED_UNREAD:
            console.print(f"and {pictures.unread - LISTED_UNREAD:,} more")
    if analysis.notes:
        console.print()
    for note in analysis.notes:
        console.print(plain(f"note: {note}"))
    seconds = sum(stage.seconds for stage in analysis.stages)
    drawn = f"{len(analysis.plots)} plots, {len(analysis.galleries)} galleries"
    map_file = f" and {analysis.map.html}" if analysis.map else ""
    typer.echo(f"\nwrote {plain(str(output))}/analysis.json, content.parquet, {drawn}{map_file} in {seconds:.0f} s")
