"""Models at hand beside the one that is served: loaded when first asked for, a few at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict

import madeby
from madeby.errors import BundleError
from madeby.web.live_model import LiveModel
from madeby.web.refusal import RefusalError

MOST_LOADED = 3


class Shelf:
    """Finds models by the names that ``GET /models`` gives; clients name no folders and no addresses."""

    def __init__(self, live: LiveModel) -> None:
        self._live = live
        self._loaded: OrderedDict[str, madeby.Detector] = OrderedDict()
        self._lock = threading.Lock()

    def detector(self, name: str) -> madeby.Detector:
        """The detector of a model at hand.

        Raises:
            RefusalError: 422, there is no such model; 503, it cannot be loaded.
        """
        serving = self._live.detector
        if name == serving.bundle.spec.name:
            return serving
        with self._lock:
            known = self.listed(name)
            if known is None:
                raise RefusalError(
                    422, "unknown_model", f"no model {name[:80]!r} is at hand; GET /api/v1/models lists them"
                )
            if known.model not in self._loaded:
                try:
                    self._loaded[known.model] = self._live.load(known.model)
                except BundleError:
                    raise RefusalError(503, "model_unusable", f"the model {name[:80]!r} cannot be loaded") from None
            self._loaded.move_to_end(known.model)
            while len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[known.model]

    @staticmethod
    def listed(name: str) -> madeby.ListedModel | None:
        """The listed model of that name, the newest where the version is left out."""
        here = madeby.models_list()
        exact = next((each for each in here if each.model == name), None)
        return exact or next((each for each in here if each.spec.name == name), None)
