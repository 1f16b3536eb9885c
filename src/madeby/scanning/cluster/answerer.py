"""The actor: answers about batches of units on whichever machine it was begun."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from madeby.detector.bundle import Bundle, BundleSpec
from madeby.detector.detector import Detector
from madeby.detector.providers import Provider, provider_named
from madeby.errors import MadebyError
from madeby.pictures.sources import SourceUnit
from madeby.pictures.sources.read_ahead import read_ahead
from madeby.scanning.answering import Answering
from madeby.scanning.local import run_local
from madeby.scanning.pipeline import Pipeline
from madeby.schema import Result
from madeby.version import __version__


@dataclass(frozen=True)
class SentBundle:
    """A bundle on its way: what describes it, as the asking machine has it, and the bytes of its model."""

    spec: BundleSpec
    model: bytes

    @classmethod
    def of(cls, bundle: Bundle) -> SentBundle:
        """Take a bundle apart."""
        return cls(bundle.spec, bundle.model_path.read_bytes())

    def detector(self, provider: Provider) -> Detector:
        """Put it together again, and to work.

        Raises:
            BundleError: the model cannot be loaded here.
            MadebyError: the provider is not installed here.
        """
        with tempfile.TemporaryDirectory(prefix="madeby-") as folder:
            bundle = Bundle(Path(folder), self.spec)
            bundle.model_path.write_bytes(self.model)
            return Detector(bundle, threads=1, provider=provider_named(provider.value))


@dataclass(frozen=True)
class Setup:
    """All that an actor needs: the pipeline without its detector, and the bundle that makes one.

    ``provider`` runs the model, ``workers`` is how many pictures an actor has under way at a time, ``folder`` what
    relative names start from where files are shared, ``version`` that of the madeby which asks.
    """

    pipeline: Pipeline
    bundle: SentBundle | None
    provider: Provider = Provider.CPU
    workers: int = 1
    folder: str | None = None
    version: str = __version__

    def answering(self) -> Answering:
        """The function that answers, on the machine where it is to do so.

        Raises:
            MadebyError: it cannot, there.
        """
        detector = None if self.bundle is None else self.bundle.detector(self.provider)
        return Answering(replace(self.pipeline, detector=detector))


@dataclass(frozen=True)
class Answers:
    """The results of a batch in its order, and how many seconds they took."""

    results: tuple[Result, ...]
    seconds: float


class Answerer:
    """Holds one loaded model. Two batches may be with it: one is fetched while the other is answered about."""

    def __init__(self, setup: Setup) -> None:
        self.problem_found: str | None = None
        self._workers = setup.workers
        self._limits = setup.pipeline.limits
        self._one_at_a_time = threading.Lock()
        try:
            self._answer = self._begun(setup)
        except (MadebyError, OSError) as error:
            self.problem_found = str(error)

    def problem(self) -> str | None:
        """Why this actor cannot answer, None if it can."""
        return self.problem_found

    def answer(self, units: tuple[SourceUnit, ...]) -> Answers:
        """Answer about each unit."""
        read = read_ahead(units, self._limits)
        first = list(islice(read, 1))  # from here on the batch is being fetched
        with self._one_at_a_time:
            start = time.perf_counter()
            results = tuple(run_local(chain(first, read), self._answer, workers=self._workers))
            return Answers(results, time.perf_counter() - start)

    def _begun(self, setup: Setup) -> Answering:
        if setup.version != __version__:
            raise MadebyError(f"it has madeby {__version__} and this machine {setup.version}: install the same on both")
        if setup.folder is not None:
            os.chdir(setup.folder)
        return setup.answering()
