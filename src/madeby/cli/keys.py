"""``madeby keys``: who may use a server that asks for keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from madeby.cli.terminal_text import plain

keys_app = typer.Typer(name="keys", help="Make, list and revoke the API keys of a server.", no_args_is_help=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data-folder", help="The server's data folder, as in `madeby serve`.")
]


@keys_app.command("create")
def create(name: Annotated[str, typer.Argument(help="Who the key is for.")], data_folder: DataFolder = None) -> None:
    """Make a key and print it, once: only its hash is kept."""
    import madeby

    made = madeby.keys_create(name, data_folder)
    typer.echo(made.key)
    typer.echo(f"key {made.entry.id} for {plain(made.entry.name)}; it cannot be shown again", err=True)


@keys_app.command("list")
def list_keys(data_folder: DataFolder = None) -> None:
    """Ids, names and dates of the keys; never the keys themselves."""
    import madeby

    keys = madeby.keys_list(data_folder)
    for key in keys:
        typer.echo(f"{key.id}  {key.created:%Y-%m-%d %H:%M}  {plain(key.name)}")
    if not keys:
        typer.echo("no keys; make one with `madeby keys create NAME`", err=True)


@keys_app.command("revoke")
def revoke(id: Annotated[str, typer.Argument(help="Its id, as listed.")], data_folder: DataFolder = None) -> None:
    """Make a key worthless; a running server refuses it from its next request on."""
    import madeby

    entry = madeby.keys_revoke(id, data_folder)
    typer.echo(f"revoked {entry.id} ({plain(entry.name)})")
