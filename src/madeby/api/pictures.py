"""Verbs about pictures: scan, provenance, explain, bench."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import MadebyError
from madeby.schema import Result

if TYPE_CHECKING:
    from madeby.detector.bundle import Bundle
    from madeby.detector.detector import Detector
    from madeby.detector.evidence_drawing import MapKind
    from madeby.pictures.limits import Limits
    from madeby.scanning.answered import Answered
    from madeby.scanning.bench import Bench
    from madeby.scanning.cluster.options import RayCluster
    from madeby.scanning.explain import Explanation


def scan(
    sources: str | Path | Iterable[str | Path],
    *,
    model: str | Path | None = None,
    threshold_profile: str = "balanced",
    provider: str = "cpu",
    provenance: bool = True,
    detector: bool = True,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    column: str | None = None,
    answered: Answered | None = None,
    cache: str | Path | None = None,
    ordered: bool = True,
    standard_input: Iterable[str] | None = None,
    engine: str = "local",
    cluster: RayCluster | None = None,
) -> Iterator[Result]:
    """Answer about pictures: who made each, how sure that is, and why.

    Args:
        sources: one or many of: files, folders (read recursively), globs, archives and shards (``.zip``, ``.tar``
            and compressed tars), tables of paths, URLs or bytes (``.csv``, ``.tsv``, ``.parquet``), http(s) URLs,
            ``@FILE`` for one source a line of a file, or ``-`` for one a line from ``standard_input``.
        model: a built-in or pulled model's name, the folder of a bundle or a run, or a URL in a store, from which
            the model is pulled first; None for the default.
        threshold_profile: how readily a verdict leaves ``uncertain``: ``cautious`` (0.5% of photographs may be called
            ``ai``), ``balanced`` (1%) or ``eager`` (5%); each bundle says on which pictures that was set.
        provider: what runs the model: ``cpu``, or if the onnxruntime that is installed has it ``openvino``, ``cuda``,
            ``coreml`` or ``directml``.
        provenance: whether to read metadata, signatures and watermarks.
        detector: whether to judge the pixels.
        allow_private: whether URLs may lead to private, loopback and link-local addresses.
        limits: most bytes and pixels a picture may have.
        workers: pictures under way at a time, with the engine ``ray`` in each actor; if None one a core, or one where a
            model is so quick that threads would only wait for one another.
        column: the column of tables that names or holds the pictures; None where only one can be meant.
        answered: results at hand, as a sink that is resumed knows them; pictures that it names are passed over.
        cache: an SQLite file, made if it is not there, that remembers answers: identical bytes are examined once,
            by this model with these options. It may be shared by several processes; None remembers nothing.
        ordered: give results in the order of the sources, else as they are ready.
        standard_input: where ``-`` reads from; lines; the process's own if None.
        engine: ``local``, threads of this machine, or ``ray``, actors of a Ray cluster; the results are the same.
        cluster: which one, and how many actors, for the engine ``ray``; None for one on this machine.

    Returns:
        Results, in the order of the sources unless ``ordered`` is False. A picture that cannot be read is a result with
        ``status: error``.

    Raises:
        BundleError: the model cannot be found or loaded, or has no such profile. Raised at the call, not at the first
            result.
        MadebyError: the results at hand are another model's, the provider is not installed, the cache cannot be
            used, or the cluster cannot be reached; at the call, too.
        MissingExtraError: the engine is ``ray``, and Ray is not installed.
    """
    from madeby.detector.providers import provider_named
    from madeby.scanning.cluster.options import cluster_for
    from madeby.scanning.scan import scan_with

    named = [sources] if isinstance(sources, str | Path) else sources
    running_on = cluster_for(engine, cluster)
    return scan_with(
        _bundle(model, threshold_profile) if detector else None,
        named,
        provenance=provenance,
        allow_private=allow_private,
        limits=limits,
        workers=workers,
        column=column,
        answered=answered,
        cache=None if cache is None else Path(cache),
        ordered=ordered,
        provider=provider_named(provider, here=running_on is None),
        cluster=running_on,
        standard_input=standard_input,
    )


def provenance(
    sources: str | Path | Iterable[str | Path],
    *,
    trust_list: Path | None = None,
    fetch_remote: bool = False,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    standard_input: Iterable[str] | None = None,
) -> Iterator[Result]:
    """Read every mark that pictures carry: signatures, metadata and watermarks; the pixels are not judged.

    Args:
        sources: as for :func:`scan`.
        trust_list: a PEM file, or a folder of them, that replaces the shipped C2PA trust list.
        fetch_remote: whether to fetch C2PA manifests that pictures only link to.
        allow_private: whether URLs may lead to private, loopback and link-local addresses.
        limits: most bytes and pixels a picture may have.
        workers: pictures under way at a time; one a core if None.
        standard_input: where ``-`` reads from; lines; the process's own if None.

    Returns:
        Results as of :func:`scan`, in the order of the sources, without probability.

    Raises:
        MadebyError: the trust list cannot be read. Raised at the call, not at the first result.
    """
    from madeby.pictures.fetch import FetchPolicy
    from madeby.provenance import ReadingOptions
    from madeby.provenance.trust import trust_list as open_trust_list
    from madeby.scanning.scan import scan_with

    open_trust_list(trust_list)
    policy = FetchPolicy(allow_private=allow_private) if fetch_remote else None
    return scan_with(
        None,
        [sources] if isinstance(sources, str | Path) else sources,
        reading=ReadingOptions(trust_list=trust_list, fetch_remote=policy),
        allow_private=allow_private,
        limits=limits,
        workers=workers,
        standard_input=standard_input,
    )


def bench(
    sources: str | Path | Iterable[str | Path] = (),
    *,
    model: str | Path | None = None,
    provider: str = "cpu",
    megapixels: float = 1.0,
    seconds: float = 10.0,
) -> Bench:
    """Measure how many pictures a second this machine answers about, by stage, and what 100 million would cost.

    Args:
        sources: files to measure with, as for :func:`scan`, the first 8; none for pictures made on the spot.
        model: as for :func:`scan`.
        provider: as for :func:`scan`.
        megapixels: size of the pictures made on the spot.
        seconds: about how long to measure.

    Raises:
        BundleError: the model cannot be found or loaded.
        MadebyError: none of the sources can be read, or the provider is not installed.
    """
    from madeby.detector.providers import provider_named
    from madeby.scanning.bench import bench_with
    from madeby.stores import open_bundle

    named = [sources] if isinstance(sources, str | Path) else sources
    running = provider_named(provider)
    return bench_with(open_bundle(model), named, megapixels=megapixels, seconds=seconds, provider=running)


def scan_bytes(
    data: bytes,
    source: str = "bytes",
    *,
    model: str | Path | Detector | None = None,
    threshold_profile: str = "balanced",
    provenance: bool = True,
    detector: bool = True,
    limits: Limits | None = None,
) -> Result:
    """Answer about one picture in memory; pass a loaded :class:`Detector` as ``model`` when there are many.

    Args:
        data: the whole file.
        source: the name it goes by in the result.
        model: as for :func:`scan`, or a loaded detector.
        threshold_profile: as for :func:`scan`; a loaded detector keeps its own, see :meth:`Detector.with_profile`.
        provenance: whether to read metadata, signatures and watermarks.
        detector: whether to judge the pixels.
        limits: most bytes and pixels the picture may have.

    Raises:
        BundleError: the model cannot be found or loaded.
    """
    from madeby.pictures.limits import Limits
    from madeby.scanning.pipeline import Pipeline

    judging = _loaded(model, threshold_profile) if detector else None
    pipeline = Pipeline(detector=judging, provenance=provenance, limits=limits or Limits())
    return pipeline.answer_bytes(data, source)


def explain(
    sources: str | Path | Iterable[str | Path],
    *,
    model: str | Path | None = None,
    threshold_profile: str = "balanced",
    provider: str = "cpu",
    output: str | Path | None = None,
    kind: str = "overlay",
    allow_private: bool = False,
    limits: Limits | None = None,
) -> Iterator[Explanation]:
    """Show where in pictures the detector's evidence lies.

    Args:
        sources: as for :func:`scan`.
        model: as for :func:`scan`; its network must give a logit map.
        threshold_profile: as for :func:`scan`.
        provider: as for :func:`scan`.
        output: a ``.png`` file for one picture, or a folder; None writes nothing, the drawing is in the explanation.
        kind: ``overlay``, the picture with the map over it, or ``map``, the map alone on a transparent ground.
        allow_private: whether URLs may lead to private, loopback and link-local addresses.
        limits: most bytes and pixels a picture may have.

    Returns:
        Explanations in the order of the sources; one of a picture that cannot be read has a result with
        ``status: error`` and no drawing.

    Raises:
        BundleError: the model cannot be found or loaded, or gives no logit map.
        MadebyError: there is no such kind, ``output`` is one file and there are several pictures, or the provider is
            not installed.
    """
    from madeby.detector.providers import provider_named
    from madeby.scanning.explain import explain_with

    named = [sources] if isinstance(sources, str | Path) else sources
    place = None if output is None else Path(output)
    return explain_with(
        _bundle(model, threshold_profile),
        named,
        place,
        kind=_map_kind(kind),
        allow_private=allow_private,
        limits=limits,
        provider=provider_named(provider),
    )


def explain_bytes(
    data: bytes,
    source: str = "bytes",
    *,
    model: str | Path | Detector | None = None,
    threshold_profile: str = "balanced",
    kind: str = "overlay",
    limits: Limits | None = None,
) -> Explanation:
    """Show where in one picture in memory the evidence lies; arguments as for :func:`scan_bytes` and :func:`explain`.

    Raises:
        BundleError: the model cannot be found or loaded, or gives no logit map.
        MadebyError: there is no such kind.
    """
    from madeby.pictures.limits import Limits
    from madeby.scanning.explain import explained
    from madeby.scanning.pipeline import Pipeline

    pipeline = Pipeline(detector=_loaded(model, threshold_profile), limits=limits or Limits())
    return explained(data, source, pipeline, _map_kind(kind))


def _bundle(model: str | Path | None, threshold_profile: str) -> Bundle:
    from madeby.detector.thresholds import profile_named
    from madeby.stores import open_bundle

    profile = profile_named(threshold_profile)
    return open_bundle(model).with_profile(profile)


def _loaded(model: str | Path | Detector | None, threshold_profile: str) -> Detector:
    from madeby.detector.detector import Detector

    return model if isinstance(model, Detector) else load_detector(model, threshold_profile=threshold_profile)


def _map_kind(kind: str) -> MapKind:
    from madeby.detector.evidence_drawing import MapKind

    if kind not in set(MapKind):
        raise MadebyError(f"there is no evidence map of kind {kind!r}; there are {', '.join(MapKind)}")
    return MapKind(kind)


def load_detector(
    model: str | Path | None = None,
    *,
    threshold_profile: str = "balanced",
    threads: int = 0,
    provider: str = "cpu",
) -> Detector:
    """Load a detector by its model's name, folder or URL.

    Args:
        model: as for :func:`scan`.
        threshold_profile: as for :func:`scan`.
        threads: inside one reading; 0 for one a core.
        provider: as for :func:`scan`.

    Raises:
        BundleError: the model cannot be found or loaded.
        MadebyError: the provider is not installed.
    """
    from madeby.detector.detector import Detector
    from madeby.detector.providers import provider_named
    from madeby.stores import open_bundle

    running = provider_named(provider)
    return Detector(open_bundle(model), threads=threads, provider=running).with_profile(threshold_profile)
