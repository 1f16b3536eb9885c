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

WHOLE, QUARTER = 0, 1
"""The two views of a picture, each of which shows it after other things happened to it."""

SEEDS = ((7, 0), (7, 1))


class Parts:
    """Rows of an array that lie in files of 1,000; none is read before it is asked for."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        self.parts = [np.load(folder / f"{name}-{start:05d}.npy", mmap_mode="r") for start in range(0, count, PART)]

    def __getitem__(self, row: int) -> np.ndarray:
        return self.parts[row // PART][row % PART]


@dataclass(frozen=True)
class Material:
    """What is learnt from, one row a picture, and for each its whole view and one quarter.

    ``rows`` those of pictures that could be read; ``views`` (2, 224, 224, 3) uint8 by row; ``tokens`` (2, 196, 96)
    float16 by row, the patch tokens after the sixth block in the basis of their 96 strongest components, each of
    variance 1 over whole views; ``weights`` (96,) what each component counts; ``wholes`` (n, 2, 192) float32, the
    same of the CLS tokens after the fifth to seventh block.
    """

    rows: np.ndarray
    views: Parts
    tokens: Parts
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
                seen = list(pool.map(two_views, entries, chunksize=8))
                save(path, [np.zeros((2, 224, 224, 3), np.uint8) if each is None else each for each in seen])
    views = Parts(folder, "views", rows.height)
    read = np.array([row for row in range(rows.height) if views[row][WHOLE, ::16, ::16].any()])
    tower = tower_session(tower_folder)
    mean, to_components, scale = basis(views, read, tower, folder / "basis.npz")

    def seen_by_tower(row: int) -> tuple[np.ndarray, np.ndarray]:
        blocks = [tower(view) for view in views[row]]
        tokens = np.stack([(each[1][1:] - mean) @ to_components for each in blocks])
        wholes = np.stack([[block[0] for block in each] for each in blocks])
        return tokens.astype(np.float16), wholes.astype(np.float16)

    with ThreadPoolExecutor() as pool:
        for start in starts:
            paths = [folder / f"{name}-{start:05d}.npy" for name in ("tokens", "wholes")]
            if not all(path.is_file() for path in paths):
                seen = list(pool.map(seen_by_tower, range(start, min(start + PART, rows.height))))
                for path, each in zip(paths, zip(*seen, strict=True), strict=True):
                    save(path, each)
    wholes = np.concatenate([np.load(folder / f"wholes-{start:05d}.npy") for start in starts])
    tokens = Parts(folder, "tokens", rows.height)
    return Material(read, views, tokens, scale / scale.max(), wholes_of(wholes, read))


def save(path: Path, rows: Any) -> None:
    with written_atomically(path) as part, part.open("wb") as file:
        np.save(file, np.stack(rows))
    print(path.name, flush=True)


def two_views(entry: tuple[int, str]) -> np.ndarray | None:
    """What the network learns from, given a picture's row and path; None where it cannot be read."""
    row, path = entry
    found = []
    for kind in (WHOLE, QUARTER):
        seen = treated_views(path, [*SEEDS[kind], row], LARGEST_SIDE)
        if seen is None:
            return None
        found.append(seen[0 if kind == WHOLE else 1 + row % 4])
    return np.stack(found)


def treated_views(path: str, seed: list[int], largest_side: int | None = None) -> np.ndarray | None:
    """The middle square and its quarters (5, 224, 224, 3) of a picture rescaled and re-encoded by chance; None where it
    cannot be read."""
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
    return views_of(as_the_world_leaves_it(pixels, np.random.default_rng(seed)), wild_heads.PREPROCESSING)


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
    views: Parts, read: np.ndarray, tower: Callable[[np.ndarray], list[np.ndarray]], path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (768,), whitening (768, 96) and spread (96,) of the principal components of standardised patch tokens."""
    if not path.is_file():
        draw = np.random.default_rng(0)
        chosen = draw.permutation(read)[: SAMPLED_PICTURES * -(-len(read) // PART)]
        places = wild_heads.GRID**2
        sample = np.concatenate(
            [tower(views[row][WHOLE])[1][1:][draw.integers(0, places, SAMPLED_TOKENS)] for row in chosen]
        ).astype(np.float64)
        mean, deviation = sample.mean(0), sample.std(0) + 1e-6
        _, values, vectors = np.linalg.svd((sample - mean) / deviation, full_matrices=False)
        scale = values[:COMPONENTS] / np.sqrt(len(sample))
        whitening = (vectors[:COMPONENTS] / scale[:, None] / deviation).T
        with written_atomically(path) as part, part.open("wb") as file:
            np.savez(file, mean=mean.astype(np.float32), whitening=whitening.astype(np.float32), scale=scale)
    found = np.load(path)
    return found["mean"], found["whitening"], found["scale"].astype(np.float32)


def wholes_of(tokens: np.ndarray, read: np.ndarray) -> np.ndarray:
    """(n, 2, 192) float32: the strongest components, over the whole views that could be read, of the CLS tokens
    (n, 2, blocks, 768) of all blocks together."""
    tokens = tokens.reshape(*tokens.shape[:2], -1).astype(np.float32)
    known = tokens[read, WHOLE].astype(np.float64)
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    sample = ((known - mean) / deviation)[np.random.default_rng(0).permutation(len(known))[:SAMPLED_WHOLES]]
    values, vectors = np.linalg.eigh(np.cov(sample.T))
    strongest = np.argsort(values)[::-1][:WHOLE_COMPONENTS]
    whitening = vectors[:, strongest] / np.sqrt(values[strongest]) / deviation[:, None]
    return (tokens - mean.astype(np.float32)) @ whitening.astype(np.float32)
