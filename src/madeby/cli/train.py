"""``madeby train``: from a manifest to a calibrated bundle. Every recipe field is a flag of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from madeby.cli.recipe_flags import with_recipe_flags


def _train(
    data: Annotated[Path, typer.Option("--data", help="Manifest made by `madeby data import`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
    from_model: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Adapt this model to the pictures instead of training one."),
    ] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="Name of a shipped recipe, or a YAML file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    track: Annotated[
        Literal["tensorboard", "mlflow"] | None,
        typer.Option("--track", help="Also write this tracker's files, inside the run's folder."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Keep decoded pictures in this folder between runs.")
    ] = None,
    **fields: str | None,
) -> None:
    """Train a network, calibrate it and write the bundle that `madeby scan --model` takes."""
    from madeby import RunSummary
    from madeby import train as train_network
    from madeby.cli.training_progress import TerminalProgress, print_adaptation, print_summary

    overrides = {name: value for name, value in fields.items() if value is not None}
    with TerminalProgress() as progress:
        summary = train_network(
            data,
            output,
            from_model=from_model,
            recipe=recipe,
            overrides=overrides,
            resume=resume,
            track=track,
            cache=cache,
            progress=progress,
        )
    if isinstance(summary, RunSummary):
        print_summary(summary)
    else:
        print_adaptation(summary)


train = with_recipe_flags(_train)
