"""Is the evidence map faithful? Two tests against chance.

    python benchmarks/evidence_map.py MANIFEST [--split val] [--pictures 40] [--model NAME]

Deletion (Samek et al. 2017; Petsiuk et al. 2018): blocks of 16 x 16 pixels are replaced, those that the map says speak
most for `ai`, those that it says speak most for `human`, and as many at random. A map that shows where the evidence
lies lowers the logit by the first, raises it by the second, and does both more than chance. Blocks are filled in three
ways, because a fill is evidence itself: by the picture's mean colour, by a blur of the picture (radius 8), and by
blocks of the same picture that stay.

Windows, which need no fill: the nine thirds by thirds of the middle square are answered about one by one, as pictures
of their own, where they are as large as the model asks pictures to be. Where the map is right, those that it leans to
`ai` get a higher logit than the picture's windows do on average, and those that it leans to `human` a lower one. The
map of another picture says what chance gives.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import polars as pl
from PIL import Image, ImageFilter

import madeby
from madeby.detector.detector import Detector
from madeby.detector.evidence_map import EvidenceMap, evidence_map

BLOCK = 16
SHARES = (0.05, 0.1, 0.2)
RANDOM_MAPS = 3
WINDOWS_ACROSS, MOST_LEANING = 3, 2

Filling = Callable[[np.ndarray], np.ndarray]
"""What the picture would be if it were filled by this, for blocks (n,) that are replaced."""


def block_values(evidence: EvidenceMap, height: int, width: int) -> np.ndarray:
    """Mean log odds of each whole block of the picture, NaN where it was not looked at."""
    rows = np.minimum((np.arange(height) / evidence.cell_height).astype(int), evidence.log_odds.shape[0] - 1)
    columns = np.minimum((np.arange(width) / evidence.cell_width).astype(int), evidence.log_odds.shape[1] - 1)
    full = evidence.log_odds[rows][:, columns]
    down, across = height // BLOCK, width // BLOCK
    return full[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK).mean((1, 3))


def replaced(pixels: np.ndarray, filling: np.ndarray, blocks: np.ndarray, across: int) -> np.ndarray:
    changed = pixels.copy()
    for block in blocks:
        top, left = block // across * BLOCK, block % across * BLOCK
        changed[top : top + BLOCK, left : left + BLOCK] = filling[top : top + BLOCK, left : left + BLOCK]
    return changed


def of_own_blocks(pixels: np.ndarray, removed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with others of its blocks, none of them removed itself, where blocks are removed."""
    down, across = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
    whole = pixels[: down * BLOCK, : across * BLOCK]
    blocks = whole.reshape(down, BLOCK, across, BLOCK, 3).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK, 3)
    order = np.arange(len(blocks))
    order[removed] = rng.choice(np.setdiff1d(order, removed), len(removed))
    mixed = blocks[order].reshape(down, across, BLOCK, BLOCK, 3).swapaxes(1, 2)
    filled = pixels.copy()
    filled[: down * BLOCK, : across * BLOCK] = mixed.reshape(whole.shape)
    return filled


def fillings(picture: Image.Image, rng: np.random.Generator) -> dict[str, Filling]:
    pixels = np.asarray(picture)
    even = np.broadcast_to(pixels.mean((0, 1)).astype(np.uint8), pixels.shape)
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(8)))
    return {
        "mean colour": lambda _: even,
        "blur": lambda _: blurred,
        "own blocks": lambda removed: of_own_blocks(pixels, removed, rng),
    }


def windows_of(height: int, width: int, least: int) -> list[tuple[int, int, int]]:
    """Top, left and side of each window; none where a side would be less than ``least`` pixels."""
    square = min(height, width)
    side = square // WINDOWS_ACROSS
    if side < max(1, least):
        return []
    top, left = (height - square) // 2, (width - square) // 2
    steps = range(0, WINDOWS_ACROSS * side, side)
    return [(top + down, left + across, side) for down in steps for across in steps]


