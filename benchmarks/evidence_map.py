"""Is the evidence map faithful? A deletion test (Samek et al. 2017; Petsiuk et al. 2018) against random maps.

    python benchmarks/evidence_map.py MANIFEST [--split val] [--pictures 40] [--model NAME]

For each picture, blocks of 16 x 16 pixels are replaced: those that the map says speak most for `ai`, those that it
says speak most for `human`, and as many at random. A map that shows where the evidence lies lowers the logit by the
first, raises it by the second, and does both more than chance. Blocks are filled in two ways, because a fill is
evidence itself: by the picture's mean colour, and by a blur of the picture (radius 8).
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
from PIL import Image, ImageFilter

import madeby
from madeby.detector.evidence_map import evidence_map

BLOCK = 16
SHARES = (0.05, 0.1, 0.2)
RANDOM_MAPS = 3


def block_values(log_odds: np.ndarray, cell: float, height: int, width: int) -> np.ndarray:
    """Mean log odds of each whole block of the picture, NaN where it was not looked at."""
    rows = np.minimum((np.arange(height) / cell).astype(int), log_odds.shape[0] - 1)
    columns = np.minimum((np.arange(width) / cell).astype(int), log_odds.shape[1] - 1)
    full = log_odds[rows][:, columns]
    down, across = height // BLOCK, width // BLOCK
    return full[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK).mean((1, 3))


def replaced(pixels: np.ndarray, filling: np.ndarray, blocks: np.ndarray, across: int) -> np.ndarray:
    changed = pixels.copy()
    for block in blocks:
        top, left = block // across * BLOCK, block % across * BLOCK
        changed[top : top + BLOCK, left : left + BLOCK] = filling[top : top + BLOCK, left : left + BLOCK]
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("--split", default="val")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    detector = madeby.load_detector(options.model, threads=1)
    spec = detector.bundle.spec
    rows = pl.read_parquet(options.manifest).filter((pl.col("split") == options.split) & pl.col("problem").is_null())
    half = options.pictures // 2
    chosen = pl.concat(
        [rows.filter(pl.col("label") == label).sample(half, seed=options.seed) for label in ("human", "ai")]
    )
    rng = np.random.default_rng(options.seed)
    changes: dict[tuple[str, float, str], list[float]] = {}
    for path in chosen["path"]:
        with Image.open(path) as image:
            picture = image.convert("RGB")
        pixels = np.asarray(picture)
        height, width = pixels.shape[:2]
        reading = detector.read(pixels)
        evidence = evidence_map(reading, height, width, spec)
        values = block_values(evidence.log_odds, evidence.cell_height, height, width).ravel()
        seen = np.flatnonzero(~np.isnan(values))
        by_value = seen[np.argsort(values[seen])]
        across = width // BLOCK
        fills = {
            "mean colour": np.broadcast_to(pixels.mean((0, 1)).astype(np.uint8), pixels.shape),
            "blur": np.asarray(picture.filter(ImageFilter.GaussianBlur(8))),
        }
        for fill, filling in fills.items():
            for share in SHARES:
                count = max(1, round(share * len(seen)))
                picks = {"towards ai": [by_value[-count:]], "towards human": [by_value[:count]]}
                picks["random"] = [rng.choice(seen, count, replace=False) for _ in range(RANDOM_MAPS)]
                for name, several in picks.items():
                    logits = [detector.read(replaced(pixels, filling, blocks, across)).logit for blocks in several]
                    changes.setdefault((fill, share, name), []).append(float(np.mean(logits)) - reading.logit)
    print(
        f"{spec.name} {spec.version}: {len(chosen)} pictures of {options.split}, "
        "change of the logit (mean ± standard error)"
    )
    print(
        f"{'fill':<12} {'share':>5}  {'towards ai':>15} {'random':>15} {'towards human':>15}"
        "   ai < random  human > random"
    )
    for fill in ("mean colour", "blur"):
        for share in SHARES:
            told = {name: np.asarray(changes[fill, share, name]) for name in ("towards ai", "random", "towards human")}
            cells = [f"{value.mean():+.3f} ± {value.std(ddof=1) / len(value) ** 0.5:.3f}" for value in told.values()]
            lower = (told["towards ai"] < told["random"]).mean()
            higher = (told["towards human"] > told["random"]).mean()
            shown = " ".join(f"{cell:>15}" for cell in cells)
            print(f"{fill:<12} {share:>5.0%}  {shown}   {lower:>11.0%}  {higher:>14.0%}")


if __name__ == "__main__":
    main()
