"""Mutation fuzzing of every provenance reader: no exception, no hang, no unreadable result.

Half of the files are whole files damaged anywhere: one of every kind of mark and container that the tests build,
and the files of any folders named. The other half are metadata blocks damaged inside an intact file, so that the
damage reaches the readers behind the container. Every fourth file comes with pixels. Whatever a reader raises
counts as a failure here, although scanning would catch it.

usage: python benchmarks/fuzz_provenance.py [FOLDER...] [--files 20000] [--seed 0] [--slowest-ms 2000]
"""

import argparse
import collections
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "provenance"))

from mutations import mutated
from provenance_files import every_kind, inner_blocks, smooth

from madeby.provenance.material import Material
from madeby.provenance.registry import READERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest-ms", type=float, default=2000, help="longer than this counts as a hang")
    parser.add_argument("--keep", type=Path, help="folder for files that failed")
    options = parser.parse_args()
    originals = list(every_kind().values())
    for folder in options.folders:
        originals += [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    originals = [data for data in originals if len(data) <= 2 << 20]
    blocks, pixels = inner_blocks(), smooth(320, 256)
    states: collections.Counter[str] = collections.Counter()
    failures, slowest, start = 0, 0.0, time.perf_counter()
    for number in range(options.files):
        rng = np.random.default_rng((options.seed, number))
        if number % 2:
            data = mutated(originals[number // 2 % len(originals)], rng, originals)
        else:
            wrap, block = blocks[number // 2 % len(blocks)]
            data = wrap(mutated(block, rng, originals))
        began = time.perf_counter()
        try:
            material = Material(data, pixels=pixels if number % 4 == 0 else None)
            for name, reader in READERS.items():
                signal = reader(material)
                signal.model_dump_json()
                states[f"{name} {signal.detail['state']}"] += 1
        except Exception as error:
            failures += 1
            print(f"file {number}: {type(error).__name__}: {error}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.seed}-{number}.bin").write_bytes(data)
        took = (time.perf_counter() - began) * 1000
        if took > options.slowest_ms:
            failures += 1
            print(f"file {number}: {took:.0f} ms", flush=True)
        slowest = max(slowest, took)
    seconds = time.perf_counter() - start
    print(
        f"{options.files} files, seed {options.seed}, {len(originals)} originals: {failures} failures, "
        f"slowest {slowest:.0f} ms, {seconds:.0f} s"
    )
    for state, count in sorted(states.items()):
        print(f"  {count:7d}  {state}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
