"""The watermark reader's null distribution: how often pictures without a watermark seem to carry one.

Every photograph is tested against the known messages, as the reader does, and against DECOYS random messages of
the same lengths, which nobody writes: each decoy is one more draw from the null. Prints the share of draws whose
p-value falls below a ladder of thresholds.

usage: python benchmarks/watermark_null.py FOLDER... [--decoys 64] [--seed 0] [--limit N]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.provenance.watermark import (
    MESSAGES,
    P_VALUE,
    SMALLEST_AREA,
    TESTS,
    Message,
    best_match,
    block_votes,
    matching_bits,
    tail,
)

LADDER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, P_VALUE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--decoys", type=int, default=64, help="random messages of each length")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=sys.maxsize)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    decoys = [
        Message(f"decoy {number}", tuple(int(bit) for bit in rng.integers(0, 2, len(message.bits))))
        for message in MESSAGES
        for number in range(options.decoys)
    ]
    known, null, pictures, start = [], [], 0, time.perf_counter()
    for path in _pictures(options.folders):
        if pictures >= options.limit:
            break
        try:
            pixels = decode(path.read_bytes(), perceptual_hash=False).pixels
        except PictureError:
            continue
        if pixels.shape[0] * pixels.shape[1] < SMALLEST_AREA:
            continue
        pictures += 1
        match = best_match(pixels)
        known.append(match.p_value)
        if match.p_value <= 1e-4:
            print(f"  {match.p_value:.2g}  {match.message.maker} {match.matching}/{len(match.message.bits)}  {path}")
        for votes in block_votes(pixels):
            null += [tail(matching_bits(votes, decoy.bits), len(decoy.bits)) for decoy in decoys]
    print(f"{pictures} pictures, {len(null)} decoy tests, {time.perf_counter() - start:.0f} s")
    print("threshold  known messages (corrected p)   decoys (p of one test)   expected of fair bits")
    for threshold in LADDER:
        hits, decoy_hits = sum(p <= threshold for p in known), sum(p <= threshold / TESTS for p in null)
        print(
            f"{threshold:9.0e}  {hits:6d} of {pictures}   {decoy_hits:8d} of {len(null)} = {decoy_hits / len(null):.2e}"
            f"   <= {threshold / TESTS:.2e}"
        )


def _pictures(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
