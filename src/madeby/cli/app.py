"""The command tree."""

from __future__ import annotations

from typing import Annotated

import typer

from madeby.cli.analyze import analyze
from madeby.cli.bench import bench
from madeby.cli.benchmark import benchmark
from madeby.cli.calibrate import calibrate
from madeby.cli.data import data_app
from madeby.cli.evaluate import evaluate
from madeby.cli.explain import explain
from madeby.cli.keys import keys_app
from madeby.cli.models import models_app
from madeby.cli.provenance import provenance
from madeby.cli.report import report
from madeby.cli.scan import scan
from madeby.cli.serve import serve
from madeby.cli.train import train
from madeby.cli.tune import tune

app = typer.Typer(
    name="madeby",
    help="Tells whether a picture was made by a camera or human or by a generative model, says why, "
    "and admits when it cannot know.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from madeby.version import __version__

        typer.echo(f"madeby {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
    ] = False,
) -> None:
    pass


app.command()(scan)
app.command()(explain)
app.command()(provenance)
app.command()(bench)
app.command()(train)
app.command()(tune)
app.command()(calibrate)
app.command()(evaluate)
app.command()(benchmark)
app.command()(report)
app.command()(analyze)
app.command()(serve)
app.add_typer(data_app)
app.add_typer(models_app)
app.add_typer(keys_app)
