"""Repeats as such: how many pictures occur more than once, and where."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np

from madeby.datasets.audit.findings import Copies, Copy, Finding, Severity
from madeby.datasets.audit.survey import Survey
from madeby.datasets.audit.twins import Indices, Twins
from madeby.datasets.manifest import SPLITS
from madeby.schema import Label

SHOWN_CLUSTERS, SHOWN_COPIES = 10, 6


def find_copies(seen: Survey, twins: Twins) -> tuple[Copies, Copies, Copies]:
    """Count identical files, identical pictures and look-alikes."""
    # A chain of look-alikes counts where it holds more than one picture, however often each is repeated.
    distinct = np.unique(np.stack([twins.near_clusters, twins.pixels], axis=1), axis=0)[:, 0]
    variants = np.bincount(distinct)
    near = np.where(variants[twins.near_clusters] > 1, twins.near_clusters, -1)
    surplus = int((variants[variants > 1] - 1).sum())
    return (
        copies(seen, twins, "bytes", twins.files),
        copies(seen, twins, "pixels", twins.pixels),
        copies(seen, twins, "near", near, surplus),
    )


def copies(
    seen: Survey, twins: Twins, kind: Literal["bytes", "pixels", "near"], ids: Indices, surplus: int | None = None
) -> Copies:
    """Count clusters of more than one picture.

    Args:
        seen: the survey.
        twins: of the survey.
        kind: in which sense the pictures are the same.
        ids: (n,) the cluster of each picture; -1 for pictures that shall not count.
        surplus: how many could go; by default all but one of each cluster.
    """
    members = _members(ids)
    cell = twins.cell
    splits = [len(set((cell[rows] // 2).tolist()) - {len(SPLITS)}) > 1 for rows in members]
    labels = [len(set((cell[rows] % 2).tolist())) > 1 for rows in members]
    pictures = sum(map(len, members))
    # Those that reach over labels or splits are the ones to look at first.
    order = sorted(range(len(members)), key=lambda at: (-labels[at], -splits[at], -len(members[at]), members[at][0]))
    return Copies(
        kind=kind,
        pictures=pictures,
        clusters=len(members),
        surplus=pictures - len(members) if surplus is None else surplus,
        largest=max(map(len, members), default=0),
        across_splits=sum(splits),
        across_labels=sum(labels),
        examples=tuple(_shown(seen, members[at], cell) for at in order[:SHOWN_CLUSTERS]),
    )


def copy_finding(found: Copies, pictures: int, complete: bool = True) -> Finding:
    """The verdict line about repeats as such; leaks and conflicts have lines of their own."""
    words = {
        "bytes": "identical files",
        "pixels": "identical pictures",
        "near": "look-alikes (near-duplicates)",
    }[found.kind]
    check = f"copies: {found.kind}"
    if not found.clusters:
        return Finding(check=check, severity=Severity.FINE, line=f"no {words}")
    at_least = "" if complete else "at least "
    clusters = f"{found.clusters:,} cluster{'s' * (found.clusters > 1)} of up to {found.largest:,}"
    line = f"{words}: {at_least}{found.pictures:,} pictures in {clusters}"
    serious = found.kind != "near" and found.surplus > 0.05 * pictures
    return Finding(
        check=check,
        severity=Severity.WARNING if serious else Severity.NOTE,
        line=line,
        remedy="`madeby data clean` keeps one of each" if found.kind != "near" else "",
    )


def _members(ids: Indices) -> list[Indices]:
    """The rows of each cluster of more than one picture, ascending."""
    order = np.argsort(ids, kind="stable")
    order = order[ids[order] >= 0]
    if not len(order):
        return []
    parts = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1)
    return [rows for rows in parts if len(rows) > 1]


def _shown(seen: Survey, rows: Indices, cell: Indices) -> tuple[Copy, ...]:
    """A few copies of a cluster, every split and label in it first."""
    met: Counter[int] = Counter()
    turn = []
    for value in cell[rows].tolist():
        turn.append(met[value])
        met[value] += 1
    shown = rows[np.argsort(turn, kind="stable")[:SHOWN_COPIES]]
    table = seen.readable[shown].select("path", "label", "split")
    return tuple(Copy(path=path, label=Label(label), split=split) for path, label, split in table.iter_rows())
