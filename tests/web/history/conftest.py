"""Histories on real databases: SQLite always, PostgreSQL where its server's programs are installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgresql_server import PostgreSQL

from madeby.web.history.store import History


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1] if programs else Path(shutil.which("initdb") or "")
    if not found.is_file():
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed here")
    server = PostgreSQL(found.parent)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a new history: a file's path or a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "history.sqlite")
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def open_history(database: str, tmp_path: Path) -> Iterator[Callable[..., History]]:
    """Opens the test's history, keeping pictures unless told otherwise; closed at the end."""
    opened = []

    def open_(keep_pictures: bool = True, **options: object) -> History:
        history = History.open(database, tmp_path / "pictures" if keep_pictures else None, **options)
        opened.append(history)
        return history

    yield open_
    for history in opened:
        history.close()
