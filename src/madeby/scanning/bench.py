"""How fast this machine answers, stage by stage, and what a fleet of its kind would need."""

from __future__ import annotations

import itertools
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.detector.providers import Provider
from madeby.detector.views import normalised, views_of
from madeby.errors import MadebyError, PictureError
from madeby.pictures.decode import Picture, decode
from madeby.pictures.sources import expand
from madeby.provenance import read_provenance
from madeby.scanning.pipeline import Pipeline
from madeby.scanning.scan import available_cores, scan_with
from madeby.scanning.sinks.flat import flat_row
from madeby.schema import Frozen

FLEET_PICTURES = 100_000_000
PICTURES = 8
"""Pictures of one's own that are measured, at most: they are held in memory."""

Given = TypeVar("Given")
Returned = TypeVar("Returned")


class StageTime(Frozen):
    """Milliseconds that one stage takes for one picture on one core: the median, and 10% and 90% of the readings."""

    stage: str
    median: float
    low: float
    high: float


class Throughput(Frozen):
    """Pictures a second from file to result, with so many workers; ``core_hours`` for 100 million pictures."""

    workers: int
    pictures_a_second: float
    core_hours: float


class Bench(Frozen):
    """What was measured: on what, with which pictures, and how long each stage took.

    ``provider`` ran the model; ``pictures`` says what they were; ``stages`` are in the order in which a picture
    passes them.
    """

    machine: str
    cores: int
    model: str
    provider: str
    pictures: str
    stages: tuple[StageTime, ...]
    throughput: tuple[Throughput, ...]


def bench_with(
    bundle: Bundle,
    sources: Iterable[str | Path] = (),
    *,
    megapixels: float = 1.0,
    seconds: float = 10.0,
    provider: Provider = Provider.CPU,
) -> Bench:
    """Measure with one bundle; see :func:`madeby.bench`, which finds it."""
    with tempfile.TemporaryDirectory(prefix="madeby-bench-") as folder:
        named = [str(source) for source in sources]
        paths, pictures = _own_pictures(named) if named else _made_pictures(Path(folder), megapixels)
        cores = available_cores()
        stages = tuple(_stages(Detector(bundle, threads=1, provider=provider), pictures, seconds / 2))
        throughput = tuple(_throughput(bundle, paths, workers, seconds / 2, provider) for workers in sorted({1, cores}))
    sizes = [picture.facts.width * picture.facts.height / 1e6 for picture in pictures]
    formats = "/".join(sorted({picture.facts.format for picture in pictures}))
    made = "your" if named else "self-made"
    return Bench(
        machine=_processor(),
        cores=cores,
        model=f"{bundle.spec.name} {bundle.spec.version}",
        provider=provider.value,
        pictures=f"{len(pictures)} {made} {formats} pictures of {statistics.mean(sizes):.2g} megapixels",
        stages=stages,
        throughput=throughput,
    )


def _stages(detector: Detector, pictures: list[Picture], seconds: float) -> Iterator[StageTime]:
    """Time each stage by itself, one picture at a time, an equal share of the seconds for each."""
    preprocessing = detector.bundle.spec.preprocessing
    share = seconds / 5
    results = [Pipeline(detector).answer_bytes(picture.data, "picture") for picture in pictures]

    def prepare(picture: Picture) -> None:
        normalised(views_of(picture.pixels, preprocessing), preprocessing)

    yield _timed("decode", lambda picture: decode(picture.data), pictures, share)
    yield _timed("provenance", read_provenance, pictures, share)
    preparing = _timed("views", prepare, pictures, share)
    yield preparing
    reading = _timed("inference", lambda picture: detector.read(picture.pixels), pictures, share)
    shares = {name: max(0.0, getattr(reading, name) - preparing.median) for name in ("median", "low", "high")}
    yield reading.model_copy(update={name: round(value, 3) for name, value in shares.items()})
    yield _timed("sinks", lambda result: (result.to_json(), flat_row(result)), results, share)


def _timed(stage: str, work: Callable[[Given], Returned], on: list[Given], seconds: float) -> StageTime:
    for given in on:
        work(given)
    spent: list[float] = []
    end = time.perf_counter() + seconds
    for given in itertools.cycle(on):
        start = time.perf_counter()
        work(given)
        now = time.perf_counter()
        spent.append((now - start) * 1000)
        if now >= end:
            break
    low, median, high = np.percentile(spent, [10, 50, 90])
    return StageTime(stage=stage, median=round(median, 3), low=round(low, 3), high=round(high, 3))


def _throughput(bundle: Bundle, paths: list[str], workers: int, seconds: float, provider: Provider) -> Throughput:
    """Scan the same files over and over, from opening them to results, once everything is loaded and warm."""
    endless = (f"{path}\n" for path in itertools.cycle(paths))
    results = scan_with(bundle, ["-"], standard_input=endless, workers=workers, provider=provider)
    for _ in range(2 * workers):
        next(results)
    start, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds or not count:
        next(results)
        count += 1
    rate = count / spent
    results.close()
    hours = FLEET_PICTURES * workers / rate / 3600
    return Throughput(workers=workers, pictures_a_second=round(rate, 2), core_hours=round(hours, 1))


def _own_pictures(sources: list[str]) -> tuple[list[str], list[Picture]]:
    """The first few pictures that can be read."""
    paths, pictures, problem = [], [], ""
    for unit in expand(sources):
        if unit.data is not None:
            problem = "pictures in archives and tables have no file of their own; name files"
            continue
        try:
            pictures.append(decode(unit.read()))
            paths.append(unit.name)
        except PictureError as error:
            problem = error.message
        if len(pictures) == PICTURES:
            break
    if not pictures:
        raise MadebyError(f"nothing to measure with: {problem}")
    return paths, pictures


def _made_pictures(folder: Path, megapixels: float) -> tuple[list[str], list[Picture]]:
    """JPEGs with a photograph's share of fine and coarse structure, 4:3, quality 90, always the same."""
    width = max(16, round((megapixels * 1e6 * 4 / 3) ** 0.5))
    height = max(16, round(width * 3 / 4))
    paths, pictures = [], []
    for seed in range(4):
        path = folder / f"{seed}.jpg"
        Image.fromarray(_photograph(np.random.default_rng(seed), height, width)).save(path, quality=90)
        paths.append(str(path))
        pictures.append(decode(path.read_bytes()))
    return paths, pictures


def _photograph(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8: noise whose amplitude falls with its frequency, as in natural scenes, and grain."""
    total = rng.normal(0, 3, (height, width, 3)).astype(np.float32)
    for shift in range(2, 9):
        coarse = rng.normal(0, 2**shift / 6, (1 + (height >> shift), 1 + (width >> shift), 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(layer)
    return (total + 128).clip(0, 255).astype(np.uint8)


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
