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
    not seen the picture's collection; ``labels`` (m,), 0 human, 1 ai; ``collections`` (m,), a number for each.
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

    def answered(self, logits: Floats) -> Memory:
        """The same, with other answers (m,) about its pictures."""
        return self if self.pictures is None else replace(self, pictures=replace(self.pictures, logits=logits))

    def features(self) -> Floats:
        """What the head saw of the pictures kept, (m, d)."""
        if self.pictures is None:
            return np.zeros((0, len(self.mean)))
        return np.asarray(self.mean + self.pictures.coordinates @ self.directions)

    def standard(self, features: Floats) -> Floats:
        """Features (n, d) as seen from the remembered mean, in units of the remembered spread."""
        apart = features - self.mean
        return np.asarray(apart / self.rest + (apart @ self.directions.T * self._beside_the_rest) @ self.directions)

    def change_of(self, values: Floats) -> Floats:
        """The change (d,) of the head's weights that a change in those units is."""
        return np.asarray(values / self.rest + (self.directions @ values * self._beside_the_rest) @ self.directions)

    @property
    def _beside_the_rest(self) -> Floats:
        return np.asarray(1 / self.deviations - 1 / self.rest[: len(self.deviations)])

    def write(self, folder: Path) -> str:
        """Put it into a bundle's folder; the SHA-256 that ``bundle.json`` then tells of it.

        One ``rest`` is kept for all features, as :meth:`of` makes it.
        """
        tensors: dict[str, npt.NDArray[Any]] = {
            "mean": self.mean.astype(np.float32),
            "directions": np.ascontiguousarray(self.directions, np.float16),
            "deviations": self.deviations.astype(np.float32),
            "rest": self.rest[:1].astype(np.float32),
        }
        if self.pictures is not None:
            tensors |= {
                "pictures.coordinates": np.ascontiguousarray(self.pictures.coordinates, np.float16),
                "pictures.logits": self.pictures.logits.astype(np.float32),
                "pictures.labels": self.pictures.labels.astype(np.uint8),
                "pictures.collections": self.pictures.collections.astype(np.uint16),
            }
        (folder / MEMORY_FILE).write_bytes(save(tensors))
        return sha256_of(folder / MEMORY_FILE)

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
            found = {name: values.astype(np.float64) for name, values in load_file(path).items()}
            mean, directions, deviations, rest = (found[name] for name in ("mean", "directions", "deviations", "rest"))
            pictures = _pictures_in(found)
        except (OSError, SafetensorError, KeyError) as problem:
            raise BundleError(f"{path} cannot be read ({problem}): fetch the bundle again") from None
        fits = (
            mean.shape == (width,)
            and deviations.ndim == 1
            and directions.shape == (len(deviations), width)
            and rest.shape == (1,)
            and all(np.isfinite(each).all() for each in found.values())
            and np.concatenate([deviations, rest]).min() > 0
            and (pictures is None or _fit_together(pictures, len(deviations)))
        )
        if not fits:
            raise BundleError(f"{path} is not the memory of this bundle's head: fetch the bundle again")
        return cls(mean, directions, deviations, np.full(width, rest[0]), pictures)


def _pictures_in(found: dict[str, Floats]) -> Remembered | None:
    """The pictures among a memory's tensors.

    Raises:
        KeyError: some of their tensors are missing.
    """
    if not any(name.startswith("pictures.") for name in found):
        return None
    coordinates, logits, labels, collections = (
        found[f"pictures.{name}"] for name in ("coordinates", "logits", "labels", "collections")
    )
    return Remembered(coordinates, logits, labels.astype(np.int8), collections.astype(np.int64))


def _fit_together(pictures: Remembered, directions: int) -> bool:
    count = pictures.logits.size
    return (
        pictures.coordinates.shape == (count, directions)
        and pictures.logits.shape == pictures.labels.shape == pictures.collections.shape == (count,)
        and set(np.unique(pictures.labels).tolist()) == {0, 1}
    )
