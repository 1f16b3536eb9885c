"""``madeby train``: from a manifest to a calibrated bundle. Every recipe field is a flag of the same name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from madeby import Recipe

PANEL = "Recipe"


def _train(
    data: Annotated[Path, typer.Option("--data", help="Manifest made by `madeby data import`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
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
    from madeby import train as train_network
    from madeby.cli.training_progress import TerminalProgress, print_summary

    overrides = {name: value for name, value in fields.items() if value is not None}
    with TerminalProgress() as progress:
        summary = train_network(
            data,
            output,
            recipe=recipe,
            overrides=overrides,
            resume=resume,
            track=track,
            cache=cache,
            progress=progress,
        )
    print_summary(summary)


def _with_recipe_flags(function: Callable[..., None]) -> Callable[..., None]:
    """The function with one keyword parameter for each field of the recipe in place of its ``**fields``."""
    signature = inspect.signature(function, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    flags = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    f"--{name.replace('_', '-')}",
                    help=field.description or "",
                    metavar=_metavar(field.annotation),
                    rich_help_panel=PANEL,
                ),
            ],
        )
        for name, field in Recipe.model_fields.items()
    ]

    def with_flags(**arguments: Any) -> None:
        function(**arguments)

    with_flags.__name__ = function.__name__.strip("_")
    with_flags.__doc__ = function.__doc__
    with_flags.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]  # dynamic
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *flags]}
    return with_flags


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if get_origin(annotation) is tuple:
        return "A,B,..."
    return {int: "INTEGER", float: "NUMBER", str: "TEXT"}.get(annotation, "YAML")


train = _with_recipe_flags(_train)
