"""``madeby data audit``, ``clean`` and ``align``: what a data set gives away, and the fixes that are offered."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from madeby.cli.bar import bar
from madeby.cli.terminal_text import plain

if TYPE_CHECKING:
    from rich.table import Table

    from madeby import AlignSummary, Audit, CleanSummary, Leak

LISTED = 10
"""Rows named on the terminal; the JSON file holds more."""

_STYLES = {"fine": "green", "note": "cyan", "warning": "yellow", "serious": "bold red"}

Threads = Annotated[int | None, typer.Option(min=1, help="Pictures read at once.")]


def audit(
    manifest: Annotated[Path, typer.Argument(help="The manifest to look into.")],
    json: Annotated[Path | None, typer.Option("--json", help="Write everything that was found to this file.")] = None,
    sample: Annotated[int, typer.Option(min=2, help="Pictures that the shortcut tests use at most.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of that draw and of the tests.")] = 0,
    threads: Threads = None,
) -> None:
    """Find leaks, repeats, wrong labels and shortcuts before anything is trained; nothing is changed.

    Exit code 0 whatever is found; 2 if the manifest cannot be audited.
    """
    from madeby import data_audit

    with bar("reading pictures") as progress:
        found = data_audit(manifest, json=json, sample=sample, seed=seed, threads=threads, progress=progress)
    _print_audit(found)
    if json is not None:
        _say(f"wrote {json}")


def clean(
    manifest: Annotated[Path, typer.Argument(help="The manifest to clean; it stays as it is.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    threads: Threads = None,
) -> None:
    """Write a manifest without leaks, repeats, conflicting labels and unreadable pictures; no picture is touched.

    Of identical pictures one is kept, from test before val before train; with both labels none is. Look-alikes of
    pictures in another split are dropped out of train before val.
    """
    from madeby import data_clean

    with bar("reading pictures") as progress:
        summary = data_clean(manifest, output, threads=threads, progress=progress)
    _print_clean(summary)


def align(
    manifest: Annotated[Path, typer.Argument(help="The manifest of the pictures; they stay as they are.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new or empty folder.")],
    size: Annotated[int, typer.Option(help="Side of the pictures, pixels, a multiple of 8.")] = 256,
    quality: Annotated[int, typer.Option(help="JPEG quality, 1 to 100.")] = 90,
    subsampling: Annotated[
        Literal["4:4:4", "4:2:2", "4:2:0"], typer.Option(help="Chroma subsampling of the JPEGs.")
    ] = "4:2:0",
    view: Annotated[
        Literal["crop", "resize"],
        typer.Option(help="Cut the middle at native resolution (smaller pictures are left out), or resize first."),
    ] = "crop",
    threads: Threads = None,
) -> None:
    """Write all pictures as JPEGs of one size and encoding into a new folder, with their manifest."""
    from madeby import data_align

    with bar("writing pictures") as progress:
        summary = data_align(
            manifest,
            output,
            size=size,
            quality=quality,
            subsampling=subsampling,
            view=view,
            threads=threads,
            progress=progress,
        )
    _print_align(summary)


def _print_audit(found: Audit) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    findings = _table("", "finding", "what to do")
    for finding in found.findings:
        style = _STYLES[finding.severity]
        findings.add_row(f"[{style}]{finding.severity}[/]", plain(finding.line), plain(finding.remedy))
    _say(f"{found.manifest}: {found.pictures:,} pictures, {found.human:,} human, {found.ai:,} ai")
    console.print(findings)
    console.print(_splits(found))
    console.print(_shortcuts(found))
    for line in _examples(found):
        _say(line)
    for note in found.notes:
        _say(f"note: {note}")
    _say(f"worst finding: {found.worst}; {found.seconds:.1f} s")


def _splits(found: Audit) -> Table:
    table = _table("split", "human", "ai", "identical elsewhere", "alike elsewhere", numbers=True)
    for split in found.balance.splits:
        leaks = [leak for leak in found.leaks if leak.split == split.value]
        seen = (_seen(leak for leak in leaks if leak.kind == kind) for kind in ("pixels", "near"))
        table.add_row(split.value, f"{split.human:,}", f"{split.ai:,}", *seen)
    return table


def _seen(leaks: Iterable[Leak]) -> str:
    return ", ".join(f"{leak.pictures:,} in {leak.seen_in}" for leak in leaks) or "-"


def _shortcuts(found: Audit) -> Table:
    table = _table("shortcut test", "AUROC", "95% interval", "in known groups", "strongest facts (AUROC alone, drop)")
    for test in found.shortcuts:
        if test.auroc is None:
            table.add_row(test.name, "-", "-", "-", f"not run: {test.not_run}")
            continue
        carriers = ", ".join(f"{one.fact} ({one.alone:.2f}, {one.drop:.2f})" for one in test.carriers)
        inside = "-" if test.inside_groups is None else f"{test.inside_groups:.3f}"
        table.add_row(test.name, f"{test.auroc:.3f}", f"{test.low:.3f} to {test.high:.3f}", inside, carriers or "-")
    return table


def _examples(found: Audit) -> Iterable[str]:
    """Pictures to look at: what is wrong with single ones, then clusters that reach over labels or splits."""
    for named in found.problems.examples[:LISTED]:
        yield f"  {named.path}: {named.what}"
    for copies in found.copies[1:]:
        if copies.across_labels or copies.across_splits:
            yield f"{'identical' if copies.kind == 'pixels' else 'alike'}, {copies.clusters:,} clusters, for example:"
            for cluster in copies.examples[:3]:
                yield "  " + "  ".join(f"{copy.path} ({copy.label}, {copy.split or 'no split'})" for copy in cluster)


def _print_clean(summary: CleanSummary) -> None:
    for reason, count in summary.by_reason.items():
        _say(f"dropped {count:,}: {reason}")
        rows = [row for row in summary.dropped if row.reason.startswith(f"{reason}:")]
        for row in rows[:LISTED]:
            kept = f"; kept: {row.kept}" if row.kept else ""
            _say(f"  {row.path} ({row.reason.partition(': ')[2]}{kept})")
        if len(rows) > LISTED:
            _say(f"  and {len(rows) - LISTED:,} more")
    _say(f"kept {summary.after.total:,} usable pictures of {summary.before.total:,}; wrote {summary.manifest}")


def _print_align(summary: AlignSummary) -> None:
    if summary.left_out:
        _say(f"{len(summary.left_out):,} pictures have no aligned copy:")
        for picture in summary.left_out[:LISTED]:
            _say(f"  {picture.path}: {picture.reason}")
        if len(summary.left_out) > LISTED:
            _say(f"  and {len(summary.left_out) - LISTED:,} more")
    counts = summary.counts
    _say(f"wrote {counts.total:,} pictures ({counts.human:,} human, {counts.ai:,} ai) and {summary.manifest}")


def _table(*columns: str, numbers: bool = False) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if numbers and at else "left", overflow="fold")
    return table


def _say(text: str) -> None:
    """A line as it is: never wrapped, brackets and control characters in it mean nothing."""
    from rich.console import Console

    Console(highlight=False).print(plain(text), soft_wrap=True)
