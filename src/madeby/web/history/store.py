"""The history: what was answered, kept until it is deleted or too old."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, Select, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from madeby.schema import Frozen, Label
from madeby.web.history.database import (
    HistoryUnavailableError,
    database_url,
    open_engine,
    spoken_plainly,
    writing,
)
from madeby.web.history.filters import Cursor, Filter
from madeby.web.history.pictures import PictureFolder, StagedPicture, media_type_of, name_for
from madeby.web.history.tables import StoredRecord, StoredVersion
from madeby.web.record import Record, now

ROWS_AT_A_TIME = 500
"""Rows that an export or a clean-up holds at a time: memory stays flat and other writers never wait long."""


class Page(Frozen):
    """A page of records; ``next`` is the cursor of the page behind it, ``total`` counts all that match."""

    results: tuple[Record, ...]
    next: str | None
    total: int


@dataclass(frozen=True)
class KeptPicture:
    """A kept picture's file and its media type, known from decoding it."""

    path: Path
    media_type: str


class History:
    """Answers, what people said of them, and the pictures where they are kept.

    Every method may be called from any thread and, on the same database, from several processes. What a method
    wrote is on the disk when it returns. Methods raise :class:`HistoryUnavailableError` where the database fails.
    """

    def __init__(
        self, engine: Engine, pictures: PictureFolder | None, retention_days: float | None, retention_count: int | None
    ) -> None:
        self._engine = engine
        self._pictures = pictures
        self._retention_days = retention_days
        self._retention_count = retention_count

    @classmethod
    def open(
        cls,
        database: str | Path,
        pictures_folder: Path | None = None,
        retention_days: float | None = None,
        retention_count: int | None = None,
    ) -> History:
        """Open a history, or begin one.

        Args:
            database: path of a SQLite file, or a URL of SQLite or PostgreSQL.
            pictures_folder: where pictures are kept; None keeps none.
            retention_days: age at which :meth:`prune` removes a record; None keeps all.
            retention_count: how many of the newest records :meth:`prune` leaves; None leaves all.

        Raises:
            MadebyError: the database cannot be opened or is none of ours, or the folder cannot be written.
            MissingExtraError: the driver for PostgreSQL is not installed.
        """
        pictures = None if pictures_folder is None else PictureFolder(pictures_folder)
        return cls(open_engine(database_url(database)), pictures, retention_days, retention_count)

    def add(self, records: Iterable[Record], pictures: Mapping[str, bytes] | None = None) -> list[Record]:
        """Write records, all or none.

        Args:
            records: what was answered.
            pictures: the files behind them by record id; they are kept where the history keeps pictures and the
                picture could be decoded.

        Returns:
            The records as they are kept, ``picture_kept`` set.
        """
        added, folder = list(records), self._pictures
        staged: dict[str, StagedPicture] = {}
        try:
            with spoken_plainly():
                for record in added:
                    data = (pictures or {}).get(record.id)
                    name = None if data is None else name_for(data, record.result)
                    if folder is not None and data is not None and name is not None:
                        staged[record.id] = folder.stage(data, name)
                with writing(self._engine) as session:
                    for picture in staged.values():
                        picture.place()
                    session.add_all(StoredRecord.of(record, _name(staged.get(record.id))) for record in added)
        finally:
            for picture in staged.values():
                picture.discard()
        return [record.model_copy(update={"picture_kept": record.id in staged}) for record in added]

    def get(self, id: str) -> Record | None:
        """The record of this id, or None."""
        with spoken_plainly(), Session(self._engine) as session:
            row = session.scalar(_by_id(id))
            return None if row is None else row.to_record()

    def find(self, wanted: Filter, limit: int = 50, cursor: str | None = None) -> Page:
        """A page of the records that a filter lets pass.

        Raises:
            CursorError: the cursor is none of ours or belongs to another order.
        """
        after = None if cursor is None else Cursor.read(cursor, wanted.sort)
        with spoken_plainly(), Session(self._engine) as session:
            rows = list(session.scalars(wanted.query(limit + 1, after)))
            total = session.scalar(select(func.count()).select_from(StoredRecord).where(*wanted.conditions())) or 0
        more = len(rows) > limit
        following = Cursor.at(rows[limit - 1], wanted.sort).write() if more else None
        return Page(results=tuple(row.to_record() for row in rows[:limit]), next=following, total=total)

    def export(self, wanted: Filter) -> Iterator[Record]:
        """All records that a filter lets pass, in order, a few at a time in memory."""
        after: Cursor | None = None
        while True:
            with spoken_plainly(), Session(self._engine) as session:
                rows = list(session.scalars(wanted.query(ROWS_AT_A_TIME, after)))
            for row in rows:
                yield row.to_record()
            if len(rows) < ROWS_AT_A_TIME:
                return
            after = Cursor.at(rows[-1], wanted.sort)

    def delete(self, id: str) -> bool:
        """Remove a record, and its picture where no other record needs it; False if there is none of this id."""
        return self._remove(StoredRecord.id == id) > 0

    def set_feedback(self, id: str, label: Label, note: str = "") -> Record | None:
        """Say who made a picture; it replaces what was said before. None if there is no record of this id."""
        said = {"feedback_label": label.value, "feedback_note": note.replace("\0", ""), "feedback_created": now()}
        return self._change(id, said)

    def clear_feedback(self, id: str) -> Record | None:
        """Withdraw what was said. None if there is no record of this id."""
        return self._change(id, dict.fromkeys(("feedback_label", "feedback_note", "feedback_created")))

    def picture(self, id: str) -> KeptPicture | None:
        """The picture that a record is about, where it is kept."""
        with spoken_plainly(), Session(self._engine) as session:
            row = session.scalar(_by_id(id))
        return None if row is None else self._kept(row)

    def labelled(self) -> Iterator[tuple[Record, KeptPicture | None]]:
        """All records with feedback, oldest first, and their pictures where they are kept.

        Of several about one kept picture the last that was spoken about is given.
        """
        newer = aliased(StoredRecord)
        spoken_later = (
            select(newer.number)
            .where(newer.picture_file == StoredRecord.picture_file, newer.feedback_label.is_not(None))
            .where(
                tuple_(newer.feedback_created, newer.number)
                > tuple_(StoredRecord.feedback_created, StoredRecord.number)
            )
        )
        query = select(StoredRecord).where(StoredRecord.feedback_label.is_not(None), ~spoken_later.exists())
        last = -1
        while True:
            page = query.where(StoredRecord.number > last).order_by(StoredRecord.number).limit(ROWS_AT_A_TIME)
            with spoken_plainly(), Session(self._engine) as session:
                rows = list(session.scalars(page))
            for row in rows:
                yield row.to_record(), self._kept(row)
            if len(rows) < ROWS_AT_A_TIME:
                return
            last = rows[-1].number

    def prune(self) -> int:
        """Remove what is older or more than the retention allows, and pictures that nothing needs.

        Returns:
            How many records were removed.
        """
        removed = 0
        while found := self._remove_some_expired():
            removed += found
        if self._pictures is not None:
            self._pictures.remove_abandoned()
            self._remove_unneeded(self._pictures, self._pictures.names())
        return removed

    def ready(self) -> bool:
        """Whether records can be written now."""
        try:
            with spoken_plainly(), Session(self._engine.execution_options(madeby_writes=True)) as session:
                session.execute(update(StoredVersion).values(version=StoredVersion.version))
                session.rollback()
        except HistoryUnavailableError:
            return False
        return self._pictures is None or self._pictures.writable()

    @property
    def pictures_folder(self) -> Path | None:
        """Where pictures are kept; None where they are not."""
        return None if self._pictures is None else self._pictures.folder

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _change(self, id: str, values: Mapping[str, object]) -> Record | None:
        with spoken_plainly(), writing(self._engine) as session:
            session.execute(update(StoredRecord).where(StoredRecord.id == id).values(**values))
            row = session.scalar(_by_id(id))
            return None if row is None else row.to_record()

    def _kept(self, row: StoredRecord) -> KeptPicture | None:
        name = row.picture_file
        path = None if self._pictures is None or name is None else self._pictures.path_of(name)
        return None if path is None or name is None else KeptPicture(path, media_type_of(name))

    def _remove_some_expired(self) -> int:
        row = StoredRecord
        expired: list[ColumnElement[bool]] = []
        if self._retention_days is not None:
            expired.append(row.created < now() - timedelta(days=self._retention_days))
        if self._retention_count is not None:
            newest_first = (row.created.desc(), row.number.desc())
            with spoken_plainly(), Session(self._engine) as session:
                first_out = session.execute(
                    select(row.created, row.number).order_by(*newest_first).offset(self._retention_count).limit(1)
                ).first()
            if first_out is not None:
                expired.append(tuple_(row.created, row.number) <= tuple(first_out))
        if not expired:
            return 0
        oldest = select(row.number).where(or_(*expired)).order_by(row.created, row.number).limit(ROWS_AT_A_TIME)
        return self._remove(row.number.in_(oldest))

    def _remove(self, which: ColumnElement[bool]) -> int:
        """Remove rows, and then the pictures that only they needed."""
        with spoken_plainly(), writing(self._engine) as session:
            gone = list(session.execute(delete(StoredRecord).where(which).returning(StoredRecord.picture_file)))
        if self._pictures is not None:
            self._remove_unneeded(self._pictures, (name for (name,) in gone if name is not None))
        return len(gone)

    def _remove_unneeded(self, folder: PictureFolder, names: Iterable[str]) -> None:
        """Remove the pictures among ``names`` that no row needs, while nobody can add a row."""
        for some in _in_parts(set(names)):
            with spoken_plainly(), writing(self._engine) as session:
                query = select(StoredRecord.picture_file).where(StoredRecord.picture_file.in_(some))
                needed = set(session.scalars(query))
                for name in some:
                    if name not in needed:
                        folder.remove(name)


def _by_id(id: str) -> Select[StoredRecord]:
    return select(StoredRecord).where(StoredRecord.id == id)


def _name(staged: StagedPicture | None) -> str | None:
    return None if staged is None else staged.name


def _in_parts(names: set[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), ROWS_AT_A_TIME):
        yield ordered[start : start + ROWS_AT_A_TIME]
