"""Scores on disk, a file for each detector and degradation, so that an interrupted benchmark goes on where it stopped.

A file is lines of JSON: first what the scores are of, then one a picture. A line that a crash cut short is passed
over, and its picture asked about again; so are pictures that had no score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from madeby.errors import DataError

FOLDER = "scores"
FORMAT = 1


@dataclass(frozen=True)
class Answer:
    """What one detector said about one picture: P(ai) and the milliseconds it took, or why there is none."""

    score: float | None
    error: str | None = None
    ms: float | None = None


class ScoreFile:
    """Answers of one detector about pictures after one degradation; a context that keeps the file open."""

    def __init__(self, folder: Path, detector: str, fingerprint: str, degradation: str, seed: int) -> None:
        """Read what is there of this very detector, degradation and seed; anything else is begun anew."""
        self.path = folder / FOLDER / detector / f"{degradation or 'unchanged'}.jsonl"
        self._head = {
            "scores": FORMAT,
            "detector": detector,
            "fingerprint": fingerprint,
            "degradation": degradation,
            "seed": seed,
        }
        self.answers: dict[str, Answer] = {}
        self._continues = self._read()
        self._file: IO[str] | None = None

    def __enter__(self) -> ScoreFile:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a" if self._continues else "w", encoding="utf-8")
            # A line that was cut short must not swallow the next one.
            self._file.write("\n" if self._continues else json.dumps(self._head) + "\n")
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror or error}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, picture: str, answer: Answer) -> None:
        """Keep an answer; it is on disk before the next is asked for."""
        assert self._file is not None
        line = {"picture": picture, "score": answer.score, "error": answer.error, "ms": answer.ms}
        try:
            self._file.write(json.dumps({name: value for name, value in line.items() if value is not None}) + "\n")
            self._file.flush()
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror or error}") from None
        self.answers[picture] = answer

    def _read(self) -> bool:
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return False
        if not lines or _parsed(lines[0]) != self._head:
            return False
        for line in lines[1:]:
            content = _parsed(line)
            score, ms = content.get("score"), content.get("ms")
            if "picture" in content and isinstance(score, float | int):
                self.answers[str(content["picture"])] = Answer(
                    float(score), ms=ms if isinstance(ms, float | int) else None
                )
        return True


def holds_scores(folder: Path) -> bool:
    """Whether an earlier benchmark left scores there."""
    return any((folder / FOLDER).glob("*/*.jsonl"))


def _parsed(line: str) -> dict[str, object]:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
