"""``madeby data``: from labelled pictures on disk to a manifest, its splits and a look at it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from madeby.cli import data_audit

if TYPE_CHECKING:
    from madeby import ImportSummary, ManifestCounts, SheetSummary, Tally

data_app = typer.Typer(
    name="data", help="Prepare labelled pictures: import, audit, clean, align, split, show.", no_args_is_help=True
)

LISTED_PROBLEMS = 10
LARGEST_SEED = 2**32 - 1


@data_app.command("import")
def import_(
    loader: Annotated[str, typer.Argument(help="Layout of the data set: folders, table, cifake, kaggle_ai_vs_human.")],
    path: Annotated[
        Path | None, typer.Argument(help="Folder or table; published data sets are downloaded without it.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write, .parquet or .csv.")] = Path(
        "manifest.parquet"
    ),
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="NAME=human, NAME=ai or NAME=skip for a folder or label name; repeatable."),
    ] = None,
    path_column: Annotated[str | None, typer.Option(help="table: the column of the paths.")] = None,
    label_column: Annotated[str | None, typer.Option(help="table: the column of the labels.")] = None,
    root: Annotated[Path | None, typer.Option(help="table: the folder that relative paths start from.")] = None,
    fraction: Annotated[float | None, typer.Option(help="Share of each class folder to take.")] = None,
    per_class: Annotated[
        int | None, typer.Option(help="At most that many pictures of each class in each published split.")
    ] = None,
    take: Annotated[
        Literal["random", "first"], typer.Option(help="Whether these are drawn or the first of the listing.")
    ] = "random",
    validation: Annotated[
        float, typer.Option(help="Share of the training pictures for validation where none is published.")
    ] = 0.1,
    test: Annotated[
        float | None,
        typer.Option(help="Share for testing where none is published (0.1 if nothing is published at all)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the draw and the split.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Files read at once.")] = None,
) -> None:
    """Read a labelled data set and write its manifest; no file is moved, renamed or deleted."""
    from madeby import data_import, parse_label_choices
    from madeby.cli.bar import bar

    with bar("reading pictures") as progress:
        summary = data_import(
            loader,
            path,
            output=output,
            labels=parse_label_choices(label or ()),
            path_column=path_column,
            label_column=label_column,
            root=root,
            fraction=fraction,
            per_class=per_class,
            take=take,
            validation=validation,
            test=test,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    _print_import(summary)


@data_app.command()
def split(
    manifest: Annotated[Path, typer.Argument(help="The manifest to split again.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the result.")],
    validation: Annotated[float, typer.Option(help="Share of the training pictures for validation.")] = 0.1,
    test: Annotated[
        float | None,
        typer.Option(help="Share for testing where none is published (0.1 if nothing is published at all)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Another seed draws other pictures.")] = 0,
    keep_published: Annotated[
        bool, typer.Option("--keep-published/--ignore-published", help="Keep the splits the authors published.")
    ] = True,
) -> None:
    """Cut a manifest into train, val and test again: stratified, seeded, groups kept together."""
    from madeby import data_split

    counts = data_split(manifest, output, validation=validation, test=test, seed=seed, keep_published=keep_published)
    _print_counts(counts)
    _say(f"wrote {output}")


@data_app.command()
def show(
    manifest: Annotated[Path, typer.Argument(help="The manifest to look at.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The contact sheet to write, a PNG.")] = Path(
        "contact_sheet.png"
    ),
    per_class: Annotated[int, typer.Option(min=1, help="Examples of each class.")] = 12,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Another seed draws other examples.")] = 0,
) -> None:
    """Draw examples of each class with their sizes, and count pictures by split, format and size."""
    from madeby import data_show

    _print_sheet(data_show(manifest, output=output, per_class=per_class, seed=seed))


for _verb in (data_audit.audit, data_audit.clean, data_audit.align):
    data_app.command()(_verb)


def _print_import(summary: ImportSummary) -> None:
    for note in summary.notes:
        _say(note)
    _print_counts(summary.counts)
    if summary.problems:
        _say(f"{len(summary.problems)} files cannot be used; they are listed in the manifest (column problem):")
        for problem in summary.problems[:LISTED_PROBLEMS]:
            _say(f"  {problem.path}: {problem.reason}")
        if len(summary.problems) > LISTED_PROBLEMS:
            _say(f"  and {len(summary.problems) - LISTED_PROBLEMS} more")
    _say(f"wrote {summary.manifest} in {summary.seconds:.1f} s")


def _print_sheet(summary: SheetSummary) -> None:
    _print_counts(summary.counts)
    _print_tallies("format", summary.formats)
    _print_tallies("longer side", summary.sizes)
    _say(f"wrote {summary.sheet} with {summary.shown} examples")


def _print_counts(counts: ManifestCounts) -> None:
    rows = [(split.split, split.human, split.ai, split.total) for split in counts.splits]
    _print_table(("split", "human", "ai", "total"), [*rows, ("all", counts.human, counts.ai, counts.total)])


def _print_tallies(title: str, tallies: Iterable[Tally]) -> None:
    rows = [(tally.name, tally.human, tally.ai, tally.human + tally.ai) for tally in tallies]
    _print_table((title, "human", "ai", "total"), rows)


def _print_table(header: tuple[str, ...], rows: Iterable[tuple[str, int, int, int]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for at, name in enumerate(header):
        table.add_column(name, justify="right" if at else "left")
    for name, *numbers in rows:
        table.add_row(name, *(f"{number:,}" for number in numbers))
    Console().print(table)


def _say(text: str) -> None:
    """A plain line: paths stay whole, brackets in them mean nothing."""
    typer.echo(text)
