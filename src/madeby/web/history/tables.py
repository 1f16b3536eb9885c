"""The tables of the history: one row an answer. SQLite and PostgreSQL hold the same columns."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from madeby.schema import Label, Result
from madeby.web.record import Feedback, Record

HISTORY_VERSION = 1
"""Version of the tables below; one more whenever they change."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: ``timestamp with time zone`` where the database has it, plain UTC text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Towards the database, always in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database, always aware of its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of the history; their names begin with ``madeby_`` so that they can share a database."""


class StoredVersion(Base):
    """The one row that says which version the tables have."""

    __tablename__ = "madeby_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class StoredRecord(Base):
    """One answer: the result as JSON, and beside it the columns that are filtered and sorted by."""

    __tablename__ = "madeby_records"

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    place: Mapped[int] = mapped_column(Integer)
    result: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str | None] = mapped_column(String(16))
    probability: Mapped[float | None]
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    searched: Mapped[str] = mapped_column(Text)
    picture_file: Mapped[str | None] = mapped_column(String(80))
    feedback_label: Mapped[str | None] = mapped_column(String(16))
    feedback_note: Mapped[str | None] = mapped_column(Text)
    feedback_created: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("madeby_records_created", "created", "number"),
        Index("madeby_records_probability", "probability", "number"),
        Index("madeby_records_feedback", "feedback_label", "number"),
        Index("madeby_records_picture", "picture_file"),
    )

    @classmethod
    def of(cls, record: Record, picture_file: str | None) -> StoredRecord:
        """The row of a record; its picture lies in ``picture_file``, where it is kept."""
        result, said = record.result, record.feedback
        return cls(
            id=record.id,
            created=record.created,
            place=record.index,
            result=result.to_json(),
            status=result.status,
            verdict=result.verdict.value if result.verdict else None,
            probability=result.probability,
            sha256=result.picture.sha256 if result.picture else None,
            searched=searched_text(result),
            picture_file=picture_file,
            feedback_label=said.label.value if said else None,
            feedback_note=said.note if said else None,
            feedback_created=said.created if said else None,
        )

    def to_record(self) -> Record:
        """The record as it was given, with what was said of it since."""
        feedback = None
        if self.feedback_label is not None and self.feedback_created is not None:
            label = Label(self.feedback_label)
            feedback = Feedback(label=label, note=self.feedback_note or "", created=self.feedback_created)
        return Record(
            id=self.id,
            created=self.created,
            index=self.place,
            result=Result.from_json(self.result),
            feedback=feedback,
            picture_kept=self.picture_file is not None,
        )


def searched_text(result: Result) -> str:
    """What a search looks through: the source, the reasons, the warnings and the error, without regard to case."""
    parts = [result.source, result.reason, *(signal.reason for signal in result.signals), *result.warnings]
    if result.error is not None:
        parts.append(result.error.message)
    return "\n".join(part for part in parts if part).casefold().replace("\0", "")
