"""What a bundle remembers of the pictures it learnt from, so that adapting it forgets little of them."""

from __future__ import annotations

from collections.abc import Mapping
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


PICTURES = "pictures."

ALWAYS: dict[str, type] = {
    "mean": np.float32,
    "directions": np.float16,
    "deviations": np.float32,
    "rest": np.float32,
}
OF_PICTURES: dict[str, type] = {
    "pictures.coordinates": np.float16,
    "pictures.logits": np.float32,
    "pictures.labels": np.uint8,
    "pictures.collections": np.uint16,
}
"""The tensors of a memory's file and their types; those of pictures where it keeps some."""

MOST_LEANING = 0.01
"""Of one direction to another or of its length from 1: float16 makes 0.0005 of it."""

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

    Where pictures are kept, a change has no part beside the directions: what it does to them can then be told whole
    by their coordinates, so that a promise made for them by these is one for the pictures themselves.

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
        """The same, with pictures (m, d); see :class:`Remembered`. What lies beside the directions is forgotten."""
        return replace(
            self, pictures=Remembered((features - self.mean) @ self.directions.T, logits, labels, collections)
        )

    def features(self) -> Floats:
        """What the head saw of the pictures kept, (m, d); what it saw beside the directions is the mean's.

        Raises:
            ValueError: none are kept.
        """
        if self.pictures is None:
            raise ValueError("this memory keeps no pictures")
        return np.asarray(self.mean + self.pictures.coordinates @ self.directions)

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
            ValueError: it is none that could be read again.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is found by looking at it
            tensors = self._tensors()
        if wrong := _wrong_with(tensors, len(self.mean)):
            raise ValueError(f"this memory cannot be kept: {wrong}")
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
            numbers = self.pictures.labels, self.pictures.collections
            if not all(np.isin(each, np.arange(2**16)).all() for each in numbers):
                raise ValueError("this memory cannot be kept: labels are 0 or 1, collections 0 to 65,535")
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
        except (OSError, SafetensorError, KeyError, TypeError, AttributeError) as problem:
            raise BundleError(f"{path} cannot be read ({problem}): fetch the bundle again") from None
        if wrong := _wrong_with(found, width):
            raise BundleError(f"{path} is not the memory of this bundle's head ({wrong}): fetch the bundle again")
        mean, directions, deviations, rest = (
            found[name].astype(np.float64) for name in ("mean", "directions", "deviations", "rest")
        )
        pictures = None
        if any(name.startswith(PICTURES) for name in found):
            pictures = Remembered(
                found["pictures.coordinates"].astype(np.float64),
                found["pictures.logits"].astype(np.float64),
                found["pictures.labels"].astype(np.int8),
                found["pictures.collections"].astype(np.int64),
            )
        return cls(mean, directions, deviations, np.full(width, rest[0]), pictures)


def _wrong_with(tensors: Mapping[str, npt.NDArray[Any]], width: int) -> str:
    """Why tensors are not the memory of a head that sees so many features; empty if they are."""
    expected = ALWAYS | (OF_PICTURES if any(name.startswith(PICTURES) for name in tensors) else {})
    types = {name: values.dtype for name, values in tensors.items()}
    if types != {name: np.dtype(each) for name, each in expected.items()}:
        return "its tensors have other names or types"
    if not all(np.isfinite(values).all() for values in tensors.values()):
        return "some of its numbers are not finite"
    directions, deviations, rest = tensors["directions"].astype(np.float64), tensors["deviations"], tensors["rest"]
    count = deviations.size
    shapes = (tensors["mean"].shape, directions.shape, deviations.shape, rest.shape)
    if shapes != ((width,), (count, width), (count,), (1,)) or count > width:
        return "its shapes do not fit"
    if min(deviations.min(initial=1), rest[0]) <= 0:
        return "a deviation is not above 0"
    if np.abs(directions @ directions.T - np.eye(count)).max(initial=0) > MOST_LEANING:
        return "its directions are not at right angles"
    return _wrong_with_pictures(tensors, count) if len(expected) > len(ALWAYS) else ""


def _wrong_with_pictures(tensors: Mapping[str, npt.NDArray[Any]], directions: int) -> str:
    coordinates, logits, labels, collections = (tensors[name] for name in OF_PICTURES)
    if not directions or coordinates.shape != (logits.size, directions):
        return "its pictures do not lie along its directions"
    if not logits.shape == labels.shape == collections.shape == (logits.size,):
        return "it knows more of some pictures than of others"
    if not coordinates.any():
        return "its pictures are all alike"
    if labels.max(initial=0) > 1 or any(np.unique(collections[labels == each]).size < 2 for each in (0, 1)):
        return "its pictures are not of two collections of each label"
    return ""
