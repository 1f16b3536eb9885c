"""The verb ``benchmark``: from detectors and manifests to one table, as data, CSV and plots."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from madeby.datasets.atomic import written_atomically
from madeby.errors import DataError
from madeby.evaluation.benchmarking import baselines
from madeby.evaluation.benchmarking.drawing import draw_all
from madeby.evaluation.benchmarking.ladder import ladder
from madeby.evaluation.benchmarking.pictures import DataSet, open_all, wanted_of
from madeby.evaluation.benchmarking.record import (
    BENCHMARK_FILE,
    FIGURES,
    TABLE_FILE,
    UNCHANGED,
    Benchmark,
    DetectorInfo,
    Row,
)
from madeby.evaluation.benchmarking.scorers.scorer import Entrant
from madeby.evaluation.benchmarking.scores import holds_scores
from madeby.evaluation.benchmarking.scoring import Asked, ask_all
from madeby.evaluation.benchmarking.table import rows_of
from madeby.version import __version__

Progress = Callable[[str, int, int], None]
"""Called with (what is done, done, of how many)."""

FEW = 20
"""Pictures of a label below which a set's figures say little."""

MOST_UNREAD = 20
DESCRIBING = ("data", "scope", "value", "detector", "degradation", "n_human", "n_ai", "unread", "beside")


def run_benchmark(
    entrants: Sequence[Entrant],
    data: Sequence[str | Path],
    output: Path,
    *,
    split: str = "test",
    degrade: Sequence[str] = (),
    limit: int | None = None,
    with_baselines: bool = True,
    bootstrap: int = 300,
    seed: int = 0,
    resume: bool = False,
    threads: int | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> Benchmark:
    """Ask detectors, measure, and write ``benchmark.json``, ``benchmark.csv`` and plots; see :func:`madeby.benchmark`.

    Raises:
        RecipeError: a degradation is not known.
        DataError: a manifest cannot be used, two detectors have one name, the folder holds another benchmark's
            scores and ``resume`` is not set, or no detector answered about any picture.
    """
    chains = ladder(degrade)
    _check_names(entrants, with_baselines)
    sets = open_all(data, split, limit, seed)
    _prepare(output, resume)
    wanted = wanted_of(sets)
    asked = ask_all(
        entrants, chains, wanted, output, seed=seed, threads=threads, progress=_part(progress, "asking detectors")
    )
    if not asked.scores:
        reasons = "; ".join(f"{one.detector}: {one.reason}" for one in asked.failures)
        raise DataError(f"no detector answered about any of the {len(wanted)} pictures: {reasons}")
    notes = [*_notes(sets), *_learnt(sets, asked.detectors)]
    degradations = [chain.text for chain in chains]
    rows: list[Row] = []
    for one in sets:
        scores = dict(asked.scores)
        if with_baselines:
            found, gaps = baselines.baseline_scores(
                one, seed=seed, threads=threads, progress=_part(progress, "fitting baselines")
            )
            scores |= {(name, UNCHANGED): given for name, given in found.items()}
            notes += gaps
        detectors = [*asked.detectors, *(baselines.baseline_infos() if with_baselines else ())]
        rows += rows_of(
            one, detectors, degradations, scores, bootstrap=bootstrap, seed=seed, progress=_part(progress, "measuring")
        )
    present = {row.detector for row in rows}
    benchmark = Benchmark(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        madeby_version=__version__,
        command=command,
        seed=seed,
        bootstrap=bootstrap,
        data=tuple(one.info for one in sets),
        detectors=tuple(_taking_part(asked, present, with_baselines)),
        degradations=tuple(degradations),
        rows=tuple(rows),
        failures=tuple(asked.failures),
        notes=tuple(notes),
        unread_examples=tuple(_unread(asked, {one.key: one.path for one in wanted})),
    )
    with written_atomically(output / BENCHMARK_FILE) as path:
        path.write_text(benchmark.model_dump_json(indent=1) + "\n", encoding="utf-8")
    with written_atomically(output / TABLE_FILE) as path:
        path.write_text(table_text(benchmark.rows), encoding="utf-8")
    draw_all(benchmark, output)
    return benchmark


def table_text(rows: Sequence[Row]) -> str:
    """The table as CSV: each figure with its interval's ends beside it; pictures as they are have no degradation."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*DESCRIBING, *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high"))])
    for row in rows:
        cells = [getattr(row, name) for name in DESCRIBING]
        for name in FIGURES:
            figure = getattr(row, name)
            values = (None, None, None) if figure is None else (figure.value, figure.low, figure.high)
            cells += ["" if value is None else f"{value:.6f}" for value in values]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue()


def _check_names(entrants: Sequence[Entrant], with_baselines: bool) -> None:
    if not entrants:
        raise DataError("there is nothing to measure: name a detector")
    taken = set(baselines.BASELINES) if with_baselines else set()
    counts = Counter(one.name for one in entrants)
    for name, count in counts.items():
        if count > 1 or name in taken:
            raise DataError(f"two detectors are called {name!r}: give one another name, as in other={name}")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._ @-]*", name):
            raise DataError(f"{name!r} cannot name a detector: use letters, digits, '.', '_' and '-'")


def _prepare(output: Path, resume: bool) -> None:
    if not resume and holds_scores(output):
        raise DataError(f"{output} holds an earlier benchmark's scores: go on with --resume, or choose another folder")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{output} cannot be made a folder for the results: {error.strerror or error}") from None


def _part(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)


def _taking_part(asked: Asked, present: set[str], with_baselines: bool) -> list[DetectorInfo]:
    infos = [*asked.detectors, *(baselines.baseline_infos() if with_baselines else ())]
    return [info for info in infos if info.name in present]


def _notes(sets: Sequence[DataSet]) -> list[str]:
    notes = []
    for one in sets:
        info, name = one.info, one.info.name
        for label, count in (("human", info.human), ("ai", info.ai)):
            if not count:
                notes.append(f"{name}: no {label} pictures, so that nothing can be said about telling the two apart")
            elif count < FEW:
                notes.append(f"{name}: {count} {label} pictures; figures of so few say little")
        if one.rows["collection"].null_count() == one.rows.height:
            notes.append(f"{name}: the manifest names no collections, so that there are figures of all pictures only")
        if info.ai and one.rows["generator"].null_count() == one.rows.height:
            notes.append(f"{name}: the manifest names no generators")
    return notes


def _learnt(sets: Sequence[DataSet], detectors: Sequence[DetectorInfo]) -> list[str]:
    """Which detectors know which pictures already: what they reach there is no measurement."""
    return [
        f"{one.info.name}: {detector.name} has learnt from these very pictures ({' and '.join(known)})"
        for one in sets
        for detector in detectors
        if detector.learnt_from == one.info.manifest_sha256
        and (known := sorted(set(detector.learnt_splits) & set(one.rows["split"].to_list())))
    ]


def _unread(asked: Asked, paths: dict[str, str]) -> list[tuple[str, str, str]]:
    """The first few pictures without a score, each once a detector, by file name."""
    seen = {(cell[0], key): reason for cell, reasons in asked.unread.items() for key, reason in reasons.items()}
    examples = [(detector, Path(paths[key]).name, reason) for (detector, key), reason in seen.items()]
    return examples[:MOST_UNREAD]
