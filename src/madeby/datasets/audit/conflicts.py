"""Identical pictures that carry both labels: at least one of them is wrong."""

from __future__ import annotations

import numpy as np

from madeby.datasets.audit.duplicates import copies
from madeby.datasets.audit.findings import Conflicts, Finding, Severity
from madeby.datasets.audit.survey import Survey
from madeby.datasets.audit.twins import Twins


def find_conflicts(seen: Survey, twins: Twins) -> Conflicts:
    """Count and name the clusters of identical pictures with both labels."""
    by_label = twins.counts.reshape(-1, 4, 2).sum(axis=1)
    conflicting = (by_label > 0).all(axis=1)
    found = copies(seen, twins, "pixels", np.where(conflicting[twins.pixels], twins.pixels, -1))
    return Conflicts(pictures=found.pictures, clusters=found.clusters, examples=found.examples)


def conflict_finding(conflicts: Conflicts, pictures: int) -> Finding:
    """The verdict line."""
    if not conflicts.clusters:
        line = "no picture carries both labels"
        return Finding(check="label conflicts", severity=Severity.FINE, line=line)
    return Finding(
        check="label conflicts",
        severity=Severity.SERIOUS if conflicts.pictures >= 0.01 * pictures else Severity.WARNING,
        line=f"pictures that occur under both labels: {conflicts.clusters:,} ({conflicts.pictures:,} rows); "
        "at least half of those rows are labelled wrongly or mean nothing",
        remedy="`madeby data clean` drops them all; look at them first",
    )
