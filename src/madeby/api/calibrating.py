"""The verb calibrate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import DataError, MadebyError, needing_extra

if TYPE_CHECKING:
    from madeby.detector.bundle import Bundle
    from madeby.pictures.limits import Limits
    from madeby.scanning.calibrate import CalibrationSummary


def calibrate(
    photographs: str | Path | Iterable[str | Path],
    output: str | Path,
    *,
    model: str | Path | None = None,
    ai: str | Path | Iterable[str | Path] = (),
    data: str | Path | None = None,
    split: str = "val",
    false_alarms: float = 0.01,
    name: str | None = None,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> CalibrationSummary:
    """Set a model's thresholds anew on photographs of one's own: what is promised about false alarms then holds there.

    Network and probabilities stay as they are; the new bundle differs in where a verdict leaves ``uncertain``. Only
    pictures that are known to be photographs (or made by people otherwise) may be given, and none that the model was
    trained on. It takes 99 of them to promise 1% (199 for the profile ``cautious``, 19 for ``eager``).

    Args:
        photographs: as the sources of :func:`scan`; may be empty if ``data`` is given.
        output: the new bundle's folder; an older bundle there is replaced.
        model: as for :func:`scan`.
        ai: pictures known to be AI-made, likewise; with 20 or more the lower thresholds are set anew as well.
        data: a manifest, whose pictures of ``split`` are taken by their labels, beside the others; of each of its
            collections that is large enough the promise is kept, too.
        split: ``train``, ``val``, ``test`` or ``all``.
        false_alarms: share of photographs that may be called ``ai`` by the profile ``balanced``, above 0 and at most
            0.1; ``cautious`` promises half of it and ``eager`` five times as much, 0.1 at most.
        name: of the new bundle; the old one's with ``-calibrated`` if None.
        allow_private: whether URLs may lead to private, loopback and link-local addresses.
        limits: most bytes and pixels a picture may have.
        workers: pictures at a time; one a core if None.
        progress: called with the number of pictures done.

    Raises:
        BundleError: the model cannot be found or loaded, or the output folder cannot be used.
        DataError: there are too few photographs for what is to be promised, a picture is given as both, the manifest
            cannot be used, or the model is known to have learnt from these pictures of it.
        MadebyError: ``false_alarms`` or ``name`` makes no sense, or no picture is named.
        MissingExtraError: manifests are read by the extra ``train``, which is not installed.
    """
    from madeby.scanning.calibrate import calibrate_with
    from madeby.stores import open_bundle

    bundle = open_bundle(model)
    human, others, collections = _named(photographs), _named(ai), {}
    if data is not None:
        rows = _rows(Path(data), split, bundle)
        human += [path for path, label, _ in rows if label == "human"]
        others += [path for path, label, _ in rows if label == "ai"]
        collections = {path: collection for path, _, collection in rows if collection is not None}
    if not human:
        raise MadebyError("name photographs to calibrate on, or a manifest with human pictures")
    return calibrate_with(
        bundle,
        human,
        Path(output),
        ai=others,
        collections=collections,
        false_alarms=false_alarms,
        name=name,
        allow_private=allow_private,
        limits=limits,
        workers=workers,
        progress=progress,
    )


def _named(sources: str | Path | Iterable[str | Path]) -> list[str]:
    return [str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]


def _rows(data: Path, split: str, bundle: Bundle) -> list[tuple[str, str, str | None]]:
    """Path, label and collection of a manifest's pictures; none that the model is known to have learnt from."""
    with needing_extra("calibrate --data", "train"):
        from madeby.datasets.manifest import learnt_already, read_manifest, usable
        from madeby.datasets.selection import of_split
    table = usable(read_manifest(data))
    rows = of_split(table, split, data)
    asked = set(rows["split"].to_list())
    if also := [each for each in learnt_already(table, bundle.spec.training.learnt) if each in asked]:
        raise DataError(
            f"{bundle.spec.name} has learnt from the {' and '.join(also)} pictures of {data}: thresholds set on "
            "them would promise too much; take another --split, or other photographs"
        )
    return list(rows.select("path", "label", "collection").iter_rows())
