"""How a route comes to the history, and what a client is told when the history cannot serve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request

from madeby.web.history.database import HistoryUnavailableError
from madeby.web.history.filters import CursorError
from madeby.web.history.store import History

RecordId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The record's `id`.")]


def _history(request: Request) -> Iterator[History]:
    """The application's history; its errors become answers."""
    try:
        yield request.app.state.history
    except CursorError as error:
        raise HTTPException(422, str(error)) from error
    except HistoryUnavailableError as error:
        raise HTTPException(503, str(error), headers={"Retry-After": "5"}) from error


TheHistory = Annotated[History, Depends(_history)]


def no_such_record() -> HTTPException:
    """The answer where there is no record of an id: it never was, was deleted, or is past the retention."""
    return HTTPException(404, "there is no such result; it may have been deleted or be past the retention limit")
