"""``madeby data audit``: all checks over one manifest."""

from __future__ import annotations

import time
from pathlib import Path

from madeby.datasets.atomic import written_atomically
from madeby.datasets.audit.balance import balance_findings, find_balance
from madeby.datasets.audit.conflicts import conflict_finding, find_conflicts
from madeby.datasets.audit.duplicates import copy_finding, find_copies
from madeby.datasets.audit.findings import Audit, Copies, Finding
from madeby.datasets.audit.problems import find_problems, problem_findings
from madeby.datasets.audit.shortcuts.run import shortcut_finding, shortcut_tests
from madeby.datasets.audit.splits import find_leaks, leak_findings
from madeby.datasets.audit.survey import Progress, Survey, survey
from madeby.datasets.audit.twins import Twins, find_twins
from madeby.datasets.manifest import read_manifest
from madeby.errors import DataError
from madeby.pictures.limits import Limits

SAMPLE = 20_000
"""Pictures, both classes together, that the shortcut tests learn from and are measured on."""

NEEDED = ("path", "label")


def data_audit(
    manifest: Path,
    *,
    json: Path | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Look for what a labelled data set gives away, and for what would make figures measured on it wrong.

    Every picture is read once. Nothing is changed. A table with no more than ``path`` and ``label`` will do;
    what the missing columns would have told is named in the audit's notes.

    Args:
        manifest: the manifest, Parquet or CSV.
        json: where to write the audit as JSON as well.
        sample: how many pictures the shortcut tests use at most.
        seed: of that draw and of the tests.
        threads: how many pictures are read at once, by default one a processor.
        limits: bytes and pixels above which a picture counts as unreadable.
        progress: called with (pictures read, pictures in all).

    Raises:
        DataError: the manifest cannot be read or none of its pictures can.
    """
    started = time.perf_counter()
    if sample < 2:
        raise DataError(f"the shortcut tests need a sample of 2 pictures at least, not {sample}")
    table = read_manifest(manifest, required=NEEDED)
    if table.is_empty():
        raise DataError(f"{manifest} lists no picture")
    seen = survey(table, sample=sample, seed=seed, threads=threads, limits=limits, progress=progress)
    audit = _audited(manifest, seen, seed, started)
    if json is not None:
        with written_atomically(json) as temporary:
            temporary.write_text(audit.to_json() + "\n", encoding="utf-8")
    return audit


def _audited(manifest: Path, seen: Survey, seed: int, started: float) -> Audit:
    rows, pictures = len(seen.table), len(seen.seen)
    twins = find_twins(seen)
    problems = find_problems(seen)
    by_bytes, by_pixels, near = find_copies(seen, twins)
    leaks = find_leaks(twins)
    conflicts = find_conflicts(seen, twins)
    balance = find_balance(seen.readable)
    shortcuts = shortcut_tests(seen, twins, seed)
    findings: list[Finding] = [
        *problem_findings(problems, rows),
        *leak_findings(leaks, set(seen.readable["split"].drop_nulls())),
        conflict_finding(conflicts, pictures),
        *map(shortcut_finding, shortcuts),
        *balance_findings(balance),
        copy_finding(by_pixels, pictures),
        copy_finding(near, pictures, twins.complete),
    ]
    findings.sort(key=lambda finding: -finding.severity.rank)
    return Audit(
        manifest=str(manifest),
        pictures=rows,
        human=int((seen.table["label"] == "human").sum()),
        ai=int((seen.table["label"] == "ai").sum()),
        problems=problems,
        copies=(by_bytes, by_pixels, near),
        leaks=leaks,
        conflicts=conflicts,
        balance=balance,
        shortcuts=shortcuts,
        findings=tuple(findings),
        notes=_notes(seen, twins, by_bytes),
        seconds=round(time.perf_counter() - started, 3),
    )


def _notes(seen: Survey, twins: Twins, by_bytes: Copies) -> tuple[str, ...]:
    """What the reader should know of the audit itself."""
    known = seen.readable
    notes = []
    if known["sha256"].null_count() == len(known):
        notes.append("the table holds no checksums, so changed files cannot be told: `madeby data import` adds them")
    if known["group"].null_count() == len(known):
        notes.append("no groups are named: only identical and alike pictures were held together in the shortcut tests")
    if len(seen.sample) < len(seen.seen):
        notes.append(f"the shortcut tests used {len(seen.sample):,} of {len(seen.seen):,} pictures, drawn by the seed")
    if not twins.complete:
        notes.append("there are so many look-alikes that the search stopped early: their counts are lower bounds")
    if by_bytes.clusters:
        notes.append(f"{by_bytes.pictures:,} pictures are byte-identical files, in {by_bytes.clusters:,} clusters")
    return tuple(notes)
