"""The function that every engine runs on every source unit: plain data in, one result out, and never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from madeby.errors import PictureError
from madeby.pictures.sources import SourceUnit, printable
from madeby.scanning.pipeline import Pipeline, failed
from madeby.schema import Result

if TYPE_CHECKING:
    from madeby.scanning.cache import AnswerCache


@dataclass(frozen=True)
class Answering:
    """Answers about source units with one pipeline, remembering what it said if there is a cache; threads share one."""

    pipeline: Pipeline
    cache: AnswerCache | None = None

    def __call__(self, unit: SourceUnit) -> Result:
        """Read the unit and answer about it; what goes wrong becomes the result's error."""
        try:
            data = unit.read(self.pipeline.limits, self.pipeline.fetch_policy)
        except PictureError as problem:
            return failed(printable(unit.name), problem.code, problem.message)
        if self.cache is None:
            return self.pipeline.answer_bytes(data, unit.name)
        return self.cache.answer(data, printable(unit.name), lambda: self.pipeline.answer_bytes(data, unit.name))
