"""``madeby tune``: many trainings for the recipe that does best on the validation split."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from madeby.cli.recipe_flags import with_recipe_flags
from madeby.cli.terminal_text import plain
from madeby.cli.training_progress import TerminalProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from madeby import TrialRow, Tuning, TuningOutcome

SHOWN = 15
SEARCH_HELP = (
    "What varies: field=a,b,c; field=low..high with :log or :step=N; field=x|y where values hold commas. Once a "
    "field. Or a shipped search (notebook-grid) or a YAML file."
)


def _tune(
    data: Annotated[Path, typer.Option("--data", help="Manifest made by `madeby data import`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the study and its trials' runs.")],
    search: Annotated[list[str], typer.Option("--search", metavar="FIELD=VALUES", help=SEARCH_HELP)],
    recipe: Annotated[str | None, typer.Option("--recipe", help="Name of a shipped recipe, or a YAML file.")] = None,
    sampler: Annotated[
        Literal["grid", "tpe", "random"] | None,
        typer.Option(help="grid tries every combination; tpe learns where to look. Default: grid for lists, else tpe."),
    ] = None,
    pruner: Annotated[
        Literal["none", "median", "hyperband"] | None,
        typer.Option(help="Ends hopeless trials early. Default: none for a grid, else median."),
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials in all; a grid has its own number.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Database that several machines reach, e.g. postgresql://...; else SQLite."),
    ] = None,
    study: Annotated[str | None, typer.Option(metavar="NAME", help="The study's name in the storage.")] = None,
    sampler_seed: Annotated[int, typer.Option(min=0, help="Seed of the sampler's chance.")] = 0,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Keep decoded pictures in this folder between studies.")
    ] = None,
    **fields: str | None,
) -> None:
    """Search for the best recipe on the validation split. The test split is never read.

    The same command again goes on with an interrupted study, and a second one at the same time shares its work.
    """
    import madeby

    with StudyProgress() as progress:
        outcome = madeby.tune(
            data,
            output,
            search,
            recipe=recipe,
            overrides={name: value for name, value in fields.items() if value is not None},
            sampler=sampler,
            pruner=pruner,
            trials=trials,
            storage=storage,
            study=study,
            seed=sampler_seed,
            cache=cache,
            progress=progress,
        )
    _print(outcome)


tune = with_recipe_flags(_tune)


class StudyProgress(TerminalProgress):
    """Draws the trainings of a study, each under a line that says what it tries."""

    def trial_begins(self, number: int, count: int, parameters: Mapping[str, object], resumed: bool) -> None:
        """Print what is tried."""
        self._stop()
        again = ", from its last checkpoint" if resumed else ""
        self._out().print(f"\ntrial {number} of 0..{count - 1}{again}: {_worded(parameters)}", highlight=False)
        self._headed = False

    def trial_ends(self, row: TrialRow) -> None:
        """Print how it ended, where its lines do not say so."""
        self._stop()
        if row.problem:
            self._out().print(f"failed: {plain(row.problem)}", highlight=False)
        elif row.state == "pruned":
            self._out().print("ended early: no better than the others so far", highlight=False)


def _print(outcome: TuningOutcome) -> None:
    from rich.console import Console

    tuning, console = outcome.tuning, Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    counts = ", ".join(
        f"{tuning.count(state)} {state}"
        for state in ("complete", "pruned", "failed", "running", "waiting")
        if tuning.count(state)
    )
    pruner = "no pruner" if tuning.plan.pruner == "none" else f"{tuning.plan.pruner} pruner"
    console.print(f"\nstudy {plain(tuning.study)}: {counts}; {tuning.plan.sampler} sampler, {pruner}\n")
    console.print(_table(tuning))
    best = tuning.best
    if best is None:
        console.print("\nno trial was seen through, so there is no best configuration")
    else:
        console.print(
            f"\nbest: trial {best.number}, {tuning.plan.monitor} {best.value:.4f}: {plain(_worded(best.parameters))}\n"
            "Chosen on the validation pictures, as the best of many: expect a little less elsewhere. The test split "
            "was not read; measure this run on it once.",
            soft_wrap=True,
        )
        typer.echo(f"recipe: {outcome.folder / 'best.yaml'}\nrun:    {best.folder}")
    typer.echo(f"wrote {', '.join(path.name for path in outcome.files)} to {outcome.folder}")


def _table(tuning: Tuning) -> Table:
    """The trials, the best first."""
    from rich.table import Table

    names = list(tuning.plan.space.dimensions)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("trial", "state", *names, tuning.plan.monitor, "accuracy", "AUROC", "best epoch", "seconds"):
        table.add_column(heading, justify="left" if heading in {"state", *names} else "right")
    sign = 1 if tuning.plan.mode == "min" else -1
    rows = sorted(
        tuning.trials,
        key=lambda row: (row.state != "complete", row.value is None, sign * (row.value or 0.0), row.number),
    )
    for row in rows[:SHOWN]:
        table.add_row(
            str(row.number),
            row.state,
            *(plain(_short(row.parameters.get(name))) for name in names),
            *(_figure(value) for value in (row.value, row.val_accuracy, row.val_auroc)),
            f"{row.best_epoch} of {row.epochs}" if row.epochs else "–",
            f"{row.seconds:.0f}" if row.seconds is not None else "–",
        )
    if len(rows) > SHOWN:
        table.caption = f"and {len(rows) - SHOWN} more in trials.csv"
    return table


def _worded(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in parameters.items())


def _short(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
