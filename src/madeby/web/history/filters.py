"""Which records of the history, in which order, and from where on: filters, sorting and cursors."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from madeby.errors import MadebyError
from madeby.schema import Frozen, Verdict
from madeby.web.history.tables import StoredRecord

LARGEST_NUMBER = 2**63 - 1


class CursorError(MadebyError):
    """A cursor that this history did not give, or gave for another order."""


class Sort(StrEnum):
    """Order of a listing; ``-`` is descending. Records without probability come last in both directions."""

    CREATED = "created"
    NEWEST = "-created"
    PROBABILITY = "probability"
    LIKELIEST_AI = "-probability"

    @property
    def descending(self) -> bool:
        """Whether the greatest come first."""
        return self.value.startswith("-")

    @property
    def by_time(self) -> bool:
        """Whether the time decides, not the probability."""
        return self.value.endswith("created")


def _in_utc(moment: datetime) -> datetime:
    """A moment without a zone is taken as UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the date is outside the years 1 to 9999") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Filter(Frozen):
    """Which records to list; what is not given does not narrow. All that is given must hold.

    ``text``: every word occurs in the source, the reasons, the warnings or the error, whatever its case, or is the
    picture's sha256.
    ``since`` is inclusive and ``until`` exclusive; without a zone they are UTC. ``feedback``: ``any`` has feedback,
    ``none`` has none, ``human`` and ``ai`` what it says.
    """

    verdict: Verdict | None = None
    status: Literal["ok", "error"] | None = None
    text: str = Field(default="", max_length=200)
    since: Moment | None = None
    until: Moment | None = None
    min_probability: Share | None = None
    max_probability: Share | None = None
    feedback: Literal["any", "none", "human", "ai"] | None = None
    sort: Sort = Sort.NEWEST

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter in SQL; every value is bound, and wildcards in ``text`` are plain characters."""
        row = StoredRecord
        found: list[ColumnElement[bool]] = []
        if self.verdict is not None:
            found.append(row.verdict == self.verdict.value)
        if self.status is not None:
            found.append(row.status == self.status)
        if self.since is not None:
            found.append(row.created >= self.since)
        if self.until is not None:
            found.append(row.created < self.until)
        if self.min_probability is not None:
            found.append(row.probability >= self.min_probability)
        if self.max_probability is not None:
            found.append(row.probability <= self.max_probability)
        if self.feedback == "any":
            found.append(row.feedback_label.is_not(None))
        elif self.feedback == "none":
            found.append(row.feedback_label.is_(None))
        elif self.feedback is not None:
            found.append(row.feedback_label == self.feedback)
        words = self.text.replace("\0", " ").casefold().split()
        found.extend(or_(row.searched.contains(word, autoescape=True), row.sha256 == word) for word in words)
        return found

    def query(self, limit: int, after: Cursor | None = None) -> Select[StoredRecord]:
        """At most ``limit`` records in order, from behind the cursor on."""
        row = StoredRecord
        leading: InstrumentedAttribute[Any] = row.created if self.sort.by_time else row.probability
        order = [key.desc() if self.sort.descending else key.asc() for key in (leading, row.number)]
        empty_last = [] if self.sort.by_time else [row.probability.is_(None)]
        found = select(row).where(*self.conditions())
        if after is not None:
            found = found.where(after.condition())
        return found.order_by(*empty_last, *order).limit(limit)


class Cursor(Frozen):
    """The last record of a page: the next page starts behind it, whatever was added or deleted meanwhile."""

    sort: Sort
    created: Moment
    probability: Share | None
    number: int = Field(ge=0, le=LARGEST_NUMBER)

    @classmethod
    def at(cls, row: StoredRecord, sort: Sort) -> Cursor:
        """The cursor of a row."""
        return cls(sort=sort, created=row.created, probability=row.probability, number=row.number)

    @classmethod
    def read(cls, text: str, sort: Sort) -> Cursor:
        """Read what :meth:`write` wrote for the same order.

        Raises:
            CursorError: it is nothing of that kind.
        """
        try:
            cursor = cls.model_validate_json(base64.urlsafe_b64decode(text.encode("ascii")))
        except (UnicodeEncodeError, binascii.Error, ValidationError):
            raise CursorError("the cursor is not one that this server gave: start again without it") from None
        if cursor.sort != sort:
            raise CursorError(f"the cursor belongs to the order {cursor.sort}: start again without it")
        return cursor

    def write(self) -> str:
        """The cursor as text that fits in a URL."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode("ascii")

    def condition(self) -> ColumnElement[bool]:
        """True for the rows behind this one."""
        row, descending = StoredRecord, self.sort.descending
        if self.sort.by_time:
            place, here = tuple_(row.created, row.number), (self.created, self.number)
            return place < here if descending else place > here
        further = row.number < self.number if descending else row.number > self.number
        if self.probability is None:
            return and_(row.probability.is_(None), further)
        beyond = row.probability < self.probability if descending else row.probability > self.probability
        return or_(beyond, and_(row.probability == self.probability, further), row.probability.is_(None))
