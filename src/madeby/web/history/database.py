"""Opening the history's database: which engine, how it writes, and whether the tables are ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from madeby.errors import MadebyError, needing_extra
from madeby.web.history.tables import HISTORY_VERSION, Base, StoredRecord, StoredVersion

LOCK_SECONDS = 30
"""How long a write waits for another process's write to the same database."""

_log = logging.getLogger("madeby.web.history")
_LOCK_KEY = 0x6D616465  # one number for all of madeby's writers, "made" in ASCII


class HistoryUnavailableError(MadebyError):
    """The history's database or its pictures refuse to be read or written. The message names no file."""


def database_url(given: str | Path) -> URL:
    """Understand where the history lies: a file's path, or a URL of SQLite or PostgreSQL.

    ``postgres://`` and ``postgresql://``, as hosting platforms give them, are taken with psycopg 3.

    Raises:
        MadebyError: it is neither, or SQLite without a file.
    """
    written = str(given)
    if "://" not in written:
        return URL.create("sqlite", database=str(Path(written).expanduser()))
    try:
        url = make_url(written)
    except ArgumentError:
        raise MadebyError("the database URL cannot be understood: write postgresql://user:password@host/name") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise MadebyError(f"the history cannot be kept in {url.get_backend_name()}: give a file or a PostgreSQL URL")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise MadebyError("the history needs a file: give its path, such as history.sqlite")
    return url


def open_engine(url: URL) -> Engine:
    """Connect, and make the tables where the database is new.

    Raises:
        MadebyError: there is no way to the database, or it holds something else than a history of this version.
        MissingExtraError: the driver for PostgreSQL is not installed.
    """
    shown = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    try:
        with needing_extra("a history in PostgreSQL", "postgres"):
            engine = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else _postgresql_engine(url)
        try:
            with writing(engine) as session:
                _check_or_create(session, f"{shown}")
        except BaseException:
            engine.dispose()
            raise
    except (SQLAlchemyError, NoSuchModuleError, OSError) as error:
        raise MadebyError(f"cannot open the history {shown}: {_reason(error)}") from None
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A transaction that excludes every other writer, in this process and in others; committed at its end."""
    with engine.execution_options(madeby_writes=True).begin() as connection, Session(connection) as session:
        if connection.dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        yield session
        session.flush()


@contextmanager
def spoken_plainly() -> Iterator[None]:
    """Turn what the database and the disk raise inside into :class:`HistoryUnavailableError`; logs get the cause."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        _log.warning("the history failed: %s", _reason(error))
        raise HistoryUnavailableError("the history cannot be read or written at the moment; try again") from error


def _sqlite_engine(url: URL) -> Engine:
    file = Path(str(url.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)  # what people asked about is for the server's own eyes; its companions get the same mode
    engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions by itself: _begin does
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a commit has reached the disk when it returns

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("madeby_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": LOCK_SECONDS})


def _check_or_create(session: Session, shown: str) -> None:
    """Make the tables in an empty database; otherwise be sure that they are ours and of this version."""
    connection = session.connection()
    found = set(inspect(connection).get_table_names())
    if StoredVersion.__tablename__ not in found:
        if StoredRecord.__tablename__ in found or (connection.dialect.name == "sqlite" and found):
            raise MadebyError(f"{shown} holds other tables and no history of madeby: choose another database")
        Base.metadata.create_all(connection)
        session.add(StoredVersion(version=HISTORY_VERSION))
        return
    versions = list(session.scalars(select(StoredVersion.version)))
    if versions != [HISTORY_VERSION]:
        theirs = ", ".join(map(str, versions)) or "no version"
        newer = bool(versions) and max(versions) > HISTORY_VERSION
        todo = "update madeby" if newer else "choose another database"
        raise MadebyError(
            f"the history {shown} is of version {theirs} and this madeby knows version {HISTORY_VERSION}: {todo}"
        )


def _reason(error: Exception) -> str:
    """What the database itself said, without the statement and its values."""
    original = getattr(error, "orig", None) or error
    return str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__
