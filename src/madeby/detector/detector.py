"""A model bundle at work: picture in, calibrated probability out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madeby.detector.bundle import Bundle
from madeby.detector.calibration import probability_of
from madeby.detector.flatness import flat_share
from madeby.detector.providers import Provider
from madeby.detector.runtime import OnnxModel
from madeby.detector.thresholds import profile_named
from madeby.detector.views import Pixels, normalised, views_of
from madeby.schema import Label, Signal, Strength

PIXELS_AT_ONCE = 1 << 16
"""Pixels of the views that go through the network in one call: bounds its memory, whatever the number of views."""


@dataclass(frozen=True)
class Reading:
    """What the detector read from one picture.

    ``logit`` is the raw mean over the views, ``view_logits`` (views,) what each view gave, ``probability`` the
    calibrated P(ai), and ``logit_map`` (views, h, w) where in each view the evidence lies, if the network can
    tell.
    """

    logit: float
    probability: float
    view_logits: npt.NDArray[np.float32]
    logit_map: npt.NDArray[np.float32] | None = None

    @property
    def crops(self) -> int:
        """How many views were looked at."""
        return len(self.view_logits)


class Detector:
    """Answers about pictures with one bundle; load once, call from as many threads as wanted."""

    def __init__(self, bundle: Bundle, *, threads: int = 0, provider: Provider = Provider.CPU) -> None:
        """Load the bundle's model; ``threads`` inside one reading, 0 for one a core; ``provider`` runs it.

        Raises:
            BundleError: the model cannot be loaded, or not by this provider.
        """
        self.bundle = self._as_loaded = bundle
        self.provider = provider
        self._model = OnnxModel(bundle.model_path, threads=threads, provider=provider)

    def with_profile(self, name: str) -> Detector:
        """The same loaded model with the thresholds of a profile: ``cautious``, ``balanced`` or ``eager``.

        Raises:
            MadebyError: there is no such profile, or the bundle has no thresholds for it.
        """
        other = copy.copy(self)
        other.bundle = self._as_loaded.with_profile(profile_named(name))
        return other

    def read(self, pixels: Pixels) -> Reading:
        """Read one decoded picture, (height, width, 3) sRGB uint8 of any size."""
        spec = self.bundle.spec
        views = views_of(pixels, spec.preprocessing)
        at_once = max(1, PIXELS_AT_ONCE // spec.preprocessing.size**2)
        parts = [
            self._model.run(normalised(views[start : start + at_once], spec.preprocessing))
            for start in range(0, len(views), at_once)
        ]
        view_logits = np.concatenate([logits for logits, _ in parts])
        maps = [logit_map for _, logit_map in parts if logit_map is not None]
        logit_map = np.concatenate(maps) if maps else None
        logit = float(view_logits.mean())
        return Reading(logit, probability_of(logit, spec.calibration), view_logits, logit_map)

    def signal(self, reading: Reading) -> Signal:
        """The reading as evidence: strong beyond the bundle's thresholds, none between them."""
        thresholds = self.bundle.spec.thresholds
        if reading.probability >= thresholds.ai:
            points_to, strength, reason = (
                Label.AI,
                Strength.STRONG,
                "pixel evidence above the threshold for ai",
            )
        elif reading.probability <= thresholds.human:
            points_to, strength, reason = (
                Label.HUMAN,
                Strength.STRONG,
                "pixel evidence below the threshold for human",
            )
        else:
            points_to, strength, reason = None, Strength.NONE, "pixel evidence between the thresholds"
        detail: dict[str, float | str] = {
            "logit": round(reading.logit, 4),
            "crops": reading.crops,
            "threshold_ai": thresholds.ai,
            "threshold_human": thresholds.human,
        }
        if self.provider is not Provider.CPU:  # others round otherwise: a result says whose figures it has
            detail["provider"] = self.provider.value
        return Signal(name="detector", points_to=points_to, strength=strength, reason=reason, detail=detail)

    def out_of_domain(self, pixels: Pixels) -> list[str]:
        """Reasons why a picture lies outside what the bundle was validated on; empty if it does not."""
        height, width = pixels.shape[:2]
        domain = self.bundle.spec.domain
        reasons = []
        if min(height, width) < domain.min_side:
            reasons.append(
                f"the picture is {width}×{height} pixels; "
                f"this model was validated on pictures of at least {domain.min_side} pixels a side"
            )
        if domain.max_side and max(height, width) > domain.max_side:
            reasons.append(
                f"the picture is {width}×{height} pixels; "
                f"this model was validated on pictures of at most {domain.max_side} pixels a side"
            )
        flat = flat_share(pixels, above=domain.max_flat_share)
        if flat > domain.max_flat_share:
            reasons.append(f"{flat:.0%} of the picture is one flat colour, as in text, drawings and screenshots")
        return reasons
