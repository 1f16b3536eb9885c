"""All that a report is made from, as it was found in folders; what is missing is None or empty."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from madeby.datasets.audit.findings import Audit
from madeby.detector.bundle import BundleSpec
from madeby.evaluation.analysis.record import Analysis
from madeby.evaluation.metrics import Metrics
from madeby.training.environment import Environment
from madeby.training.recipe import Recipe
from madeby.training.run import EpochFigures
from madeby.training.tuning.records import Tuning

Record = TypeVar("Record")


@dataclass(frozen=True)
class Measured:
    """An evaluation's folder. ``predictions`` has a row a picture, empty where the table is missing."""

    folder: Path
    metrics: Metrics
    predictions: pl.DataFrame

    @property
    def data(self) -> str:
        """The manifest's name without its ending."""
        return Path(self.metrics.data).stem

    @property
    def title(self) -> str:
        """Which pictures, in few words: ``cifake (test)``, and whether they were read with their mirror images."""
        flipped = ", with mirror images" if self.metrics.flips else ""
        changed = f", after {self.metrics.degradation}" if self.metrics.degradation else ""
        return f"{self.data} ({'all splits' if self.metrics.split == 'all' else self.metrics.split}{flipped}{changed})"

    @property
    def pictures(self) -> tuple[str, str, str]:
        """What two evaluations of the same pictures have in common: the manifest's checksum, the split, the changes."""
        return self.metrics.manifest_sha256, self.metrics.split, self.metrics.degradation


@dataclass(frozen=True)
class Placed(Generic[Record]):
    """A record and the folder or file it was read from."""

    path: Path
    record: Record


@dataclass(frozen=True)
class RunMaterial:
    """One run and what was found about it.

    ``counts`` are pictures by split and label. ``evaluations`` come with the run's own data first, test before
    other splits. ``gaps`` are sentences about what is missing.
    """

    name: str
    folder: Path
    recipe: Recipe
    data: Path | None
    manifest_sha256: str
    counts: dict[str, dict[str, int]]
    environment: Environment | None
    epochs: tuple[EpochFigures, ...]
    finished: bool
    spec: BundleSpec | None
    evaluations: tuple[Measured, ...] = ()
    audits: tuple[Placed[Audit], ...] = ()
    tunings: tuple[Placed[Tuning], ...] = ()
    analyses: tuple[Placed[Analysis], ...] = ()
    gaps: tuple[str, ...] = field(default=())

    @property
    def main(self) -> Measured | None:
        """The evaluation that the report leads with."""
        return self.evaluations[0] if self.evaluations else None

    @property
    def elsewhere(self) -> tuple[Measured, ...]:
        """The other evaluations."""
        return self.evaluations[1:]

    def own(self, measured: Measured) -> bool:
        """Whether an evaluation is of the data that the run learnt from, so that splits mean the same."""
        return measured.metrics.manifest_sha256 == self.manifest_sha256
