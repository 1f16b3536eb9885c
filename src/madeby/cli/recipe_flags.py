"""Every recipe field as a flag of the same name, for the verbs that train."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from madeby import Recipe

PANEL = "Recipe"


def with_recipe_flags(function: Callable[..., None]) -> Callable[..., None]:
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
        if name not in signature.parameters
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
