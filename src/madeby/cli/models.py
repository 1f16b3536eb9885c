"""``madeby models``: the bundles at hand and what is in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from madeby.cli.terminal_text import plain

models_app = typer.Typer(name="models", help="The models at hand and what is in them.", no_args_is_help=True)

Endpoint = Annotated[
    str | None, typer.Option(metavar="URL", help="Address of the S3 service if it is not AWS; AWS_ENDPOINT_URL too.")
]


@models_app.command("list")
def models_list(
    store: Annotated[
        str | None,
        typer.Argument(help="A store, as s3://bucket/models; without it the built-in and the pulled models."),
    ] = None,
    endpoint: Endpoint = None,
) -> None:
    """List the models at hand, or those of a store."""
    from rich.console import Console
    from rich.table import Table

    import madeby

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("model", "version", "place", "size", "network", "parameters", "views", "description"):
        numeric = heading in {"size", "parameters"}
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for listed in madeby.models_list(store, endpoint=endpoint):
        spec = listed.spec
        views = f"{spec.preprocessing.most_views} × {spec.preprocessing.size} px {spec.preprocessing.view}"
        place = "store" if store else f"{listed.place}{', default' if listed.default else ''}"
        size = f"{listed.bytes / 1e6:,.1f} MB"
        cells = (listed.model, spec.version, place, size, spec.network, f"{spec.parameters:,}", views, spec.description)
        table.add_row(*map(plain, cells))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)


@models_app.command("show")
def models_show(
    model: Annotated[str, typer.Argument(help="Name of a model, folder of a bundle or a run, or URL in a store.")],
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


@models_app.command("pull")
def models_pull(
    model: Annotated[
        str,
        typer.Argument(help="URL of a model in a store, @VERSION after it for one that is not the newest; or a name."),
    ],
    endpoint: Endpoint = None,
) -> None:
    """Fetch a model into the local cache, where it is used by name from then on, without the network."""
    import madeby
    from madeby.cli.transfer_bar import transfer_bar

    with transfer_bar("pull") as progress:
        bundle = madeby.models_pull(model, endpoint=endpoint, progress=progress)
    named = f"{bundle.spec.name}@{bundle.spec.version}"
    typer.echo(f"{named}: {bundle.folder}\nuse it with: madeby scan --model {named}")


@models_app.command("push")
def models_push(
    model: Annotated[str, typer.Argument(help="Name of a model, or folder of a bundle or a run.")],
    store: Annotated[str, typer.Argument(help="Where to: s3://bucket/models, a folder, or another store.")],
    version: Annotated[
        str | None, typer.Option(help="Publish it as this version, instead of the bundle's own.")
    ] = None,
    endpoint: Endpoint = None,
) -> None:
    """Publish a model in a store, as NAME/VERSION below its address; a published version never changes."""
    import madeby
    from madeby.cli.transfer_bar import transfer_bar

    with transfer_bar("push") as progress:
        pushed = madeby.models_push(model, store, version=version, endpoint=endpoint, progress=progress)
    state = "is there already" if pushed.already_there else "is published"
    typer.echo(f"{pushed.name}@{pushed.version} {state}: {pushed.url}")


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
    crops: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Look at so many squares of a picture, calibrated anew; fewer are quicker."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the bundle; the run's folder's if it is not said.")] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="A few words for `madeby models list`.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Under which the model may be used.")] = None,
    version: Annotated[str | None, typer.Option(help="Of the bundle; 0.1.0 if it is not said.")] = None,
) -> None:
    """Copy a run's bundle to a folder of its own, from its best epoch so far if it was interrupted."""
    import madeby
    from madeby.cli.training_progress import TerminalProgress

    with TerminalProgress() as progress:
        bundle = madeby.models_export(
            run,
            output,
            crops=crops,
            name=name,
            description=description,
            licence=licence,
            version=version,
            progress=progress,
        )
    typer.echo(f"{bundle.spec.name} {bundle.spec.version}: {bundle.folder}")
