"""What a benchmark found, as data: ``benchmark.json`` holds it, and the table has a line for each row."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from madeby.errors import DataError
from madeby.schema import Frozen

BENCHMARK_FILE = "benchmark.json"
TABLE_FILE = "benchmark.csv"
PAGE_FILE = "benchmark.html"

Scope = Literal["all", "collection", "generator"]
Kind = Literal["bundle", "onnx", "timm", "transformers", "process", "baseline"]
UNCHANGED = ""
"""The degradation of pictures as they are."""


class Cuts(Frozen):
    """Where a detector's verdicts begin; ``ai`` from one probability up, ``human`` from the other down."""

    ai: float = 0.5
    human: float = 0.5

    @model_validator(mode="after")
    def _in_order(self) -> Cuts:
        if self.human > self.ai:
            raise ValueError("the threshold of human must not lie above that of ai")
        return self


class DetectorInfo(Frozen):
    """A detector of the table.

    ``fingerprint`` changes with anything that could change its answers; ``learnt_from`` is the ``manifest_sha256`` of
    the manifest that it was trained on, where that is known, and ``learnt_splits`` which splits of it.
    """

    name: str
    kind: Kind
    version: str = ""
    fingerprint: str = ""
    thresholds: Cuts = Cuts()
    learnt_from: str = ""
    learnt_splits: tuple[str, ...] = ()
    note: str = ""
    median_ms: float | None = None


class DataInfo(Frozen):
    """Pictures of one manifest that were asked about; ``listed`` stood in the split before a limit."""

    name: str
    split: str
    manifest_sha256: str
    listed: int
    human: int
    ai: int
    limit: int | None = None


class Figure(Frozen):
    """A figure and its 95% interval, ends null where there is none."""

    value: float
    low: float | None = None
    high: float | None = None


class Row(Frozen):
    """One detector on one set of pictures after one degradation.

    ``n_human`` and ``n_ai`` are the set's own pictures that got a score, ``unread`` those without one. A set of one
    label has ``beside`` it all pictures of the other label of its data set, for the figures that need both: AUROC and
    the shares of AI pictures found at 1% and 5% false alarms. ``ece`` is the set's own and null for one label.
    ``real_accuracy`` is the share of human pictures not called ``ai``, ``found`` that of AI pictures called ``ai``,
    ``coverage`` that of pictures with another verdict than ``uncertain``, and ``accuracy_decided`` how many of those
    verdicts are right; all by the detector's own thresholds. ``auroc_drop`` is what the degradation costs, on the
    pictures that have both scores.
    """

    data: str
    scope: Scope
    value: str
    detector: str
    degradation: str
    n_human: int
    n_ai: int
    unread: int
    beside: str | None
    auroc: Figure | None
    auroc_drop: Figure | None
    tpr_at_fpr_1: Figure | None
    tpr_at_fpr_5: Figure | None
    real_accuracy: Figure | None
    found: Figure | None
    ece: Figure | None
    coverage: Figure | None
    accuracy_decided: Figure | None


FIGURES = (
    *("auroc", "auroc_drop", "tpr_at_fpr_1", "tpr_at_fpr_5", "real_accuracy", "found", "ece", "coverage"),
    "accuracy_decided",
)
"""The fields of a row that are figures, in the order of the table."""


class Failure(Frozen):
    """What a detector could not do: all of it, or one degradation."""

    detector: str
    degradation: str | None
    reason: str


class Benchmark(Frozen):
    """A whole benchmark. ``unread_examples`` are (detector, picture, reason)."""

    version: Literal[1] = 1
    created: str
    madeby_version: str
    command: str = ""
    seed: int
    bootstrap: int
    data: tuple[DataInfo, ...]
    detectors: tuple[DetectorInfo, ...]
    degradations: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    unread_examples: tuple[tuple[str, str, str], ...] = Field(default=())

    @classmethod
    def read(cls, folder: Path) -> Benchmark:
        """Read a benchmark's folder.

        Raises:
            DataError: there is none, or it is damaged.
        """
        path = folder / BENCHMARK_FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValidationError as error:
            raise DataError(f"{path} holds no benchmark: {error.errors()[0]['msg']}") from None
