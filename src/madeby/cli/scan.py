"""``madeby scan``: verdicts about pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from madeby.cli import cluster_flags
from madeby.cli.profile_flag import PROFILE_HELP, Profile
from madeby.cli.provider_flag import PROVIDER_HELP, Provider
from madeby.errors import MadebyError
from madeby.schema import Result

_RESULTS, _QUESTION, _SOURCES, _SPEED = "Results", "What is asked", "Sources", "Speed"


def scan(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, globs, archives (.zip, .tar, ...), tables (.csv, .parquet), http(s) and s3:// URLs, "
            "@FILE for one source a line of a file, or - for one a line from standard input."
        ),
    ],
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print one JSON result a line and nothing else.", rich_help_panel=_RESULTS),
    ] = False,
    jsonl_to: Annotated[
        str | None,
        typer.Option(
            "--jsonl-to",
            metavar="PLACE",
            help="Write one JSON result a line to this FILE, or in parts to this FOLDER/; either may be in a store, as "
            "s3://bucket/folder/.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(
            "--csv", metavar="PLACE", help="Write a CSV table to such a FILE or FOLDER/.", rich_help_panel=_RESULTS
        ),
    ] = None,
    parquet: Annotated[
        str | None,
        typer.Option(
            "--parquet",
            metavar="PLACE",
            help="Write a Parquet table to such a FILE or FOLDER/.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the results that the named files hold already.", rich_help_panel=_RESULTS
        ),
    ] = False,
    ordered: Annotated[
        bool,
        typer.Option(
            "--ordered/--unordered",
            help="Results in the order of the sources, or as they are ready.",
            rich_help_panel=_RESULTS,
        ),
    ] = True,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Name of a model, folder of a bundle or a run, or URL in a store.",
            rich_help_panel=_QUESTION,
        ),
    ] = None,
    threshold_profile: Annotated[
        Profile, typer.Option("--threshold-profile", help=PROFILE_HELP, rich_help_panel=_QUESTION)
    ] = "balanced",
    provenance: Annotated[
        bool,
        typer.Option(
            "--provenance/--no-provenance",
            help="Read metadata, signatures and watermarks.",
            rich_help_panel=_QUESTION,
        ),
    ] = True,
    detector: Annotated[
        bool, typer.Option("--detector/--no-detector", help="Judge the pixels.", rich_help_panel=_QUESTION)
    ] = True,
    column: Annotated[
        str | None,
        typer.Option(
            "--column", help="The column of tables that names or holds the pictures.", rich_help_panel=_SOURCES
        ),
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option(
            "--allow-private",
            help="Let URLs lead to private, loopback and link-local addresses.",
            rich_help_panel=_SOURCES,
        ),
    ] = False,
    provider: Annotated[Provider, typer.Option("--provider", help=PROVIDER_HELP, rich_help_panel=_SPEED)] = "cpu",
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="Remember answers in this file: identical bytes are examined once.",
            rich_help_panel=_SPEED,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pictures at a time, of a cluster in each actor; by default what is quickest.",
            rich_help_panel=_SPEED,
        ),
    ] = None,
    engine: cluster_flags.Engine = "local",
    ray_address: cluster_flags.Address = None,
    actors: cluster_flags.Actors = None,
    actor_cores: cluster_flags.ActorCores = None,
    actor_gpus: cluster_flags.ActorGpus = None,
    shared_files: cluster_flags.SharedFiles = False,
) -> None:
    """Say about each picture whether it is AI-made, how sure that is, and why.

    Exit code 0: all read; 1: some could not be read (their results say why); 2: wrong usage.
    """
    from madeby import scan as scan_pictures
    from madeby.cli import EXIT_SOME_UNREAD
    from madeby.cli.scan_sinks import sinks_for

    if not (provenance or detector):
        raise MadebyError("--no-provenance and --no-detector together leave nothing to do; drop one of them")
    cluster = cluster_flags.cluster_of(engine, ray_address, actors, actor_cores, actor_gpus, shared_files)
    open_sinks = partial(sinks_for, jsonl=jsonl, jsonl_to=jsonl_to, csv=csv, parquet=parquet, resume=resume)
    # What is resumed says what to pass over; what is begun anew is not touched before the scan is known to begin.
    resumed = open_sinks() if resume else None
    results = scan_pictures(
        sources,
        model=model,
        threshold_profile=threshold_profile,
        provider=provider,
        provenance=provenance,
        detector=detector,
        allow_private=allow_private,
        workers=workers,
        column=column,
        answered=resumed.answered if resumed else None,
        cache=cache,
        ordered=ordered,
        engine=engine,
        cluster=cluster,
    )
    sinks = resumed or open_sinks()
    unread = 0
    try:
        for result in _with_progress(results):
            unread += not result.ok
            sinks.write(result)
    except BaseException:
        sinks.abort()
        raise
    sinks.close()
    if unread:
        raise typer.Exit(EXIT_SOME_UNREAD)


def _with_progress(results: Iterator[Result]) -> Iterator[Result]:
    """Count pictures on standard error while they are read, if a person is watching there."""
    if not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} pictures"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scan", total=None)
        for result in results:
            progress.advance(task)
            yield result
