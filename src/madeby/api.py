"""The verbs as Python functions: the names and the results that the command line and REST have.

Each function finds what its arguments name (a bundle, a manifest, a recipe) and hands over to the room that does
the work. Rooms are imported when a verb is called, so that scanning never loads what only training needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import needing_extra
from madeby.schema import Result

if TYPE_CHECKING:
    from madeby.detector.bundle import BundleSpec
    from madeby.detector.detector import Detector
    from madeby.evaluation.evaluate import Evaluation
    from madeby.pictures.limits import Limits


def scan(
    sources: str | Path | Iterable[str | Path],
    *,
    model: str | Path | None = None,
    provenance: bool = True,
    detector: bool = True,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    standard_input: Iterable[str] | None = None,
) -> Iterator[Result]:
    """Answer about pictures: who made each, how sure that is, and why.

    Args:
        sources: one or many of: files, folders (read recursively), globs, http(s) URLs, or ``-`` for one source a
            line from ``standard_input``.
        model: name of a built-in bundle, or the folder of a bundle or a run; None for the default.
        provenance: whether to read metadata, signatures and watermarks.
        detector: whether to judge the pixels.
        allow_private: whether URLs may lead to private, loopback and link-local addresses.
        limits: most bytes and pixels a picture may have.
        workers: pictures under way at a time; one a core if None.
        standard_input: where ``-`` reads from; lines; the process's own if None.

    Returns:
        Results in the order of the sources, as they are ready. A picture that cannot be read is a result with
        ``status: error``.

    Raises:
        BundleError: the model cannot be found or loaded. Raised at the call, not at the first result.
    """
    from madeby.scanning.scan import scan_with
    from madeby.stores import open_bundle

    named = [sources] if isinstance(sources, str | Path) else sources
    return scan_with(
        open_bundle(model) if detector else None,
        named,
        provenance=provenance,
        allow_private=allow_private,
        limits=limits,
        workers=workers,
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


def scan_bytes(
    data: bytes, source: str = "bytes", *, model: str | Path | Detector | None = None, provenance: bool = True
) -> Result:
    """Answer about one picture in memory; pass a loaded :class:`Detector` as ``model`` when there are many.

    Raises:
        BundleError: the model cannot be found or loaded.
    """
    from madeby.detector.detector import Detector
    from madeby.scanning.pipeline import Pipeline

    detector = model if isinstance(model, Detector) else load_detector(model)
    return Pipeline(detector=detector, provenance=provenance).answer_bytes(data, source)


def load_detector(model: str | Path | None = None, *, threads: int = 0) -> Detector:
    """Load a detector by bundle name or folder; ``threads`` inside one reading, 0 for one a core.

    Raises:
        BundleError: the model cannot be found or loaded.
    """
    from madeby.detector.detector import Detector
    from madeby.stores import open_bundle

    return Detector(open_bundle(model), threads=threads)


@dataclass(frozen=True)
class ShownModel:
    """A bundle's description, its card (Markdown) and where it lies."""

    spec: BundleSpec
    card: str
    folder: Path


def models_list() -> list[BundleSpec]:
    """Descriptions of the built-in models."""
    from madeby.stores import builtin_names, open_bundle

    return [open_bundle(name).spec for name in builtin_names()]


def models_show(model: str | Path) -> ShownModel:
    """A model's description and card.

    Raises:
        BundleError: the model cannot be found.
    """
    from madeby.stores import open_bundle

    bundle = open_bundle(model)
    return ShownModel(bundle.spec, bundle.card, bundle.folder)


def evaluate(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    *,
    split: str = "test",
    bootstrap: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    into_card: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a detector on one split of a manifest, exactly as ``scan`` would answer about its pictures.

    Args:
        model: name of a built-in bundle, or the folder of a bundle or a run.
        data: the manifest.
        output: folder for ``metrics.json``, ``predictions.parquet``, plots and galleries of mistakes.
        split: ``train``, ``val``, ``test`` or ``all``.
        bootstrap: resamples for the 95% intervals; 0 for none.
        seed: seed of the resamples.
        threads: pictures at a time; one a core if None.
        into_card: also write the figures into the bundle's card, in a section of this name.
        progress: called with (pictures done, their count).

    Raises:
        BundleError: the model cannot be found or loaded.
        DataError: the manifest cannot be used or has no such split.
        MissingExtraError: the extra ``train`` is not installed.
    """
    from madeby.stores import open_bundle

    bundle = open_bundle(model)
    with needing_extra("evaluate", "train"):
        from madeby.evaluation.card import record_in_card
        from madeby.evaluation.evaluate import evaluate_bundle
    evaluation = evaluate_bundle(
        bundle,
        Path(data),
        Path(output),
        split=split,
        bootstrap=bootstrap,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    if into_card is not None:
        named = Path(model).name or str(model)
        command = f"madeby evaluate --model {named} --data {Path(data).name} --split {split} --bootstrap {bootstrap}"
        record_in_card(bundle, evaluation.metrics, into_card, command)
    return evaluation
