"""Our own bundles."""

from __future__ import annotations

import hashlib

from madeby.detector.bundle import Bundle
from madeby.detector.detector import Detector
from madeby.evaluation.benchmarking.record import Cuts, DetectorInfo
from madeby.evaluation.benchmarking.scorers.scorer import Shown


class BundleScorer:
    """A bundle, read exactly as ``scan`` reads it."""

    threads = None

    def __init__(self, name: str, bundle: Bundle) -> None:
        """Load the model.

        Raises:
            BundleError: it cannot be loaded.
        """
        self._detector = Detector(bundle, threads=1)
        spec = bundle.spec
        self.info = DetectorInfo(
            name=name,
            kind="bundle",
            version=spec.version,
            fingerprint=hashlib.sha256(spec.model_dump_json().encode()).hexdigest()[:16],
            thresholds=Cuts(ai=spec.thresholds.ai, human=spec.thresholds.human),
            learnt_from=spec.training.manifest_sha256,
            learnt_splits=("train", "val") if "from" in spec.training.recipe else ("train",),
        )

    def score(self, shown: Shown) -> float:
        """The calibrated P(ai)."""
        return self._detector.read(shown.pixels).probability

    def close(self) -> None:
        """Nothing is held but memory."""
