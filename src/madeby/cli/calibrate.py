"""``madeby calibrate``: a model's thresholds, set anew on photographs of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madeby.cli.terminal_text import plain

if TYPE_CHECKING:
    from madeby import CalibrationSummary

LISTED_UNREAD = 10


def calibrate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the new bundle.")],
    photographs: Annotated[
        list[str] | None,
        typer.Argument(help="Photographs known to be genuine: files, folders, globs, archives, tables, URLs."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, folder of a bundle or a run, or URL in a store.")
    ] = None,
    ai: Annotated[
        list[str] | None, typer.Option("--ai", metavar="SOURCE", help="Pictures known to be AI-made. Repeatable.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Take the pictures of this manifest too, by their labels.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Of the manifest: train, val, test or all.")] = "val",
    false_alarms: Annotated[
        float, typer.Option("--false-alarms", help="Share of photographs that may be called ai.")
    ] = 0.01,
    name: Annotated[str | None, typer.Option("--name", help="Of the new bundle.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs lead to private, loopback and link-local addresses.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Pictures at a time; one a core by default.")] = None,
) -> None:
    """Set a model's thresholds anew on your own photographs, so that its promise about false alarms holds there.

    Give only pictures that are surely no AI's work, and none that the model was trained on; 99 are the fewest for 1%.
    """
    import madeby
    from madeby.cli.bar import count

    with count("reading pictures") as progress:
        summary = madeby.calibrate(
            photographs or (),
            output,
            model=model,
            ai=ai or (),
            data=data,
            split=split,
            false_alarms=false_alarms,
            name=name,
            allow_private=allow_private,
            workers=workers,
            progress=progress,
        )
    _print(summary)


def _print(summary: CalibrationSummary) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    for what, read in (("photographs", summary.photographs), ("AI pictures", summary.ai)):
        if not read.seen:
            continue
        told = f" (left out: {read.left_out})" if read.left_out else ""
        console.print(f"{len(read.probabilities):,} different {what}{told}")
        for source, reason in read.unread[:LISTED_UNREAD]:
            console.print(f"  {plain(source)}: {plain(reason)}")
    if summary.ai.seen and not summary.ai_counted:
        console.print("too few AI pictures to say anything about misses: the lower thresholds stay as they were")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("profile", "ai from", "promised false alarms", "human up to"):
        table.add_column(heading, justify="left" if heading == "profile" else "right")
    for profile, thresholds in summary.after.items():
        upper = "never" if thresholds.ai > 1 else f"{thresholds.ai:.4f}"
        lower = "never" if thresholds.human < 0 else f"{thresholds.human:.4f}"
        table.add_row(profile, upper, f"{thresholds.false_alarm_target:.1%}", lower)
    console.print(table)
    console.print(f"with the old thresholds {summary.called_ai_before:.1%} of these photographs were called ai")
    console.print(f"wrote {plain(summary.bundle.folder)}: use it with --model {plain(summary.bundle.folder)}")
