"""The verb ``evaluate``: from a bundle and a manifest to figures, plots and galleries of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from madeby.datasets.manifest import COLUMNS, PUBLISHED, manifest_sha256, read_manifest, usable
from madeby.datasets.selection import of_split
from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.detector.providers import Provider
from madeby.errors import DataError
from madeby.evaluation.degrading import Chain
from madeby.evaluation.drawing import draw_evaluation
from madeby.evaluation.metrics import Metrics, measure, measure_by
from madeby.evaluation.mistakes import draw_mistakes
from madeby.evaluation.predict import PREDICTED, Unread, predict
from madeby.evaluation.repeats import learnt_by_heart

METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"
MOST_VALUES = 60
"""A column with more different values than this tells pictures apart rather than kinds of pictures."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gave and where it lies; ``unread`` are pictures left out, with the reason."""

    folder: Path
    metrics: Metrics
    plots: tuple[Path, ...]
    unread: tuple[Unread, ...]


def evaluate_bundle(
    bundle: Bundle,
    data: Path,
    output: Path,
    *,
    split: str = "test",
    bootstrap: int = 1000,
    seed: int = 0,
    flips: bool = False,
    degrade: Sequence[str] = (),
    threads: int | None = None,
    provider: Provider = Provider.CPU,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a bundle on one split of a manifest; see :func:`madeby.evaluate`, which finds the bundle.

    Writes ``metrics.json``, ``predictions.parquet``, plots and galleries into ``output``.

    Raises:
        RecipeError: a degradation is not known or its value out of bounds.
        DataError: the manifest has no such split, or none of its pictures can be read.
    """
    degradation = Chain.parse(degrade)
    table = usable(read_manifest(data))
    rows = of_split(table, split, data)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{output} cannot be made a folder for the results: {error.strerror or error}") from None
    predictions = predict(
        Detector(bundle, threads=1, provider=provider),
        rows,
        flips=flips,
        degradation=degradation,
        threads=threads,
        progress=progress,
    )
    predicted = predictions.table
    if predicted.is_empty():
        raise DataError(f"{data}: none of the {rows.height} pictures can be read: {predictions.unread[0].reason}")
    probability = predicted["probability"].to_numpy()
    is_ai = (predicted["label"] == "ai").to_numpy()
    columns = _grouping_columns(predicted)
    thresholds = bundle.spec.thresholds
    overall = measure(probability, is_ai, thresholds, bootstrap=bootstrap, seed=seed)
    repeated = learnt_by_heart(table, predicted, threads=threads)
    without_repeats = None
    if repeated is not None and repeated.any() and not repeated.all():
        without_repeats = measure(probability[~repeated], is_ai[~repeated], thresholds, bootstrap=bootstrap, seed=seed)
    metrics = Metrics(
        **dict(overall),
        split=split,
        data=data.name,
        manifest_sha256=manifest_sha256(table),
        model=bundle.info,
        unreadable=len(predictions.unread),
        bootstrap=bootstrap,
        seed=seed,
        flips=flips,
        degradation=degradation.text,
        provider=provider.value,
        repeats=None if repeated is None else int(repeated.sum()),
        without_repeats=without_repeats,
        by=measure_by(
            probability,
            is_ai,
            {column: predicted[column].to_list() for column in columns},
            thresholds,
            bootstrap=bootstrap,
            seed=seed,
        ),
    )
    (output / METRICS_FILE).write_text(metrics.model_dump_json(indent=2) + "\n", encoding="utf-8")
    predicted.select("path", "label", "split", *PREDICTED, *columns).write_parquet(output / PREDICTIONS_FILE)
    plots = [
        *draw_evaluation(probability, is_ai, metrics, output),
        *draw_mistakes(predicted, output),
    ]
    return Evaluation(output, metrics, tuple(plots), predictions.unread)


def _grouping_columns(table: pl.DataFrame) -> list[str]:
    """Columns worth a table of their own: the generator, the collection, and what a loader added, if of few values."""
    extra = [
        name
        for name, kind in table.schema.items()
        if kind == pl.String and name not in (*COLUMNS, PUBLISHED, *PREDICTED)
    ]
    return [
        name for name in ("generator", "collection", *extra) if 1 <= table[name].drop_nulls().n_unique() <= MOST_VALUES
    ]
