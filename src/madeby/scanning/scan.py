"""The verb ``scan``: from what a person names to a stream of results."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.detector.providers import Provider
from madeby.errors import MadebyError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit, expand, printable
from madeby.pictures.sources.archives import is_archive
from madeby.pictures.sources.read_ahead import read_ahead
from madeby.pictures.sources.tables import is_table
from madeby.pictures.web_files import in_web
from madeby.provenance import ReadingOptions
from madeby.scanning.answered import Answered
from madeby.scanning.answering import Answering
from madeby.scanning.local import run_local
from madeby.scanning.pipeline import Pipeline
from madeby.schema import Result

if TYPE_CHECKING:
    from madeby.scanning.cache import AnswerCache
    from madeby.scanning.cluster.options import RayCluster

TINY_SIDE, FEW_PARAMETERS = 64, 500_000
"""A model whose pictures have no more pixels a side, and that is no larger, is quicker with one thread."""


def scan_with(
    bundle: Bundle | None,
    sources: Iterable[str | Path],
    *,
    provenance: bool = True,
    reading: ReadingOptions | None = None,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    standard_input: Iterable[str] | None = None,
    column: str | None = None,
    answered: Answered | None = None,
    cache: Path | None = None,
    ordered: bool = True,
    provider: Provider = Provider.CPU,
    cluster: RayCluster | None = None,
) -> Generator[Result]:
    """Answer about every picture that the sources name; see :func:`madeby.scan`, which finds the bundle."""
    named = [str(source) for source in sources]
    limits = limits or Limits()
    pipeline = Pipeline(
        detector=None,
        provenance=provenance,
        reading=reading or ReadingOptions(),
        limits=limits,
        fetch_policy=FetchPolicy(allow_private=allow_private, max_bytes=limits.max_bytes),
    )
    units = expand(named, standard_input=standard_input, column=column, limits=limits, policy=pipeline.fetch_policy)
    if answered is not None:
        cuts = (bundle.spec.thresholds.ai, bundle.spec.thresholds.human) if bundle else None
        answered.check_model(bundle.info.sha256 if bundle else "", cuts)
        units = _not_in(answered, units)
    if cluster is not None:
        if cache is not None:
            raise MadebyError("a cache is a file of one machine, which the machines of a cluster cannot share; drop it")
        return _on_cluster(cluster, units, pipeline, bundle, provider, workers, ordered)
    alone = _is_one_picture(named)
    workers = workers or (1 if alone or _is_for_tiny_pictures(bundle) else available_cores())
    if bundle is not None:
        # One picture alone takes all cores; of several under way each takes one, so that none waits for another.
        pipeline = replace(pipeline, detector=Detector(bundle, threads=0 if alone else 1, provider=provider))
    units = read_ahead(units, limits)
    if cache is None:
        return run_local(units, Answering(pipeline), workers=workers, ordered=ordered)
    from madeby.scanning.cache import AnswerCache  # SQLite takes its time to load

    remembered = AnswerCache(cache, pipeline)
    answer = Answering(pipeline, remembered)
    return _closing(remembered, run_local(units, answer, workers=workers, ordered=ordered))


def _on_cluster(
    cluster: RayCluster,
    units: Iterator[SourceUnit],
    pipeline: Pipeline,
    bundle: Bundle | None,
    provider: Provider,
    workers: int | None,
    ordered: bool,
) -> Generator[Result]:
    from madeby.scanning.cluster.answerer import SentBundle, Setup
    from madeby.scanning.cluster.run import run_on_ray

    workers = workers or (1 if _is_for_tiny_pictures(bundle) else max(1, int(cluster.cores)))
    folder = str(Path.cwd()) if cluster.shared_files else None
    setup = Setup(pipeline, SentBundle.of(bundle) if bundle else None, provider, workers, folder)
    return run_on_ray(units, setup, cluster, cores=available_cores(), ordered=ordered)


def _not_in(answered: Answered, units: Iterator[SourceUnit]) -> Iterator[SourceUnit]:
    return (unit for unit in units if not answered.take(printable(unit.name)))


def _closing(cache: AnswerCache, results: Generator[Result]) -> Generator[Result]:
    try:
        yield from results
    finally:
        cache.close()


def _is_one_picture(named: list[str]) -> bool:
    if len(named) != 1:
        return False
    (source,) = named
    return (in_web(source) or Path(source).is_file()) and not is_archive(source) and not is_table(source)


def _is_for_tiny_pictures(bundle: Bundle | None) -> bool:
    """Whether a picture is answered about in less than a millisecond, most of it Python's.

    Threads would then do nothing but wait for one another: two take twice the time of one (benchmarks/scan.csv).
    """
    if bundle is None or bundle.spec.parameters > FEW_PARAMETERS:
        return False
    return 0 < bundle.spec.domain.max_side <= TINY_SIDE


def available_cores() -> int:
    """Cores that this process may use, which a container or a job scheduler may have bounded."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
