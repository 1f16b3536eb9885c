"""Which pictures a sink already holds results of, so that an interrupted scan goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from madeby.errors import MadebyError

_DIGEST_BYTES = 12


class Answered:
    """Counts the results at hand by the picture's name, and keeps which models gave them.

    A name may come several times in one scan; each result at hand stands for one of them, the first ones first.
    Names are kept as digests of 12 bytes: about 110 bytes of memory a picture.
    """

    def __init__(self, results: Iterable[tuple[str, str | None]] = ()) -> None:
        """Begin with (source, model sha256) of results; "" for a model that was not asked, None where none could be."""
        self._counts: dict[bytes, int] = {}
        self.models: set[str] = set()
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

    def check_model(self, model: str) -> None:
        """Refuse to mix answers of several models.

        Args:
            model: sha256 of the model that is to go on, "" for none.

        Raises:
            MadebyError: results at hand are another model's.
        """
        if others := self.models - {model}:
            was = ", ".join(f"model {other[:12]}…" if other else "no model" for other in sorted(others))
            now = f"model {model[:12]}…" if model else "no model"
            raise MadebyError(
                f"cannot resume: the results so far were given by {was}, this scan uses {now}; "
                "name the same model, or another file for the results"
            )

    @classmethod
    def in_all(cls, several: Iterable[Answered]) -> Answered:
        """What every one of several holds; it is used up in each of them."""
        several = list(several)
        common = cls()
        common.models = set().union(*(one.models for one in several))
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


def _key(source: str) -> bytes:
    return blake2b(source.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
