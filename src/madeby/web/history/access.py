"""How a route comes to the history, and what a client is told when the history cannot serve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Path, Request

from madeby.web.history.database import HistoryUnavailableError
from madeby.web.history.filters import CursorError
from madeby.web.history.store import History
from madeby.web.refusal import RefusalError

RecordId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The record's `id`.")]


def _history(request: Request) -> Iterator[History]:
    """The application's history; its errors become answers."""
    try:
        yield request.app.state.history
    except CursorError as error:
        raise RefusalError(422, "invalid", f"cursor: {error}") from error
    except HistoryUnavailableError as error:
        raise RefusalError(503, "history_unavailable", str(error), retry_after=5) from error


TheHistory = Annotated[History, Depends(_history)]


def no_such_record() -> RefusalError:
    """The answer where there is no record of an id: it never was, was deleted, or is past the retention."""
    return RefusalError(
        404, "not_found", "there is no such result; it may have been deleted or be past the retention limit"
    )
