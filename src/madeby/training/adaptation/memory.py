"""What a bundle remembers of the pictures it learnt from, so that adapting it forgets little of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from madeby.detector.bundle import MEMORY_FILE, Bundle, sha256_of
from madeby.errors import BundleError
from madeby.training.adaptation.head import Floats

LEAST_SHARE = 1e-3
"""Of the mean variance: the least that a direction counts for, even where the pictures never differed."""


Labels = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Remembered:
    """Some of the pictures that the head learnt from, as it saw them; those of label 0 are photographs.

    ``coordinates`` (m, k) along the memory's directions, from its mean; ``logits`` (m,), the answers of heads that had
    not seen the picture, nor others of its collection unless the bundle's card says so; ``labels`` (m,), 0 human,
    1 ai; ``collections`` (m,), a number for each.
    """

    coordinates: Floats
    logits: Floats
    labels: Labels
    collections: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Memory:
    """Mean and spread of what the head saw, over the pictures that it learnt from, and some of these.

    The covariance is taken for ``k`` main directions with their standard deviations, and one ``rest`` of a standard
    deviation in all others. A change of the head measured in these units (:meth:`standard`, :meth:`change_of`) is as
    long as the standard deviation of what it does to the logits of those pictures. To hold it short is to keep
    what the head said (the quadratic penalty of elastic weight consolidation, Kirkpatrick et al. 2017, which for a
    linear head is exact in the logit).

    Where pictures are kept, a change has no part beside the directions: what it does to them can then be told to the
    last digit of their coordinates, so that a promise made for them by these is one for the pictures themselves.

    ``mean`` (d,), ``directions`` (k, d) orthonormal, ``deviations`` (k,), ``rest`` (d,): the last by feature where
    there are no directions, else the same for all. ``pictures`` is None where none are kept: bundles made before
    there were any, and memories of a user's own pictures.
    """

    mean: Floats
    directions: Floats
    deviations: Floats
    rest: Floats
    pictures: Remembered | None = None

    @classmethod
    def of(cls, features: Floats, weights: Floats, most: int) -> Memory:
        """Remember pictures.

        Args:
            features: (n, d) what the head saw of each.
            weights: (n,) what each counts.
            most: directions kept at most.

        Raises:
            ValueError: they are all alike, so that there is nothing to measure by.
        """
        shares = weights / weights.sum()
        mean = shares @ features
        _, values, vectors = np.linalg.svd((features - mean) * np.sqrt(shares)[:, None], full_matrices=False)
        kept = min(most, len(values))
        total, width = float((values**2).sum()), features.shape[1]
        if not total > 0:
            raise ValueError("the features never differ")
        beyond = float((values[kept:] ** 2).sum()) / max(1, width - kept)
        rest = np.sqrt(beyond + LEAST_SHARE * total / width)
        return cls(mean, vectors[:kept], np.hypot(values[:kept], rest), np.full(width, rest))

    @classmethod
    def of_users(cls, features: Floats) -> Memory:
        """Where a bundle remembers nothing: the spread of each feature over the user's own pictures (n, d)."""
        spread = features.std(0)
        spread[spread < 1e-9] = np.inf  # a feature that never changes says nothing
        width = features.shape[1]
        return cls(features.mean(0), np.zeros((0, width)), np.zeros(0), spread)

    def with_pictures(
        self, features: Floats, logits: Floats, labels: Labels, collections: npt.NDArray[np.int64]
    ) -> Memory:
        """The same, with pictures (m, d); see :class:`Remembered`. What lies beside the directions is forgotten.

        Raises:
            ValueError: there are no directions to tell them apart by.
        """
        if not len(self.directions):
            raise ValueError("a memory without directions cannot keep pictures")
        return replace(
            self, pictures=Remembered((features - self.mean) @ self.directions.T, logits, labels, collections)
        )

    def features(self) -> Floats:
        """What the head saw of the pictures kept, (m, d); what it saw beside the directions is the mean's."""
        coordinates = np.zeros((0, len(self.directions))) if self.pictures is None else self.pictures.coordinates
        return np.asarray(self.mean + coordinates @ self.directions)

    def standard(self, features: Floats) -> Floats:
        """Features (n, d) as seen from the remembered mean, in units of the remembered spread: (n, d) or, where
        pictures are kept, (n, k) along the directions."""
        apart = features - self.mean
        along = apart @ self.directions.T
        if self.pictures is not None:
            return np.asarray(along / self.deviations)
        return np.asarray(apart / self.rest + (along * self._more_than_rest) @ self.directions)

    def change_of(self, values: Floats) -> Floats:
        """The change (d,) of the head's weights that a change in those units, (d,) or (k,), is."""
        if self.pictures is not None:
            return np.asarray((values / self.deviations) @ self.directions)
        return np.asarray(values / self.rest + (self.directions @ values * self._more_than_rest) @ self.directions)

    @property
    def _more_than_rest(self) -> Floats:
        """(k,) by how much more than in the rest a change along each direction counts."""
        return np.asarray(1 / self.deviations - 1 / self.rest[: len(self.deviations)])

    def write(self, folder: Path) -> str:
        """Put it into a bundle's folder; the SHA-256 that ``bundle.json`` then tells of it.

        One ``rest`` is kept for all features, as :meth:`of` makes it.

        Raises:
            ValueError: its numbers are beyond what the file can hold.
        """
        with np.errstate(over="ignore"):  # what does not fit is told below
            tensors = self._tensors()
        if not all(np.isfinite(values).all() for values in tensors.values()):
            raise ValueError("features or answers are no numbers, or beyond the range of float16 (65,504)")
        (folder / MEMORY_FILE).write_bytes(save(tensors))
        return sha256_of(folder / MEMORY_FILE)

    def _tensors(self) -> dict[str, npt.NDArray[Any]]:
        tensors: dict[str, npt.NDArray[Any]] = {
            "mean": self.mean.astype(np.float32),
            "directions": np.ascontiguousarray(self.directions, np.float16),
            "deviations": self.deviations.astype(np.float32),
            "rest": self.rest[:1].astype(np.float32),
        }
        if self.pictures is not None:
            if not np.isin(self.pictures.collections, np.arange(2**16)).all():
                raise ValueError("collections are numbered from 0 to 65,535")
            tensors |= {
                "pictures.coordinates": np.ascontiguousarray(self.pictures.coordinates, np.float16),
                "pictures.logits": self.pictures.logits.astype(np.float32),
                "pictures.labels": self.pictures.labels.astype(np.uint8),
                "pictures.collections": self.pictures.collections.astype(np.uint16),
            }
        return tensors

    @classmethod
    def in_bundle(cls, bundle: Bundle, width: int) -> Memory | None:
        """What a bundle remembers; None if nothing.

        Args:
            bundle: the bundle.
            width: how many features its head sees.

        Raises:
            BundleError: its memory is missing, damaged, or that of another head.
        """
        path = bundle.verified_memory()
        if path is None:
            return None
        try:
            found = load_file(path)
            mean, directions, deviations, rest = (
                found[name].astype(np.float64) for name in ("mean", "directions", "deviations", "rest")
            )
            pictures = _pictures_in(found)
        except (OSError, SafetensorError, KeyError, TypeError) as problem:
            raise BundleError(f"{path} cannot be read ({problem}): fetch the bundle again") from None
        fits = (
            mean.shape == (width,)
            and deviations.ndim == 1
            and directions.shape == (len(deviations), width)
            and rest.shape == (1,)
            and all(np.isfinite(each).all() for each in found.values())
            and np.concatenate([deviations, rest]).min() > 0
            and (pictures is None or (len(deviations) > 0 and _fit_together(pictures, len(deviations))))
        )
        if not fits:
            raise BundleError(f"{path} is not the memory of this bundle's head: fetch the bundle again")
        return cls(mean, directions, deviations, np.full(width, rest[0]), pictures)


def _pictures_in(found: dict[str, npt.NDArray[Any]]) -> Remembered | None:
    """The pictures among a memory's tensors.

    Raises:
        KeyError: some of their tensors are missing.
        TypeError: their labels or collections are no whole numbers of the size that :meth:`Memory.write` gives them.
    """
    if not any(name.startswith("pictures.") for name in found):
        return None
    coordinates, logits, labels, collections = (
        found[f"pictures.{name}"] for name in ("coordinates", "logits", "labels", "collections")
    )
    if labels.dtype != np.uint8 or collections.dtype != np.uint16:
        raise TypeError("labels or collections are of another type")
    return Remembered(
        coordinates.astype(np.float64), logits.astype(np.float64), labels.astype(np.int8), collections.astype(np.int64)
    )


def _fit_together(pictures: Remembered, directions: int) -> bool:
    count = pictures.logits.size
    return (
        pictures.coordinates.shape == (count, directions)
        and pictures.logits.shape == pictures.labels.shape == pictures.collections.shape == (count,)
        and set(np.unique(pictures.labels).tolist()) == {0, 1}
    )
