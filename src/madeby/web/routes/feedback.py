"""Feedback: what people know better, and its way back into training."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from madeby.schema import Frozen, Label
from madeby.web.history.access import RecordId, TheHistory, no_such_record
from madeby.web.history.exports import learning_table
from madeby.web.record import Record
from madeby.web.refusal import refusals
from madeby.web.routes.results import attachment

router = APIRouter(tags=["feedback"], responses=refusals(408, 413, 422, 503))


class GivenFeedback(Frozen):
    """Who made the picture, by a person's word, and why they think so."""

    label: Label
    note: str = Field(default="", max_length=2000, examples=["six fingers on the left hand"])


@router.post("/results/{id}/feedback", responses=refusals(404))
def give_feedback(id: RecordId, given: GivenFeedback, history: TheHistory) -> Record:
    """Say who made the picture; it replaces what was said before."""
    record = history.set_feedback(id, given.label, given.note)
    if record is None:
        raise no_such_record()
    return record


@router.delete("/results/{id}/feedback", responses=refusals(404))
def withdraw_feedback(id: RecordId, history: TheHistory) -> Record:
    """Withdraw what was said of a picture."""
    record = history.clear_feedback(id)
    if record is None:
        raise no_such_record()
    return record


@router.get(
    "/feedback/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "A table for `madeby data import table`."}},
)
def export_feedback(
    history: TheHistory, paths: Annotated[Literal["absolute", "relative"], Query()] = "absolute"
) -> StreamingResponse:
    """What people said, as a table of kept pictures and labels that `madeby data import table` takes as it is.

    Of several answers about one picture the last feedback counts. Feedback about pictures that were not kept cannot
    be learnt from: it is left out, and the header `X-Madeby-Left-Out` says how many rows. Relative paths start from
    the server's folder of pictures, for `--root`.
    """
    left_out = sum(picture is None for _, picture in history.labelled())
    kept = ((record, picture) for record, picture in history.labelled() if picture is not None)
    pieces = learning_table(kept, root=history.pictures_folder if paths == "relative" else None)
    headers = {"X-Madeby-Left-Out": str(left_out)}
    return attachment(pieces, "madeby-feedback.csv", "text/csv; charset=utf-8", headers)
