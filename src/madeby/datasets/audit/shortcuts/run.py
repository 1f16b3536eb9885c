"""The shortcut tests of an audit, and what their figures mean in words."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.findings import Finding, Severity, ShortcutTest
from madeby.datasets.audit.shortcuts import colour, content, file_facts
from madeby.datasets.audit.shortcuts.separation import separation
from madeby.datasets.audit.survey import Survey
from madeby.datasets.audit.twins import Twins

_MEANING = {
    "file facts": "file facts alone",
    "content": "what the pictures show alone",
    "colour": "colours alone",
}
_LEARNT_BY_HEART = 0.7
"""AUROC inside known groups from which a test that fails outside them is still worth a note."""

_REMEDY = {
    "file facts": "`madeby data align` gives both classes one size and encoding",
    "content": "choose pictures of the same subjects for both classes, and judge by a matched set",
    "colour": "judge by a set whose classes have the same colours, and change colours in training",
}


def shortcut_tests(seen: Survey, twins: Twins, seed: int) -> tuple[ShortcutTest, ...]:
    """Run the three tests on the survey's sample."""
    labels = seen.labels[seen.sample]
    alike = twins.near_clusters[seen.sample]
    groups = groups_of(seen, twins)[seen.sample]
    grouped = bool(seen.readable["group"].is_not_null().any())
    measure = partial(separation, labels=labels, alike=alike, groups=groups, grouped=grouped, seed=seed)
    return (
        measure("file facts", file_facts.SEES, file_facts.file_features(seen.facts)),
        measure("content", content.SEES, content.content_features(seen.thumbnails[seen.sample])),
        measure("colour", colour.SEES, colour.colour_features(seen.colours)),
    )


def shortcut_finding(test: ShortcutTest) -> Finding:
    """The verdict line."""
    check = f"shortcut: {test.name}"
    meaning = _MEANING[test.name]
    if test.auroc is None or test.low is None or test.high is None or test.chance_high is None:
        line = f"the test of {test.name} could not be run: {test.not_run}"
        return Finding(check=check, severity=Severity.NOTE, line=line)
    severity = _severity(test.auroc, above_chance=test.auroc > test.chance_high and test.low > 0.5)
    if severity is Severity.FINE:
        verb = "separates" if test.name == "content" else "separate"
        line = f"{meaning} hardly {verb} the classes: AUROC {test.auroc:.2f}{_inside(test)}"
        if (test.inside_groups or 0.5) >= _LEARNT_BY_HEART:
            return Finding(check=check, severity=Severity.NOTE, line=line, remedy=_REMEDY[test.name])
        return Finding(check=check, severity=severity, line=line)
    verb = "separates" if test.name == "content" else "separate"
    carriers = [carrier.fact for carrier in test.carriers if carrier.alone - 0.5 >= 0.5 * (test.auroc - 0.5)]
    carried = " and ".join(carriers[:2]) if carriers else "many facts together"
    line = (
        f"{meaning} {verb} the classes with AUROC {test.auroc:.2f} "
        f"({test.low:.2f} to {test.high:.2f}; chance 0.50): mostly {carried}{_inside(test)}"
    )
    return Finding(check=check, severity=severity, line=line, remedy=_REMEDY[test.name])


def _inside(test: ShortcutTest) -> str:
    """What the same facts reach inside groups that are known, where that is more."""
    if test.inside_groups is None or test.auroc is None or test.inside_groups < max(0.6, test.auroc + 0.05):
        return ""
    return f"; {test.inside_groups:.2f} on further pictures of groups it has seen"


def _severity(reached: float, *, above_chance: bool) -> Severity:
    if not above_chance or reached < 0.6:
        return Severity.FINE
    if reached < 0.7:
        return Severity.NOTE
    return Severity.WARNING if reached < 0.9 else Severity.SERIOUS


def groups_of(seen: Survey, twins: Twins) -> npt.NDArray[np.int64]:
    """(n,) int64: pictures that must not be divided: of one named group, or alike."""
    from madeby.datasets.audit.near_duplicates import linked

    names = seen.readable["group"].to_list()
    alike = twins.near_clusters
    count = len(names)
    of_name: dict[str, int] = {}
    # Pictures are nodes, and so are clusters of look-alikes and named groups; links make the units.
    links = [(at, count + int(cluster)) for at, cluster in enumerate(alike)]
    first = count + int(alike.max(initial=-1)) + 1
    for at, name in enumerate(names):
        if name is not None:
            links.append((at, first + of_name.setdefault(name, len(of_name))))
    return linked(np.asarray(links, np.int64), first + len(of_name))[:count]
