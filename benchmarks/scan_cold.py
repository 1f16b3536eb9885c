"""Cold `madeby scan` of one 12-megapixel JPEG: wall time and peak memory of the whole process.

    python benchmarks/scan_cold.py [--runs 10] [--picture FILE] [--madeby PATH]

Without --picture a 4000 x 3000 JPEG (quality 90, 4:2:0) with photograph-like detail is made first.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


def twelve_megapixels(path: Path) -> None:
    rng = np.random.default_rng(0)
    total = np.zeros((3000, 4000, 3), np.float32)
    for shift in range(2, 10):
        small = rng.normal(0, 1, (3000 >> shift or 1, 4000 >> shift or 1, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(small[..., channel]).resize((4000, 3000), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(layer) * 2**shift
    total = (total - total.mean()) / total.std() * 50 + 128 + rng.normal(0, 3, total.shape).astype(np.float32)
    Image.fromarray(total.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def one_run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one process."""
    start = time.perf_counter()
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--madeby", default=shutil.which("madeby"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture or Path(folder) / "12mp.jpg"
        if options.picture is None:
            # In a process of its own: a child's peak memory starts from its parent's, and this takes a lot.
            maker = multiprocessing.get_context("spawn").Process(target=twelve_megapixels, args=(picture,))
            maker.start()
            maker.join()
        command = [options.madeby, "scan", str(picture), "--jsonl"]
        one_run(command)
        runs = [one_run(command) for _ in range(options.runs)]
        for name, unit, values in zip(("wall", "peak memory"), ("s", "MB"), zip(*runs, strict=True), strict=True):
            median = statistics.median(values)
            print(f"{name}: median {median:.3f} {unit}, {min(values):.3f} to {max(values):.3f}, {options.runs} runs")
        print(f"picture: {picture.stat().st_size / 1e6:.2f} MB")
