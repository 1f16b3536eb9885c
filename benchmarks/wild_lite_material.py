"""What the network of `wild-lite` learns from: views of pictures, and what the tower of `wild` sees in them.

See wild_lite.py. Everything is kept in a folder, a part of 1,000 pictures a file, so that a run that broke off goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import wild_heads
from PIL import Image
from wild_versions import as_the_world_leaves_it

from madeby.datasets.atomic import written_atomically
from madeby.detector.providers import load_onnxruntime
from madeby.detector.views import normalised, views_of
from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.stores.graft import graft

PART = 1000
BLOCKS = (4, 5, 6)
COMPONENTS, WHOLE_COMPONENTS = 96, 192
SAMPLED_PICTURES, SAMPLED_TOKENS, SAMPLED_WHOLES = 40, 24, 6000
LARGEST_SIDE = 2400
"""Larger pictures are made smaller first: what the world does to them makes them smaller still."""

VIEW_SEED = (7, 0)


@dataclass(frozen=True)
class Material:
    """What is learnt from, one row a picture that could be read.

    ``views`` (n, 224, 224, 3) uint8; ``tokens`` (n, 196, 96) float16, the patch tokens after the sixth block in the
    basis of their 96 strongest components, each of variance 1; ``weights`` (96,) what each component counts;
    ``wholes`` (n, 192) float32, the same of the CLS tokens after the fifth to seventh block.
    """

    views: np.ndarray
    tokens: np.ndarray
    weights: np.ndarray
    wholes: np.ndarray


def material(rows: pl.DataFrame, folder: Path, tower_folder: Path) -> Material:
    """Make, or take up from the folder, what is to be learnt from the pictures of a manifest's rows.

    Args:
        rows: the pictures.
        folder: that of these very rows.
        tower_folder: where the tower is kept, or will be.
    """
    starts = range(0, rows.height, PART)
    with ProcessPoolExecutor() as pool:
        for start in starts:
            path = folder / f"views-{start:05d}.npy"
            if not path.is_file():
                entries = [(row, rows["path"][row]) for row in range(start, min(start + PART, rows.height))]
                seen = list(pool.map(view_of, entries, chunksize=8))
                views = np.stack([np.zeros((224, 224, 3), np.uint8) if each is None else each for each in seen])
                with written_atomically(path) as part, part.open("wb") as file:
                    np.save(file, views)
                print(path.name, flush=True)
    views = np.concatenate([np.load(folder / f"views-{start:05d}.npy") for start in starts])
    read = views[:, ::16, ::16].any((1, 2, 3))
    tower = tower_session(tower_folder)
    mean, to_components, scale = basis(views[read], tower, folder / "basis.npz")

    def seen_by_tower(view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        blocks = tower(view)
        whole = np.stack([block[0] for block in blocks])
        return whole.astype(np.float16), ((blocks[1][1:] - mean) @ to_components).astype(np.float16)

    with ThreadPoolExecutor() as pool:
        for start in starts:
            path = folder / f"tower-{start:05d}.npz"
            if not path.is_file():
                seen = list(pool.map(seen_by_tower, views[start : start + PART]))
                wholes, tokens = (np.stack(each) for each in zip(*seen, strict=True))
                with written_atomically(path) as part, part.open("wb") as file:
                    np.savez(file, wholes=wholes, tokens=tokens)
                print(path.name, flush=True)
    parts = [np.load(folder / f"tower-{start:05d}.npz") for start in starts]
    wholes = np.concatenate([part["wholes"] for part in parts])[read].astype(np.float64)
    tokens = np.concatenate([part["tokens"] for part in parts])[read]
    return Material(views[read], tokens, scale / scale.max(), wholes_of(wholes))


def view_of(entry: tuple[int, str]) -> np.ndarray | None:
    """What the network learns from, given a picture's row and path; None where it cannot be read."""
    row, path = entry
    return treated_view(path, [*VIEW_SEED, row], LARGEST_SIDE)


def treated_view(path: str, seed: list[int], largest_side: int | None = None) -> np.ndarray | None:
    """The middle square (224, 224, 3) of a picture rescaled and re-encoded by chance; None where it cannot be read."""
    try:
        pixels = decode(Path(path).read_bytes(), perceptual_hash=False).pixels
    except (OSError, PictureError) as error:
        print(f"left out: {error}", flush=True)
        return None
    height, width = pixels.shape[:2]
    if largest_side is not None and max(height, width) > largest_side:
        scale = largest_side / max(height, width)
        smaller = round(width * scale), round(height * scale)
        pixels = np.asarray(Image.fromarray(pixels).resize(smaller, Image.Resampling.BILINEAR))
    seen = as_the_world_leaves_it(pixels, np.random.default_rng(seed))
    return views_of(seen, wild_heads.MIDDLE)[0]


def tower_session(folder: Path) -> Callable[[np.ndarray], list[np.ndarray]]:
    """From a view (224, 224, 3) to the tokens (197, 768) after each of the blocks."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = graft(wild_heads.tower(folder), wild_heads.tokens_model(BLOCKS))
    session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(view: np.ndarray) -> list[np.ndarray]:
        tokens = session.run(None, {"pixels": normalised(view[None], wild_heads.MIDDLE)})
        return [each[0] for each in tokens]

    return run


def basis(
    views: np.ndarray, tower: Callable[[np.ndarray], list[np.ndarray]], path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (768,), whitening (768, 96) and spread (96,) of the principal components of standardised patch tokens."""
    if not path.is_file():
        draw = np.random.default_rng(0)
        chosen = draw.permutation(len(views))[: SAMPLED_PICTURES * -(-len(views) // PART)]
        places = wild_heads.GRID**2
        sample = np.concatenate(
            [tower(views[row])[1][1:][draw.integers(0, places, SAMPLED_TOKENS)] for row in chosen]
        ).astype(np.float64)
        mean, deviation = sample.mean(0), sample.std(0) + 1e-6
        _, values, vectors = np.linalg.svd((sample - mean) / deviation, full_matrices=False)
        scale = values[:COMPONENTS] / np.sqrt(len(sample))
        whitening = (vectors[:COMPONENTS] / scale[:, None] / deviation).T
        with written_atomically(path) as part, part.open("wb") as file:
            np.savez(file, mean=mean.astype(np.float32), whitening=whitening.astype(np.float32), scale=scale)
    found = np.load(path)
    return found["mean"], found["whitening"], found["scale"].astype(np.float32)


def wholes_of(tokens: np.ndarray) -> np.ndarray:
    """(n, 192) float32: the strongest components of the CLS tokens (n, blocks, 768) of all blocks together."""
    whole = tokens.reshape(len(tokens), -1)
    standard = (whole - whole.mean(0)) / (whole.std(0) + 1e-6)
    sample = standard[np.random.default_rng(0).permutation(len(standard))[:SAMPLED_WHOLES]]
    values, vectors = np.linalg.eigh(np.cov(sample.T))
    strongest = np.argsort(values)[::-1][:WHOLE_COMPONENTS]
    return (standard @ (vectors[:, strongest] / np.sqrt(values[strongest]))).astype(np.float32)
