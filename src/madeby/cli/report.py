"""``madeby report``: the story of a run as a page, and as slides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs; several are set side by side.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, one HTML file.")] = Path("report.html"),
    slides: Annotated[Path | None, typer.Option(help="Also write a PowerPoint deck there.")] = None,
    audit: Annotated[
        list[Path] | None, typer.Option(help="File that `madeby data audit --json` wrote; can be repeated.")
    ] = None,
    evaluation: Annotated[
        list[Path] | None, typer.Option(help="Folder that `madeby evaluate` wrote; can be repeated.")
    ] = None,
    tuning: Annotated[list[Path] | None, typer.Option(help="Folder that `madeby tune` wrote; can be repeated.")] = None,
    analysis: Annotated[
        list[Path] | None, typer.Option(help="Folder that `madeby analyze` wrote; can be repeated.")
    ] = None,
) -> None:
    """Tell what a run learnt from, how good it is and where it errs: one page, readable anywhere, and slides.

    Results that lie in a run's folder are found there.
    """
    import madeby

    made = madeby.report(
        runs,
        output,
        slides=slides,
        audit=audit or (),
        evaluation=evaluation or (),
        tuning=tuning or (),
        analysis=analysis or (),
    )
    for gap in made.gaps:
        typer.echo(gap)
    typer.echo(f"wrote {made.page}{f' and {made.slides}' if made.slides else ''}")
