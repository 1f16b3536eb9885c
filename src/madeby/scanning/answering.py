"""The function that every engine runs on every source unit: plain data in, one result out, and never an exception."""

from __future__ import annotations

from dataclasses import dataclass

from madeby.errors import PictureError
from madeby.pictures.sources import SourceUnit, printable
from madeby.scanning.pipeline import Pipeline, failed
from madeby.schema import Result


@dataclass(frozen=True)
class Answering:
    """Answers about source units with one pipeline; threads share one."""

    pipeline: Pipeline

    def __call__(self, unit: SourceUnit) -> Result:
        """Read the unit and answer about it; what goes wrong becomes the result's error."""
        try:
            data = unit.read(self.pipeline.limits, self.pipeline.fetch_policy)
        except PictureError as problem:
            return failed(printable(unit.name), problem.code, problem.message)
        return self.pipeline.answer_bytes(data, unit.name)
