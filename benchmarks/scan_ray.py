"""What the engine ray costs beyond answering; writes benchmarks/scan_ray.csv.

One actor of a cluster on this machine answers about pictures made from a seed. Counted are the processor time that the
asking machine's process spends on each picture (it bounds how many machines it can keep busy), the time to the first
result, and how many pictures a second come out in the same run with threads of this machine and with an actor.

usage: python benchmarks/scan_ray.py [--runs 3]
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import madeby
from madeby.scanning.bench import _photograph

ONE = {"engine": "ray", "cluster": madeby.RayCluster(most=1)}
SHARED = {"engine": "ray", "cluster": madeby.RayCluster(most=1, shared_files=True)}


def made(folder: Path, name: str, height: int, width: int) -> list[str]:
    paths = [folder / f"{name}-{seed}.jpg" for seed in range(8)]
    for seed, path in enumerate(paths):
        Image.fromarray(_photograph(np.random.default_rng(seed), height, width)).save(path, quality=90)
    return [str(path) for path in paths]


def scanned(paths: list[str], count: int, **options: object) -> dict[str, float]:
    """One scan of ``count`` names: seconds to the first result, pictures/s after it, this process's ms a picture."""
    lines = [f"{paths[number % len(paths)]}\n" for number in range(count)]
    start = time.perf_counter()
    results = madeby.scan("-", standard_input=lines, **options)
    spent = time.process_time()
    assert next(results).ok
    first = time.perf_counter()
    assert all(result.ok for result in results)
    return {
        "first result, s": first - start,
        "end to end, pictures/s": (count - 1) / (time.perf_counter() - first),
        "this process, ms/picture": 1000 * (time.process_time() - spent) / count,
    }


def parts(folder: Path) -> Iterator[tuple[str, str, dict[str, float]]]:
    large, small = made(folder, "large", 866, 1155), made(folder, "small", 32, 32)
    yield "1 MP JPEG", "detector, threads: 1 worker", scanned(large, 150, workers=1)
    yield "1 MP JPEG", "detector, ray: 1 actor", scanned(large, 150, **ONE)
    yield "1 MP JPEG", "no detector, ray: 1 actor, sent", scanned(large, 1000, detector=False, **ONE)
    yield "1 MP JPEG", "no detector, ray: 1 actor, shared files", scanned(large, 1000, detector=False, **SHARED)
    yield "32x32 JPEG", "no detector, ray: 1 actor, sent", scanned(small, 5000, detector=False, **ONE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    found: dict[tuple[str, str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as made_in:
        for _ in range(runs):
            for pictures, setting, figures in parts(Path(made_in)):
                for figure, value in figures.items():
                    found.setdefault((pictures, setting, figure), []).append(value)
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["pictures", "setting", "figure", "median", "lowest", "highest", "runs"])
        for key, values in found.items():
            row = [*key, *(f"{value:.3f}" for value in (statistics.median(values), min(values), max(values))), runs]
            table.writerow(row)
            print(*row, sep="\t")
