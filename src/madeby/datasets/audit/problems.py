"""Pictures that teach nothing: unreadable, missing, tiny, blank or of one single colour."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np

from madeby.datasets.audit.findings import Finding, Named, Problems, Severity
from madeby.datasets.audit.survey import Survey
from madeby.errors import ErrorCode

TINY = 32
"""Pixels that the shorter side should have: below, hardly a trace of a picture's making fits in."""

BLANK = 2.0
"""Standard deviation of the luminance (0..127.5) below which there is nothing to see."""

LISTED = 5


def find_problems(seen: Survey) -> Problems:
    """Count and name the pictures of each kind."""
    missing = sum(reason.startswith(ErrorCode.NOT_FOUND) for reason in seen.problems.values())
    tiny = seen.sizes.min(axis=1) < TINY
    blank = (seen.contrast < BLANK) & ~seen.constant
    known = seen.readable["sha256"].to_list()
    changed = np.asarray([old is not None and old != new for old, new in zip(known, seen.sha256, strict=True)])
    unreadable = ((row, reason) for row, reason in sorted(seen.problems.items()))
    examples = [
        *_named(seen, unreadable),
        *_named(seen, ((seen.seen[at], f"{seen.sizes[at][0]}x{seen.sizes[at][1]} px") for at in np.flatnonzero(tiny))),
        *_named(seen, ((seen.seen[at], "one single colour") for at in np.flatnonzero(seen.constant))),
        *_named(seen, ((seen.seen[at], "blank") for at in np.flatnonzero(blank))),
        *_named(seen, ((seen.seen[at], "changed since the import") for at in np.flatnonzero(changed))),
    ]
    return Problems(
        unreadable=len(seen.problems),
        missing=missing,
        tiny=int(tiny.sum()),
        constant=int(seen.constant.sum()),
        blank=int(blank.sum()),
        changed=int(changed.sum()),
        examples=tuple(examples),
    )


def problem_findings(problems: Problems, pictures: int) -> list[Finding]:
    """The verdict lines.

    Args:
        problems: what was found.
        pictures: rows of the manifest.
    """
    found = [
        _finding("unreadable", problems.unreadable, pictures, _unreadable_words(problems), "`madeby data clean`"),
        _finding("tiny", problems.tiny, pictures, f"have a side below {TINY} px", ""),
        _finding("constant", problems.constant, pictures, "show one single colour", ""),
        _finding("blank", problems.blank, pictures, "are blank: next to no contrast", ""),
        _finding(
            "changed",
            problems.changed,
            pictures,
            "are not the files that were imported: their bytes have changed",
            "import the data set again",
        ),
    ]
    present = [finding for finding in found if finding is not None]
    fine = Finding(check="problems", severity=Severity.FINE, line="every picture can be read and shows something")
    return present or [fine]


def _unreadable_words(problems: Problems) -> str:
    gone = f" ({problems.missing:,} of them are no longer where the manifest says)" if problems.missing else ""
    return f"cannot be read{gone}"


def _finding(check: str, count: int, total: int, words: str, remedy: str) -> Finding | None:
    if not count:
        return None
    severity = Severity.WARNING if count > 0.01 * total else Severity.NOTE
    return Finding(check=check, severity=severity, line=f"{count:,} of {total:,} pictures {words}", remedy=remedy)


def _named(seen: Survey, found: Iterable[tuple[int, str]]) -> list[Named]:
    return [Named(path=seen.table["path"][int(row)], what=what) for row, what in islice(found, LISTED)]
