"""``/results``: what was answered before; to be looked through, exported and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from madeby.errors import MissingExtraError
from madeby.web.history.access import RecordId, TheHistory, no_such_record
from madeby.web.history.exports import CHUNK_BYTES, ExportFormat, exported
from madeby.web.history.filters import Filter
from madeby.web.history.store import Page
from madeby.web.record import Record, now
from madeby.web.refusal import RefusalError, refusals

router = APIRouter(prefix="/results", tags=["history"], responses=refusals(422, 503))


class PageQuery(Filter):
    """A filter, and which page of what it lets pass."""

    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")


class ExportQuery(Filter):
    """A filter, and what to export as."""

    format: ExportFormat = ExportFormat.CSV


@router.get("")
def list_results(history: TheHistory, query: Annotated[PageQuery, Query()]) -> Page:
    """A page of earlier answers; `next` is the `cursor` of the page behind it, null at the end."""
    return history.find(query, query.limit, query.cursor)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {form.media_type: {} for form in ExportFormat}}},
)
def export_results(history: TheHistory, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """All answers that the filter lets pass, as a file."""
    pieces = exported(history.export(query), query.format)
    try:
        first = next(pieces, b"")
    except MissingExtraError as error:
        raise RefusalError(501, "not_installed", str(error)) from error
    return attachment(chain((first,), pieces), f"madeby-results.{query.format}", query.format.media_type)


@router.get("/{id}", responses=refusals(404))
def get_result(id: RecordId, history: TheHistory) -> Record:
    """One earlier answer, with what was said of it since."""
    record = history.get(id)
    if record is None:
        raise no_such_record()
    return record


@router.delete("/{id}", status_code=204, responses=refusals(404))
def delete_result(id: RecordId, history: TheHistory) -> None:
    """Forget an answer, and its picture where it was kept."""
    if not history.delete(id):
        raise no_such_record()


@router.get(
    "/{id}/picture",
    response_class=StreamingResponse,
    responses=refusals(404) | {200: {"content": {"image/*": {}}, "description": "The file as it was sent."}},
)
def get_picture(id: RecordId, history: TheHistory) -> Response:
    """The picture that an answer is about, where pictures are kept."""
    picture = history.picture(id)
    if picture is None:
        raise RefusalError(404, "not_kept", "this picture is not kept")
    try:
        file = picture.path.open("rb")
    except FileNotFoundError:  # deleted since we looked
        raise no_such_record() from None
    headers = {
        "Content-Disposition": f'inline; filename="{id}{picture.path.suffix}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=300",
    }
    return StreamingResponse(_pieces(file), media_type=picture.media_type, headers=headers)


def attachment(
    pieces: Iterator[bytes], name: str, media_type: str, headers: dict[str, str] | None = None
) -> StreamingResponse:
    """A file that browsers save; the day goes into its name."""
    stem, _, suffix = name.rpartition(".")
    disposition = {"Content-Disposition": f'attachment; filename="{stem}-{now():%Y-%m-%d}.{suffix}"'}
    return StreamingResponse(pieces, media_type=media_type, headers=disposition | (headers or {}))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
