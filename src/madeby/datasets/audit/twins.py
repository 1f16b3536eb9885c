"""Which pictures are the same: identical files, identical pixels, look-alikes, and where each one's twins stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.near_duplicates import linked, near_pairs
from madeby.datasets.audit.survey import Survey
from madeby.datasets.manifest import SPLITS

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Twins:
    """Which pictures of a survey are the same.

    ``files`` is (n,) int64: pictures with the same number are identical files. ``pixels`` is (n,) int64: pictures
    with the same number decode to the same pixels. ``near`` is (k, 2) int64:
    pairs of such numbers whose pictures look alike. ``near_clusters`` is (n,) int64: pictures with the same
    number are linked by look-alikes or identity. ``complete`` is False where the search for look-alikes had to
    stop, so that counts are lower bounds. ``cell`` is (n,) int64: 2 * split + label, the split an index into
    :data:`SPLITS` or 3 for none.
    """

    files: Indices
    pixels: Indices
    near: Indices
    near_clusters: Indices
    cell: Indices
    complete: bool = True

    @cached_property
    def counts(self) -> Indices:
        """(clusters, 8): pictures of each cell in each cluster of identical pictures."""
        table = np.zeros((int(self.pixels.max(initial=-1)) + 1, 8), np.int64)
        np.add.at(table, (self.pixels, self.cell), 1)
        return table

    @cached_property
    def exact_cells(self) -> npt.NDArray[np.bool_]:
        """(n, 8): in which cells a picture has an identical one, itself not counted."""
        others = self.counts[self.pixels]
        others[np.arange(len(others)), self.cell] -= 1
        return others > 0

    @cached_property
    def near_cells(self) -> npt.NDArray[np.bool_]:
        """(n, 8): in which cells a picture has a look-alike that is not identical."""
        present = self.counts > 0
        found = np.zeros_like(present)
        for one, other in ((0, 1), (1, 0)):
            np.logical_or.at(found, self.near[:, one], present[self.near[:, other]])
        return found[self.pixels]


def numbered(keys: Sequence[str]) -> Indices:
    """(n,) int64: the same number for the same key, from 0."""
    return np.unique(np.asarray(keys), return_inverse=True)[1].astype(np.int64)


def cells(seen: Survey) -> Indices:
    """(n,) int64: each picture's split and label in one number (see :class:`Twins`)."""
    place = {split: at for at, split in enumerate(SPLITS)}
    splits = np.asarray([place.get(split, len(SPLITS)) for split in seen.readable["split"]], np.int64)
    return 2 * splits + seen.labels


def find_twins(seen: Survey) -> Twins:
    """Find identical pictures, then look-alikes among one picture of each kind."""
    pixels = numbered(seen.pixels_hash)
    first = np.unique(pixels, return_index=True)[1]
    near, complete = near_pairs(seen.hashes[first], seen.thumbnails[first])
    return Twins(
        files=numbered(seen.sha256),
        pixels=pixels,
        near=near,
        near_clusters=linked(near, len(first))[pixels],
        cell=cells(seen),
        complete=complete,
    )
