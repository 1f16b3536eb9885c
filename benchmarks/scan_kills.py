"""Kills a scan at random moments, resumes it, and compares what it wrote with an uninterrupted scan.

Every round begins with no results and runs `madeby scan --resume` into JSON lines, CSV and a folder of Parquet at once,
killing it (SIGKILL) until it has been killed so many times; then it is left to end. With --store all three are written
in parts below an address in an object store; each round takes a folder of its own there.

usage: python benchmarks/scan_kills.py [--kills 50] [--pictures 300] [--seed 8] [--model NAME] [--store s3://bucket/x]
"""

import argparse
import csv
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

ROWS_A_PART = 7  # as SCAN says

# The command line's sinks, but with small Parquet parts: else a short scan is over before the first one is whole.
SCAN = """
import sys
from pathlib import Path
import madeby
out, model, *sources = sys.argv[1:]
if "://" in out:
    kinds = (madeby.JsonLinesFolderSink, madeby.CsvFolderSink, madeby.ParquetFolderSink)
    sinks = madeby.SeveralSinks([kind(out, resume=True, rows_a_part=7) for kind in kinds])
else:
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


def files_of(out: str, suffix: str) -> tuple[Any, list[str]]:
    """The file system, and the files with this suffix, in order."""
    files, root = fsspec.core.url_to_fs(out, **({"use_listings_cache": False} if "://" in out else {}))
    return files, sorted(name for name in files.find(root) if name.endswith(suffix))


def bodies(out: str, suffix: str) -> list[bytes]:
    """What the files with this suffix hold."""
    files, names = files_of(out, suffix)
    return [files.cat_file(name) for name in names]


def rows(out: str) -> dict[str, list[tuple[str, str, float | None]]]:
    """(source, status, probability) of every result, by sink, in order."""
    lines = [json.loads(line) for body in bodies(out, ".jsonl") for line in body.splitlines()]
    texts = (io.StringIO(body.decode(), newline="") for body in bodies(out, ".csv"))
    table = [row for text in texts for row in csv.DictReader(text)]
    parts = [row for body in bodies(out, ".parquet") for row in pq.read_table(io.BytesIO(body)).to_pylist()]
    return {
        "jsonl": [(line["source"], line["status"], line["probability"]) for line in lines],
        "csv": [(r["source"], r["status"], float(r["probability"]) if r["probability"] else None) for r in table],
        "parquet": [(row["source"], row["status"], row["probability"]) for row in parts],
    }


def lines_of(out: str) -> int:
    """Results there."""
    if "://" in out:
        return ROWS_A_PART * len(files_of(out, ".jsonl")[1])
    path = Path(out) / "r.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--model", default="")
    parser.add_argument("--store", help="folder in an object store, which is empty or not there")
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
        below = options.store.rstrip("/") if options.store else place
        subprocess.run([*run, f"{below}/whole", options.model, *sources], check=True, stdout=subprocess.DEVNULL)
        wanted = rows(f"{below}/whole")
        killed, rounds, progress = 0, 0, []
        while killed < options.kills:
            out = f"{below}/out{rounds}"
            for _ in range(10):
                with subprocess.Popen([*run, out, options.model, *sources], stdout=subprocess.PIPE) as scan:
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
            subprocess.run([*run, out, options.model, *sources], check=True, stdout=subprocess.DEVNULL)
            found = rows(out)
            for sink, expected in wanted.items():
                if found[sink] != expected:
                    lost, doubled = Counter(expected) - Counter(found[sink]), Counter(found[sink]) - Counter(expected)
                    raise SystemExit(f"{sink} after round {rounds}: lost {dict(lost)}, doubled {dict(doubled)}")
            rounds += 1
        results = len(wanted["jsonl"])
        print(f"{killed} kills in {rounds} rounds of {results} results: none lost, none doubled, the order kept")
        print(f"results there when killed: {sorted(progress)}; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
