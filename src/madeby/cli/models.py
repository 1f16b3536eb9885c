"""``madeby models``: the bundles at hand and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

models_app = typer.Typer(name="models", help="The models at hand and what is in them.", no_args_is_help=True)


@models_app.command("list")
def models_list() -> None:
    """List the built-in models."""
    from rich.console import Console
    from rich.table import Table

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
    model: Annotated[str, typer.Argument(help="Name of a built-in model, or the folder of a bundle or a run.")],
    json: Annotated[bool, typer.Option("--json", help="Print the bundle's description as JSON.")] = False,
) -> None:
    """Show a model's card: what it is for, what it was trained on, what it reaches."""
    from rich.console import Console
    from rich.markdown import Markdown

    import madeby

    shown = madeby.models_show(model)
    if json:
        typer.echo(shown.spec.model_dump_json(by_alias=True, indent=2))
    else:
        Console().print(Markdown(shown.card))


@models_app.command("networks")
def models_networks(
    name: Annotated[str | None, typer.Argument(help="Network to take apart; all are listed without it.")] = None,
    size: Annotated[
        int | None, typer.Option(min=8, max=2048, help="Side of its input in pixels; its own by default.")
    ] = None,
    options: Annotated[
        str | None, typer.Option("--network-options", metavar="YAML", help="Its options, {name: value}.")
    ] = None,
) -> None:
    """List the architectures that `madeby train` takes, or show one's layers."""
    from rich.console import Console
    from rich.table import Table

    import madeby

    if name is None:
        _list_networks()
        return
    summary = madeby.network_summary(name, options, size)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("layer", "kind", "output", "parameters", "multiply-accumulates"):
        table.add_column(heading, justify="left" if heading in {"layer", "kind"} else "right")
    for layer in summary.layers:
        shape = " × ".join(str(side) for side in layer.output_shape[1:])
        table.add_row(layer.name, layer.kind, shape, f"{layer.parameters:,}", f"{layer.macs:,}")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"\n{summary.name} at {summary.size} × {summary.size} pixels: {summary.parameters:,} parameters, "
        f"{summary.macs / 1e6:,.1f} million multiply-accumulates a picture"
    )


def _list_networks() -> None:
    from rich.console import Console
    from rich.table import Table

    import madeby

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "size", "description"):
        table.add_column(heading)
    for entry in madeby.models_networks():
        table.add_row(entry.name, f"{entry.size}{'' if entry.fixed_size else ', any'}", entry.description)
    Console(highlight=False).print(table)


@models_app.command("export")
def models_export(
    run: Annotated[Path, typer.Argument(help="Folder of a run, finished or interrupted.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the bundle.")],
    description: Annotated[
        str | None, typer.Option("--description", help="A few words for `madeby models list`.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Under which the model may be used.")] = None,
) -> None:
    """Copy a run's bundle to a folder of its own, from its best epoch so far if it was interrupted."""
    import madeby
    from madeby.cli.training_progress import TerminalProgress

    with TerminalProgress() as progress:
        bundle = madeby.models_export(run, output, description=description, licence=licence, progress=progress)
    typer.echo(f"{bundle.spec.name} {bundle.spec.version}: {bundle.folder}")
