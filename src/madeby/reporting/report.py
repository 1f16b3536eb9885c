"""The verb ``report``: from run folders to a page, and slides where they are wanted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madeby.datasets.atomic import check_writable, written_atomically
from madeby.errors import DataError
from madeby.reporting.page import render_page
from madeby.reporting.reading import Given, read_runs

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Report:
    """The files written; ``gaps`` are sentences about what could not be told."""

    page: Path
    slides: Path | None
    gaps: tuple[str, ...]


def report(
    runs: Paths,
    output: str | Path = "report.html",
    *,
    slides: str | Path | None = None,
    audit: Paths = (),
    evaluation: Paths = (),
    tuning: Paths = (),
    analysis: Paths = (),
) -> Report:
    """Tell the story of one run, or of several side by side: data, training, results, mistakes, limits.

    The page is one HTML file that needs nothing else. Results that lie in a run's folder are found there. Every
    sentence is computed from the figures, and says so where they do not decide.

    Args:
        runs: folders of runs.
        output: the page.
        slides: a PowerPoint file to write as well.
        audit: files that ``data audit --json`` wrote.
        evaluation: folders that ``evaluate`` wrote, each about one of the runs' models.
        tuning: folders that ``tune`` wrote.
        analysis: folders that ``analyze`` wrote.

    Raises:
        DataError: a folder is no run, a named result is none or about another model, or the output cannot be written.
        MissingExtraError: the extra ``train`` is not installed.
    """
    folders, page = _paths(runs), Path(output)
    if not folders:
        raise DataError("there is nothing to report: name a run's folder")
    deck = Path(slides) if slides is not None else None
    for file in (page, deck):
        if file is not None:
            check_writable(file)
    given = Given(_paths(evaluation), _paths(audit), _paths(tuning), _paths(analysis))
    material = read_runs(folders, given)
    command = _command(folders, page, deck, given)
    with written_atomically(page) as temporary:
        temporary.write_text(render_page(material, command), encoding="utf-8")
    if deck is not None:
        from madeby.reporting.slides.deck import write_deck

        with written_atomically(deck) as temporary:
            write_deck(material, temporary)
    gaps = [f"{run.name}: {gap}" for run in material for gap in run.gaps]
    gaps += [f"{run.name}: not evaluated" for run in material if run.main is None]
    return Report(page, deck, tuple(gaps))


def _paths(given: Paths) -> tuple[Path, ...]:
    return (Path(given),) if isinstance(given, str | Path) else tuple(Path(one) for one in given)


def _command(folders: Sequence[Path], page: Path, deck: Path | None, given: Given) -> str:
    """The command that repeats the report, with names instead of this machine's paths."""
    flags = [("--slides", deck)] if deck else []
    flags += [("--evaluation", path) for path in given.evaluations]
    flags += [("--audit", path) for path in given.audits]
    flags += [("--tuning", path) for path in given.tunings]
    flags += [("--analysis", path) for path in given.analyses]
    words = [folder.resolve().name for folder in folders]
    words += ["-o", page.name]
    for flag, path in flags:
        words += [flag, path.resolve().name]
    return f"madeby report {shlex.join(words)}"
