"""A map on which pictures of like content lie near each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_POINTS = 10
COMPONENTS = 50
PERPLEXITY = 30.0


@dataclass(frozen=True, eq=False)
class Placed:
    """(n, 2) coordinates, each axis spread over 0..1, and how they were found."""

    places: Floats
    method: str


def place(features: npt.NDArray[np.float16], seed: int) -> Placed | None:
    """Lay features out in two dimensions: principal components, then t-SNE (van der Maaten and Hinton 2008).

    Nearness on the map means likeness to the content model; distances between far groups, their sizes and the axes
    mean nothing.

    Args:
        features: (n, d) penultimate features.
        seed: of the components' randomised search; t-SNE starts from the first two and has no chance in it.

    Returns:
        None for fewer than 10 pictures, or if all look the same.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n = len(features)
    # Lengths differ with contrast; directions say what is shown.
    wide = features.astype(np.float32)
    wide /= np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-6)
    if n < LEAST_POINTS or float(wide.std(0).max()) < 1e-6:
        return None
    components = min(COMPONENTS, n - 1, wide.shape[1])
    reduced = PCA(components, random_state=seed).fit_transform(wide)
    reduced /= max(float(reduced[:, 0].std()), 1e-12)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="sklearn")
        found = TSNE(init="pca", perplexity=perplexity, random_state=seed, n_jobs=1).fit_transform(reduced)
    low, high = found.min(0), found.max(0)
    places = (found - low) / np.maximum(high - low, 1e-12)
    method = f"{components} principal components, then t-SNE (perplexity {perplexity:g}, seed {seed})"
    return Placed(places.astype(np.float64), method)