def leanings(evidence: EvidenceMap, windows: list[tuple[int, int, int]]) -> np.ndarray:
    """The map's mean over each window, NaN where no view showed all of it."""

    def cells(start: int, side: int, cell: float) -> slice:
        return slice(int(start / cell), int(np.ceil((start + side) / cell)))

    parts = [
        (cells(top, side, evidence.cell_height), cells(left, side, evidence.cell_width)) for top, left, side in windows
    ]
    return np.array([evidence.log_odds[part].mean() for part in parts])


def told_of_windows(detector: Detector, pictures: list[np.ndarray]) -> None:
    """Print how the windows that the map leans most to a side are answered about when they stand alone."""
    answers, maps = [], []
    least = detector.bundle.spec.domain.min_side
    for pixels in pictures:
        height, width = pixels.shape[:2]
        if windows := windows_of(height, width, least):
            evidence = evidence_map(detector.read(pixels), height, width, detector.bundle.spec)
            leaning = leanings(evidence, windows)
            if np.isnan(leaning).any():
                continue  # a window that no view showed cannot be ranked
            maps.append(leaning)
            alone = [detector.read(pixels[top : top + side, left : left + side]).logit for top, left, side in windows]
            answers.append(np.array(alone) - np.mean(alone))
    print(f"\nwindows: logit alone less the mean of the picture's windows, {len(answers)} pictures")
    if len(answers) < 2:
        print(f"too few have thirds of {least} pixels: take larger pictures")
        return
    for name, order in (("own map", maps), ("the next picture's", maps[1:] + maps[:1])):
        ranked = [answer[np.argsort(leaning)] for answer, leaning in zip(answers, order, strict=True)]
        highest, lowest = (
            np.array([each[part].mean() for each in ranked]) for part in (np.s_[-MOST_LEANING:], np.s_[:MOST_LEANING])
        )
        print(
            f"{name:<19} towards ai {shown(highest)}, higher in {(highest > 0).mean():.0%}; "
            f"towards human {shown(lowest)}, lower in {(lowest < 0).mean():.0%}"
        )


def shown(values: np.ndarray) -> str:
    return f"{values.mean():+.3f} ± {values.std(ddof=1) / len(values) ** 0.5:.3f}"


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
    pictures = []
    for path in chosen["path"]:
        with Image.open(path) as image:
            picture = image.convert("RGB")
        pixels = np.asarray(picture)
        pictures.append(pixels)
        height, width = pixels.shape[:2]
        reading = detector.read(pixels)
        evidence = evidence_map(reading, height, width, spec)
        values = block_values(evidence, height, width).ravel()
        seen = np.flatnonzero(~np.isnan(values))
        if len(seen) * SHARES[0] < 1:
            print(f"left out: {path} has too few blocks")
            continue
        by_value = seen[np.argsort(values[seen])]
        across = width // BLOCK
        fills = fillings(picture, rng)
        for fill, filling in fills.items():
            for share in SHARES:
                count = max(1, round(share * len(seen)))
                picks = {"towards ai": [by_value[-count:]], "towards human": [by_value[:count]]}
                picks["random"] = [rng.choice(seen, count, replace=False) for _ in range(RANDOM_MAPS)]
                for name, several in picks.items():
                    logits = [
                        detector.read(replaced(pixels, filling(blocks), blocks, across)).logit for blocks in several
                    ]
                    changes.setdefault((fill, share, name), []).append(float(np.mean(logits)) - reading.logit)
    print(
        f"{spec.name} {spec.version}: {len(chosen)} pictures of {options.split}, "
        "change of the logit (mean ± standard error)"
    )
    print(
        f"{'fill':<12} {'share':>5}  {'towards ai':>15} {'random':>15} {'towards human':>15}"
        "   ai < random  human > random"
    )
    for fill in fills:
        for share in SHARES:
            told = {name: np.asarray(changes[fill, share, name]) for name in ("towards ai", "random", "towards human")}
            lower = (told["towards ai"] < told["random"]).mean()
            higher = (told["towards human"] > told["random"]).mean()
            cells = " ".join(f"{shown(values):>15}" for values in told.values())
            print(f"{fill:<12} {share:>5.0%}  {cells}   {lower:>11.0%}  {higher:>14.0%}")
    told_of_windows(detector, pictures)


if __name__ == "__main__":
    main()
