"""The model that a server answers with, and its exchange for another while requests are under way."""

from __future__ import annotations

import logging
import math
import threading
from datetime import datetime
from pathlib import Path

import numpy as np

import madeby
from madeby.errors import BundleError, MadebyError
from madeby.schema import Frozen, ModelInfo
from madeby.web.record import now

TRIAL_SIDE = 256
LONGEST_PAUSE_SECONDS = 600.0
CLOSING_SECONDS = 2.0

_log = logging.getLogger("madeby.web")


class LiveStatus(Frozen):
    """What is served, since when, and how the last look at the store went.

    ``swaps`` counts exchanges since the start; ``checked`` is when the store was last asked, null where none is
    watched; ``problem`` says why a newer version is not served, null if there is no such version.
    """

    model: ModelInfo
    since: datetime
    swaps: int = 0
    checked: datetime | None = None
    problem: str | None = None

    def for_strangers(self) -> LiveStatus:
        """The same without addresses and paths, which a problem may name; the log has them."""
        told = "the newest version in the store cannot be served, or the store cannot be read; the log says why"
        return self.model_copy(update={"problem": told}) if self.problem else self


class LiveModel:
    """Holds a loaded detector and exchanges it in one step.

    A request takes :attr:`detector` once and keeps what it got: it ends with the detector that it began with, which
    lives until the last such request is done. A new model is fetched, verified, loaded and tried before it takes
    the place of the old one; if any of that fails the old one stays.
    """

    def __init__(
        self, model: str | None = None, *, threads: int = 1, threshold_profile: str = "balanced", provider: str = "cpu"
    ) -> None:
        """Load a model as ``scan --model --provider`` does; ``threads`` inside one reading, 0 for one a core.

        A model that has no thresholds for the profile is not served.

        Raises:
            BundleError: it cannot be found, loaded or used.
            MadebyError: the provider is not installed.
        """
        self._model = model
        self._threads = threads
        self._profile, self._provider = threshold_profile, provider
        self._detector = _tried(self.load(model))
        self._status = LiveStatus(model=self._detector.bundle.info, since=now())
        self._identity = ""  # of the last bundle seen in the store
        self._exchanging = threading.Lock()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def detector(self) -> madeby.Detector:
        """The detector of this moment."""
        return self._detector

    @property
    def status(self) -> LiveStatus:
        """What is served and how the last look at the store went."""
        return self._status

    def load(self, model: str | Path | None) -> madeby.Detector:
        """A model loaded to be run as the one that is served.

        Raises:
            BundleError: it cannot be found or loaded.
        """
        detector = madeby.load_detector(model, threads=self._threads, provider=self._provider)
        detector.with_profile(self._profile)  # which each request asks for: better no model than none of its verdicts
        return detector

    def refresh(self) -> bool:
        """Ask the store for its newest version and serve it; whether there was one that was not served before.

        Raises:
            BundleError: the store does not answer, or its newest version is unsound; the old one stays.
        """
        with self._exchanging:
            if self._model is None or "://" not in self._model:
                raise BundleError(
                    f"{self._model or 'the default model'} is in no store that could have a newer version"
                )
            newest = madeby.models_newest(self._model)
            if newest.identity == self._identity:
                return False
            bundle = madeby.models_pull(self._model)
            changed = bundle.folder != self._detector.bundle.folder
            if changed:
                self._exchange(_tried(self.load(bundle.folder)))
            self._identity = newest.identity
            return changed

    def watch(self, every_seconds: float) -> None:
        """Call :meth:`refresh` again and again in a thread of its own until :meth:`close`.

        What goes wrong is logged and stands in :attr:`status`; after a failure the pauses grow, up to ten minutes.

        Raises:
            BundleError: the model comes from no store.
        """
        if self._model is None or "://" not in self._model:
            raise BundleError("only a model from a store, as --model s3://bucket/models/name, can be watched")
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._watch, args=(every_seconds,), name="madeby-live-model", daemon=True
            )
            self._watcher.start()

    def close(self) -> None:
        """Stop watching, without waiting long for a pull under way; what is loaded stays usable."""
        self._closed.set()
        if self._watcher is not None:
            self._watcher.join(CLOSING_SECONDS)

    def _watch(self, every_seconds: float) -> None:
        failures = 0
        while not self._closed.wait(_pause(every_seconds, failures)):
            try:
                self.refresh()
            except Exception as error:  # whatever a store serves, the server goes on with what it has
                failures += 1
                told = str(error) if isinstance(error, MadebyError) else f"{type(error).__name__}: {error}"
                self._note(problem=told)
                _log.warning("the model stays %s: %s", _named(self._status.model), told)
            else:
                failures = 0
                self._note(problem=None)

    def _note(self, problem: str | None) -> None:
        with self._exchanging:
            self._status = self._status.model_copy(update={"checked": now(), "problem": problem})

    def _exchange(self, detector: madeby.Detector) -> None:
        before = self._status.model
        self._detector = detector
        self._status = LiveStatus(
            model=detector.bundle.info, since=now(), swaps=self._status.swaps + 1, checked=self._status.checked
        )
        _log.info("the model is now %s, it was %s", _named(self._status.model), _named(before))


def _tried(detector: madeby.Detector) -> madeby.Detector:
    """The detector, after it has read one made-up picture as it will read real ones."""
    ramp = np.linspace(0, 255, TRIAL_SIDE, dtype=np.uint8)
    pixels = np.repeat(np.stack([np.broadcast_to(ramp, (TRIAL_SIDE, TRIAL_SIDE))], axis=-1), 3, axis=-1)
    named = _named(detector.bundle.info)
    try:
        probability = detector.read(pixels).probability
    except Exception as error:  # onnxruntime's exception classes share no public root
        raise BundleError(f"{named} cannot read a picture: {error}") from None
    if not math.isfinite(probability):
        raise BundleError(f"{named} answers with {probability}, which is no probability")
    return detector


def _pause(every_seconds: float, failures: int) -> float:
    longest = max(every_seconds, LONGEST_PAUSE_SECONDS)
    return min(longest, every_seconds * 2.0 ** min(failures, 30))


def _named(model: ModelInfo) -> str:
    return f"{model.name} {model.version}"
