"""The verb ``explain``: a picture's answer, and where in it the detector's evidence lies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.detector.evidence_drawing import MapKind, draw_evidence
from madeby.detector.evidence_map import EvidenceMap, evidence_map
from madeby.detector.providers import Provider
from madeby.errors import ErrorCode, MadebyError, PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit, expand, printable
from madeby.scanning.pipeline import Examined, Pipeline, failed
from madeby.schema import Result


@dataclass(frozen=True, eq=False)
class Explanation:
    """A picture's result and its evidence map; both map and drawing are None where the picture could not be read.

    ``png`` is the drawing, ``path`` the file it was written to, if it was.
    """

    result: Result
    evidence: EvidenceMap | None = None
    png: bytes | None = None
    path: Path | None = None


def explained(data: bytes, source: str, pipeline: Pipeline, kind: MapKind) -> Explanation:
    """The explanation of a picture in memory.

    Raises:
        BundleError: the pipeline's model gives no logit map.
    """
    return _drawn(pipeline.examine_bytes(data, source), pipeline, kind)


def explain_with(
    bundle: Bundle,
    sources: Iterable[str | Path],
    output: Path | None,
    *,
    kind: MapKind,
    allow_private: bool = False,
    limits: Limits | None = None,
    provider: Provider = Provider.CPU,
) -> Iterator[Explanation]:
    """Explain every picture that the sources name; see :func:`madeby.explain`, which finds the bundle."""
    limits = limits or Limits()
    policy = FetchPolicy(allow_private=allow_private, max_bytes=limits.max_bytes)
    pipeline = Pipeline(detector=Detector(bundle, provider=provider), limits=limits, fetch_policy=policy)
    units = expand([str(source) for source in sources], limits=limits, policy=policy)
    return _each(units, pipeline, kind, output)


def _each(units: Iterator[SourceUnit], pipeline: Pipeline, kind: MapKind, output: Path | None) -> Iterator[Explanation]:
    taken: set[Path] = set()
    for unit in units:
        try:
            data = unit.read(pipeline.limits, pipeline.fetch_policy)
        except PictureError as problem:
            yield Explanation(failed(printable(unit.name), problem.code, problem.message))
            continue
        explanation = explained(data, unit.name, pipeline, kind)
        if output is not None and explanation.png is not None:
            path = _free(_place(output, unit.name, kind), output, taken)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(explanation.png)
            explanation = Explanation(explanation.result, explanation.evidence, explanation.png, path)
        yield explanation


def _drawn(examined: Examined, pipeline: Pipeline, kind: MapKind) -> Explanation:
    picture, reading, result = examined.picture, examined.reading, examined.result
    if picture is None or reading is None or pipeline.detector is None:
        return Explanation(result)
    spec = pipeline.detector.bundle.spec
    height, width = picture.pixels.shape[:2]
    evidence = evidence_map(reading, height, width, spec)
    told = (
        f"Evidence map by madeby, model {spec.name} {spec.version}: P(ai) = {reading.probability:.3f}. "
        f"Orange speaks for ai, blue for human; hatched or transparent places were not looked at."
    )
    try:
        return Explanation(result, evidence, draw_evidence(picture.pixels, evidence, kind, told))
    except MemoryError:
        return Explanation(failed(result.source, ErrorCode.TOO_LARGE, "too large to draw here; make it smaller first"))


def _place(output: Path, source: str, kind: MapKind) -> Path:
    """Where a drawing goes: the file itself, or in the folder a name made of the picture's."""
    if output.suffix.lower() == ".png":
        return output
    bare = re.split(r"[?#]", source, maxsplit=1)[0]
    stem = Path(bare.rstrip("/")).stem or "picture"
    return output / f"{stem}.{kind.value}.png"


def _free(path: Path, output: Path, taken: set[Path]) -> Path:
    """The path, numbered where a picture of this run already has it."""
    if path in taken and path == output:
        raise MadebyError(f"{path} is one file and there are several pictures; name a folder with --output")
    number, free = 2, path
    while free in taken:
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    taken.add(free)
    return free
