"""Pictures that straddle splits: what a model is tested on although it has seen it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.findings import Finding, Leak, Severity
from madeby.datasets.audit.twins import Twins
from madeby.datasets.manifest import SPLITS

STRADDLES = (("test", "train"), ("val", "train"), ("test", "val"))
"""Splits that are measured on, and those that a model knows by then."""


def find_leaks(twins: Twins) -> tuple[Leak, ...]:
    """Count the pictures of each split that have a twin in a split that a model learns from."""
    place = {split: at for at, split in enumerate(SPLITS)}
    leaks = []
    for split, seen_in in STRADDLES:
        here, there = place[split], place[seen_in]
        total = int((twins.cell // 2 == here).sum())
        pairs_exact, pairs_near = _pairs(twins, here, there)
        for kind, found, pairs in (("pixels", twins.exact_cells, pairs_exact), ("near", twins.near_cells, pairs_near)):
            leak = _leak(kind, twins, found, split, seen_in, total, pairs)
            if leak is not None:
                leaks.append(leak)
    return tuple(leaks)


def leak_findings(leaks: tuple[Leak, ...], splits: set[str]) -> list[Finding]:
    """The verdict lines.

    Args:
        leaks: what was found.
        splits: the splits that have pictures.
    """
    if len(splits) < 2:
        line = "one split only, so nothing can straddle" if splits else "no picture has a split: leaks cannot be told"
        return [Finding(check="leaks", severity=Severity.NOTE, line=line, remedy="`madeby data split` cuts splits")]
    if not leaks:
        return [Finding(check="leaks", severity=Severity.FINE, line="no picture or look-alike stands in two splits")]
    return [_finding(leak) for leak in leaks]


def _finding(leak: Leak) -> Finding:
    exact = leak.kind == "pixels"
    if exact:
        severity = Severity.SERIOUS if leak.share >= 0.01 else Severity.WARNING
    else:
        severity = Severity.WARNING if leak.share >= 0.01 else Severity.NOTE
    effect = (
        f"memory alone gets up to {leak.same_label / leak.total:.2%} of {leak.split} right" if leak.same_label else ""
    )
    if leak.other_label:
        effect += f"{' and' if effect else ''} {leak.other_label:,} have a twin of the other class".removeprefix(
            "" if effect else " "
        )
    return Finding(
        check=f"leak: {leak.kind}",
        severity=severity,
        line=f"{leak.pictures:,} of {leak.total:,} {leak.split} pictures ({leak.share:.2%}) "
        f"{'also stand' if exact else 'have a look-alike'} in {leak.seen_in}: {effect}",
        remedy="`madeby data clean` writes a manifest without leaks",
    )


def _leak(
    kind: str, twins: Twins, found: npt.NDArray[np.bool_], split: str, seen_in: str, total: int, pairs: int
) -> Leak | None:
    here, there = SPLITS.index(split), SPLITS.index(seen_in)
    inside = twins.cell // 2 == here
    label = twins.cell[inside] % 2
    human, ai = found[inside, 2 * there], found[inside, 2 * there + 1]
    pictures = int((human | ai).sum())
    if not pictures:
        return None
    return Leak(
        kind="pixels" if kind == "pixels" else "near",
        split=split,
        seen_in=seen_in,
        pictures=pictures,
        total=total,
        share=pictures / total,
        same_label=int(np.where(label == 1, ai, human).sum()),
        other_label=int(np.where(label == 1, human, ai).sum()),
        pairs=pairs,
    )


def _pairs(twins: Twins, here: int, there: int) -> tuple[int, int]:
    """Straddling pairs of identical pictures and of look-alikes."""
    by_split = twins.counts.reshape(-1, 4, 2).sum(axis=2)
    exact = int((by_split[:, here] * by_split[:, there]).sum())
    one, other = by_split[twins.near[:, 0]], by_split[twins.near[:, 1]]
    near = int((one[:, here] * other[:, there] + one[:, there] * other[:, here]).sum())
    return exact, near
