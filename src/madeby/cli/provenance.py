"""``madeby provenance``: every mark that a picture carries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madeby.schema import Result, Signal, Strength

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Strength.CONCLUSIVE: "bold",
    Strength.STRONG: "bold",
    Strength.WEAK: "",
    Strength.NONE: "dim",
}
_LONGEST_VALUE = 400


def provenance(
    sources: Annotated[
        list[str],
        typer.Argument(help="Files, folders, globs, http(s) URLs, or - for one source a line from standard input."),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON result a line and nothing else.")] = False,
    trust_list: Annotated[
        Path | None,
        typer.Option("--trust-list", help="A PEM file, or a folder of them, in place of the shipped C2PA trust list."),
    ] = None,
    fetch_remote: Annotated[
        bool, typer.Option("--fetch-remote", help="Fetch C2PA manifests that pictures only link to.")
    ] = False,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Let URLs lead to private, loopback and link-local addresses."),
    ] = False,
) -> None:
    """Print everything that a picture's file and watermarks say about who made it, without judging the pixels.

    Exit code 0: all read; 1: some could not be read (their results say why); 2: wrong usage.
    """
    from madeby.api.pictures import provenance as read_marks
    from madeby.cli import EXIT_SOME_UNREAD

    results = read_marks(
        sources,
        trust_list=trust_list,
        fetch_remote=fetch_remote,
        allow_private=allow_private,
        standard_input=sys.stdin,
    )
    console = None if json else _console()
    unread = 0
    for result in results:
        unread += not result.ok
        if console is None:
            sys.stdout.write(result.to_json() + "\n")
        else:
            _show(result, console)
    if unread:
        raise typer.Exit(EXIT_SOME_UNREAD)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _show(result: Result, console: Console) -> None:
    """One picture: a heading, the verdict that its marks alone allow, then the signals with what they found."""
    from rich.padding import Padding

    from madeby.cli.terminal_text import plain

    facts = result.picture
    about = f"  {facts.format} {facts.width}x{facts.height}, {facts.bytes:,} bytes" if facts else ""
    console.print(f"[bold]{plain(result.source)}[/]{about}")
    if result.verdict is None:
        console.print(Padding(f"[red]error[/] {plain(result.reason)}", (0, 0, 1, 2)))
        return
    console.print(Padding(f"[bold]{result.verdict.value}[/]: {plain(result.reason)}", (0, 0, 0, 2)))
    for warning in result.warnings:
        console.print(Padding(f"! {plain(warning)}", (0, 0, 0, 2)))
    for signal in result.signals:
        style = _STYLES[signal.strength]
        weight = f"{signal.strength.value}, points to {signal.points_to.value}" if signal.points_to else "no evidence"
        line = f"{signal.name:<10} {plain(signal.reason)} ({weight})"
        console.print(Padding(f"[{style}]{line}[/]" if style else line, (0, 0, 0, 2)))
        for name, value in _details(signal):
            console.print(Padding(f"[dim]{name}[/] {plain(value)}", (0, 0, 0, 13)))
    console.print()


def _details(signal: Signal) -> list[tuple[str, str]]:
    """What the signal found, bounded and in words; the state is already in the reason."""
    return [(name.replace("_", " "), _words(value)) for name, value in signal.detail.items() if name != "state"]


def _words(value: Any) -> str:
    if value is True:
        return "yes"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + " …"
