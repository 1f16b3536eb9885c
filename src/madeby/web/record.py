"""What the server remembers of one answer: the result itself, when it was given, and what people said of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from pydantic import Field

from madeby.schema import Frozen, Label, Result


def new_id() -> str:
    """An identifier that nobody can guess: the 32 hexadecimal digits of a random UUID (RFC 9562, version 4)."""
    return uuid.uuid4().hex


def now() -> datetime:
    """The time in UTC, as all records carry it."""
    return datetime.now(UTC)


class Feedback(Frozen):
    """A person's word that an answer is wrong (or right): who made the picture, and a note."""

    label: Label
    note: str = Field(default="", max_length=2000)
    created: datetime = Field(default_factory=now)


class Record(Frozen):
    """One answer as the server gives and keeps it.

    ``index`` is the picture's place in its request, files before URLs, from 0. ``picture_kept`` tells whether the
    picture itself can be fetched again.
    """

    id: str = Field(default_factory=new_id, pattern="^[0-9a-f]{32}$")
    created: datetime = Field(default_factory=now)
    index: int = Field(default=0, ge=0)
    result: Result
    feedback: Feedback | None = None
    picture_kept: bool = False

    def to_json(self) -> str:
        """The record as one line of JSON; its result is exactly what ``scan --jsonl`` prints."""
        return self.model_dump_json(by_alias=True)
