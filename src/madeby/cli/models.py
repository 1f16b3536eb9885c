"""``madeby models``: the bundles at hand and what is in them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

models_app = typer.Typer(name="models", help="The models at hand and what is in them.", no_args_is_help=True)


@models_app.command("list")
def models_list() -> None:
    """List the built-in models."""
    import madeby

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "version", "network", "parameters", "views", "description"):
        table.add_column(heading, justify="right" if heading == "parameters" else "left")
    for spec in madeby.models_list():
        views = f"{spec.preprocessing.crops} × {spec.preprocessing.size} px {spec.preprocessing.view}"
        table.add_row(spec.name, spec.version, spec.network, f"{spec.parameters:,}", views, spec.description)
    Console().print(table)


@models_app.command("show")
def models_show(
    model: Annotated[
        str, typer.Argument(help="Name of a built-in model, or the folder of a bundle or a run.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the bundle's description as JSON.")] = False,
) -> None:
    """Show a model's card: what it is for, what it was trained on, what it reaches."""
    import madeby

    shown = madeby.models_show(model)
    if json:
        typer.echo(shown.spec.model_dump_json(by_alias=True, indent=2))
    else:
        Console().print(Markdown(shown.card))
