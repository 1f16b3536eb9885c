"""Which pictures a sink already holds results of, so that an interrupted scan goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from madeby.errors import MadebyError

_DIGEST_BYTES = 12

Cuts = tuple[float, float]
"""From which probability on a verdict is ``ai``, and up to which ``human``."""


class Answered:
    """Counts the results at hand by the picture's name, and keeps which models gave them, by which thresholds.

    A name may come several times in one scan; each result at hand stands for one of them, the first ones first.
    Names are kept as digests of 12 bytes: about 110 bytes of memory a picture.
    """

    def __init__(self, results: Iterable[tuple[str, str | None]] = ()) -> None:
        """Begin with (source, model sha256) of results; "" for a model that was not asked, None where none could be."""
        self._counts: dict[bytes, int] = {}
        self.models: set[str] = set()
        self.thresholds: set[Cuts] = set()
        for source, model in results:
            self.add(source, model)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def add(self, source: str, model: str | None = None) -> None:
        """Count one more result."""
        key = _key(source)
        self._counts[key] = self._counts.get(key, 0) + 1
        if model is not None:
            self.models.add(model)

    def decided_by(self, thresholds: Cuts | None) -> None:
        """Keep by which thresholds results were decided; None where no model was asked."""
        if thresholds is not None:
            self.thresholds.add(thresholds)

    def take(self, source: str) -> bool:
        """Whether there is a result of this name left; if so, it is used up."""
        if not self._counts:
            return False
        key = _key(source)
        left = self._counts.get(key, 0)
        if left > 1:
            self._counts[key] = left - 1
        elif left:
            del self._counts[key]
        return left > 0

    def check_model(self, model: str, thresholds: Cuts | None = None) -> None:
        """Refuse to mix answers of several models, or verdicts by several thresholds.

        Args:
            model: sha256 of the model that is to go on, "" for none.
            thresholds: what it decides by; None where it decides nothing.

        Raises:
            MadebyError: results at hand are another model's, or were decided by other thresholds.
        """
        if others := self.models - {model}:
            was = ", ".join(f"model {other[:12]}…" if other else "no model" for other in sorted(others))
            now = f"model {model[:12]}…" if model else "no model"
            raise MadebyError(
                f"cannot resume: the results so far were given by {was}, this scan uses {now}; "
                "name the same model, or another file for the results"
            )
        if thresholds and (decided := self.thresholds - {thresholds}):
            was = " or ".join(_in_words(other) for other in sorted(decided))
            raise MadebyError(
                f"cannot resume: the results so far say {was}, this scan would say {_in_words(thresholds)}; "
                "name the same model and --threshold-profile, or another file for the results"
            )

    @classmethod
    def in_all(cls, several: Iterable[Answered]) -> Answered:
        """What every one of several holds; it is used up in each of them."""
        several = list(several)
        common = cls()
        common.models = set().union(*(one.models for one in several))
        common.thresholds = set().union(*(one.thresholds for one in several))
        if several:
            first, *others = (one._counts for one in several)
            for key, count in list(first.items()):
                least = min(count, *(other.get(key, 0) for other in others)) if others else count
                if least:
                    common._counts[key] = least
                    for counts in (first, *others):
                        counts[key] -= least
                        if not counts[key]:
                            del counts[key]
        return common


def thresholds_in(signals: Sequence[dict[str, Any]]) -> Cuts | None:
    """The thresholds that the detector's signal tells of, among a result's signals as JSON has them.

    Raises:
        ValueError, KeyError, TypeError: these are no signals.
    """
    for signal in signals:
        if signal["name"] == "detector" and "threshold_ai" in signal["detail"]:
            return float(signal["detail"]["threshold_ai"]), float(signal["detail"]["threshold_human"])
    return None


def _in_words(thresholds: Cuts) -> str:
    ai, human = thresholds
    return f"ai {'never' if ai > 1 else f'from {ai:.4f}'} and human {'never' if human < 0 else f'up to {human:.4f}'}"


def _key(source: str) -> bytes:
    return blake2b(source.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
