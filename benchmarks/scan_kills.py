"""Kills a scan at random moments, resumes it, and compares what it wrote with an uninterrupted scan.

Every round begins with no results and runs `madeby scan --resume` into JSON lines, CSV and a folder of Parquet at once,
killing it (SIGKILL) until it has been killed so many times; then it is left to end.

usage: python benchmarks/scan_kills.py [--kills 50] [--pictures 300] [--seed 8] [--model NAME]
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

# The command line's sinks, but with small Parquet parts: else a short scan is over before the first one is whole.
SCAN = """
import sys
from pathlib import Path
import madeby
out, model, *sources = sys.argv[1:]
out = Path(out)
out.mkdir(exist_ok=True)
sinks = madeby.SeveralSinks([
    madeby.JsonLinesFile(out / "r.jsonl", resume=True),
    madeby.CsvSink(out / "r.csv", resume=True),
    madeby.ParquetFolderSink(out / "r", resume=True, rows_a_part=7),
])
print("ready", flush=True)
for result in madeby.scan(sources, model=model or None, answered=sinks.answered):
    sinks.write(result)
sinks.close()
"""


def rows(out: Path) -> dict[str, list[tuple[str, str, float | None]]]:
    """(source, status, probability) of every result, by sink, in order."""
    lines = [json.loads(line) for line in (out / "r.jsonl").read_text().splitlines()]
    with (out / "r.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    parts = [row for part in sorted((out / "r").glob("*.parquet")) for row in pq.read_table(part).to_pylist()]
    return {
        "jsonl": [(line["source"], line["status"], line["probability"]) for line in lines],
        "csv": [(r["source"], r["status"], float(r["probability"]) if r["probability"] else None) for r in table],
        "parquet": [(row["source"], row["status"], row["probability"]) for row in parts],
    }


def lines_of(out: Path) -> int:
    """Results on disk."""
    path = out / "r.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--model", default="")
    options = parser.parse_args()
    chance, rng = random.Random(options.seed), np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        for number in range(options.pictures):
            Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number:04}.png")
        (folder / "0100.png").write_bytes(b"broken")
        sources = [str(folder), str(folder / "00*.png")]  # the first hundred come twice
        run = [sys.executable, "-c", SCAN]
        start = time.perf_counter()
        subprocess.run([*run, f"{place}/whole", options.model, *sources], check=True, stdout=subprocess.DEVNULL)
        wanted = rows(Path(place) / "whole")
        killed, rounds, progress = 0, 0, []
        while killed < options.kills:
            out = Path(place) / f"out{rounds}"
            for _ in range(10):
                with subprocess.Popen([*run, str(out), options.model, *sources], stdout=subprocess.PIPE) as scan:
                    # Some kills come while what is there is read, or before; most once some more is answered.
                    if chance.random() < 0.8:
                        scan.stdout.readline()
                        more = lines_of(out) + chance.randrange(80)
                        while scan.poll() is None and lines_of(out) < more:
                            time.sleep(0.002)
                    time.sleep(chance.uniform(0, 0.02))
                    if scan.poll() is None:
                        scan.kill()
                        killed += 1
                progress.append(lines_of(out))
                if killed == options.kills:
                    break
            subprocess.run([*run, str(out), options.model, *sources], check=True, stdout=subprocess.DEVNULL)
            found = rows(out)
            for sink, expected in wanted.items():
                if found[sink] != expected:
                    lost, doubled = Counter(expected) - Counter(found[sink]), Counter(found[sink]) - Counter(expected)
                    raise SystemExit(f"{sink} after round {rounds}: lost {dict(lost)}, doubled {dict(doubled)}")
            rounds += 1
        results = len(wanted["jsonl"])
        print(f"{killed} kills in {rounds} rounds of {results} results: none lost, none doubled, the order kept")
        print(f"results on disk when killed: {sorted(progress)}; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
