"""``madeby explain``: where in a picture the evidence lies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from madeby.cli.profile_flag import PROFILE_HELP, Profile
from madeby.cli.provider_flag import PROVIDER_HELP, Provider


def explain(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, http(s) URLs, or - for one source a line.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png file for one picture, or a folder for any number.")
    ],
    kind: Annotated[
        Literal["overlay", "map"],
        typer.Option(help="The picture with the map over it, or the map alone on a transparent ground."),
    ] = "overlay",
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, the folder of a bundle or a run, or a store's URL.")
    ] = None,
    threshold_profile: Annotated[Profile, typer.Option("--threshold-profile", help=PROFILE_HELP)] = "balanced",
    provider: Annotated[Provider, typer.Option("--provider", help=PROVIDER_HELP)] = "cpu",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs lead to private, loopback and link-local addresses.")
    ] = False,
) -> None:
    """Draw where in pictures the detector's evidence lies: orange speaks for ai, blue for human.

    Exit code 0: all read; 1: some could not be read; 2: wrong usage.
    """
    from rich.console import Console

    import madeby
    from madeby.cli import EXIT_SOME_UNREAD
    from madeby.cli.terminal_text import plain

    console = Console(highlight=False, soft_wrap=True)
    drawn = unread = 0
    explanations = madeby.explain(
        sources,
        output=output,
        kind=kind,
        model=model,
        threshold_profile=threshold_profile,
        provider=provider,
        allow_private=allow_private,
    )
    for explanation in explanations:
        result = explanation.result
        if result.verdict is None or explanation.evidence is None:
            unread += 1
            console.print(f"[red]error[/] {plain(result.source)}: {plain(result.reason)}")
            continue
        drawn += 1
        seen = explanation.evidence.looked_at.mean()
        about = f"{result.verdict.value}, P(ai) {result.probability:.2f}, {seen:.0%} of the picture looked at"
        console.print(f"{plain(explanation.path)}: {about}")
    if drawn:
        console.print("orange speaks for ai, blue for human; hatched or transparent places were not looked at")
    if unread:
        raise typer.Exit(EXIT_SOME_UNREAD)
