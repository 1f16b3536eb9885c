"""``madeby data clean``: a manifest without what makes figures lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.audit import NEEDED
from madeby.datasets.audit.survey import Progress, Survey, survey
from madeby.datasets.audit.twins import Twins, find_twins
from madeby.datasets.manifest import ManifestCounts, manifest_counts, read_manifest, write_manifest
from madeby.errors import DataError
from madeby.pictures.limits import Limits


@dataclass(frozen=True)
class Dropped:
    """A row that the clean manifest lacks, why, and which picture is there in its place, if any."""

    path: str
    reason: str
    kept: str | None = None


@dataclass(frozen=True)
class CleanSummary:
    """What cleaning did: the counts before and after, and every row that was dropped, in the manifest's order."""

    manifest: Path
    before: ManifestCounts
    after: ManifestCounts
    dropped: tuple[Dropped, ...]

    @property
    def by_reason(self) -> dict[str, int]:
        """How many rows were dropped for each reason, most first."""
        counts: dict[str, int] = {}
        for row in self.dropped:
            kind = row.reason.partition(":")[0]
            counts[kind] = counts.get(kind, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def data_clean(
    manifest: Path,
    output: Path,
    *,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> CleanSummary:
    """Write a copy of a manifest without leaks, repeats, conflicts and unreadable pictures; no picture is touched.

    The rules, in this order:

    1. Rows whose picture cannot be read are dropped.
    2. Identical pictures (the same pixels) that carry both labels are dropped, all of them.
    3. Of other identical pictures one is kept: from ``test`` if one is there, else from ``val``, else from
       ``train``; within a split the first row.
    4. A picture that looks like one of another split is dropped, out of ``train`` before ``val``; ``test`` stays.
       Look-alikes within a split are kept: they are different pictures.

    Args:
        manifest: the manifest to read.
        output: the manifest to write, another file.
        threads: how many pictures are read at once, by default one a processor.
        limits: bytes and pixels above which a picture counts as unreadable.
        progress: called with (pictures read, pictures in all).

    Raises:
        DataError: the manifest cannot be read, none of its pictures can, or ``output`` is the same file.
    """
    if output.resolve() == manifest.resolve():
        raise DataError(f"{output} would be overwritten by its clean copy: choose another name for it")
    table = read_manifest(manifest, required=NEEDED)
    if table.is_empty():
        raise DataError(f"{manifest} lists no picture")
    seen = survey(table, sample=0, seed=0, threads=threads, limits=limits, progress=progress)
    dropped = _dropped(seen, find_twins(seen))
    keep = [row for row in range(len(table)) if row not in dropped]
    if not keep:
        raise DataError(f"nothing of {manifest} would be left: every picture is unreadable or carries both labels")
    clean = table[keep]
    write_manifest(clean, output)
    return CleanSummary(
        manifest=output,
        before=manifest_counts(table),
        after=manifest_counts(clean),
        dropped=tuple(dropped[row] for row in sorted(dropped)),
    )


def _dropped(seen: Survey, twins: Twins) -> dict[int, Dropped]:
    """The rows of the manifest to drop."""
    paths = seen.table["path"].to_list()
    dropped = {row: Dropped(paths[row], f"unreadable: {reason}") for row, reason in seen.problems.items()}
    conflicting = (twins.counts.reshape(-1, 4, 2).sum(axis=1) > 0).all(axis=1)
    split = twins.cell // 2
    # One of each cluster: train, val, test and none are 0 to 3, and test comes first, then val, train, none.
    place = np.asarray((2, 1, 0, 3))[split]
    order = np.lexsort((np.arange(len(place)), place, twins.pixels))
    first = order[np.unique(twins.pixels[order], return_index=True)[1]]
    for at, cluster in enumerate(twins.pixels):
        row = int(seen.seen[at])
        if conflicting[cluster]:
            dropped[row] = Dropped(paths[row], "both labels: the same picture is labelled human and ai")
        elif first[cluster] != at:
            kept = paths[seen.seen[first[cluster]]]
            dropped[row] = Dropped(paths[row], "repeated: the same picture is kept elsewhere", kept)
    for at, twin in _straddling(twins, first, split, conflicting).items():
        row = int(seen.seen[at])
        dropped[row] = Dropped(paths[row], "look-alike: of a picture in another split", paths[seen.seen[twin]])
    return dropped


def _straddling(
    twins: Twins, first: npt.NDArray[np.int64], split: npt.NDArray[np.int64], conflicting: npt.NDArray[np.bool_]
) -> dict[int, int]:
    """Pictures to drop for a look-alike in another split, each with that look-alike; both as rows of the survey."""
    found: dict[int, int] = {}
    pairs = [(int(a), int(b)) for a, b in twins.near if not (conflicting[a] or conflicting[b])]
    rows = sorted((sorted((int(first[a]), int(first[b])), key=lambda at: int(split[at])) for a, b in pairs))
    # What leans on test goes first, so that a val picture that is going anyway takes no train picture with it.
    for later in (2, 1):
        for earlier_row, later_row in rows:
            gone = earlier_row in found or later_row in found
            if split[later_row] == later and split[earlier_row] < later and not gone:
                found[earlier_row] = later_row
    return found
