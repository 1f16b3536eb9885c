"""``/scan`` and ``/provenance``: answers about pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from madeby.schema import Frozen
from madeby.web.answering import Answer, Options, Wanted, wanted_from
from madeby.web.record import Record
from madeby.web.refusal import RefusalError, refusals
from madeby.web.routes.forms import RECORD_EXAMPLE, THRESHOLD_PROFILE, pictures_form
from madeby.web.server import Server, TheServer
from madeby.web.uploads import Form, read_form

router = APIRouter(tags=["pictures"], responses=refusals(400, 401, 408, 413, 415, 422, 429, 503))

OptionsOf = Callable[[Form], Awaitable[Options]]

LINES = "application/x-ndjson"
_YES_OR_NO = {"type": "boolean", "default": True}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One record a picture, in the request's order; with `Accept: application/x-ndjson` one a "
        "line, each as soon as it is ready. A picture that cannot be read is a record whose result has an error.",
        "content": {"application/json": {"example": {"results": [RECORD_EXAMPLE]}}, LINES: {"example": RECORD_EXAMPLE}},
    }
}


class Answers(Frozen):
    """The records of a request, in its order."""

    results: tuple[Record, ...]


@router.post(
    "/scan",
    response_model=Answers,
    responses=_ANSWERS,
    openapi_extra=pictures_form(
        model={"type": "string", "description": "A model by the name that `GET /models` gives; the default without."},
        threshold_profile=THRESHOLD_PROFILE,
        provenance=_YES_OR_NO | {"description": "Whether to read metadata, signatures and watermarks."},
        detector=_YES_OR_NO | {"description": "Whether to judge the pixels."},
    ),
)
async def scan(request: Request, server: TheServer) -> Response:
    """Say about each picture whether it is AI-made, how sure that is, and why."""

    async def options(form: Form) -> Options:
        provenance, detector = form.flag("provenance", default=True), form.flag("detector", default=True)
        if not (provenance or detector):
            raise RefusalError(422, "nothing_to_do", "provenance=false and detector=false together leave nothing to do")
        model = (
            await server.answering.detector_of(form.one("model"), form.one("threshold_profile")) if detector else None
        )
        return Options(model, provenance)

    return await _answered(request, server, options)


@router.post("/provenance", response_model=Answers, responses=_ANSWERS, openapi_extra=pictures_form())
async def provenance(request: Request, server: TheServer) -> Response:
    """Read every mark that pictures carry: signatures, metadata and watermarks; the pixels are not judged."""

    async def options(_: Form) -> Options:
        return Options(detector=None)

    return await _answered(request, server, options)


async def _answered(request: Request, server: Server, options_of: OptionsOf) -> Response:
    with ExitStack() as stack:
        reservation = stack.enter_context(server.admitted())
        form = await read_form(request, "files", server.settings, reservation)
        wanted = wanted_from(form.files, form.fields.get("urls", []), server.settings)
        server.charge(request, len(wanted))
        options = await options_of(form)
        request.state.told = {"pictures": len(wanted), "bytes": reservation.bytes}
        if LINES in request.headers.get("accept", ""):
            lines = _lines(server, wanted, options)
            first = await anext(lines)  # what goes wrong until here is still told by a status
            return _Lines(_behind(first, lines), stack.pop_all())
        records = [record async for record in _records(server, wanted, options)]
        ordered = Answers(results=tuple(sorted(records, key=lambda record: record.index)))
        return Response(ordered.model_dump_json(by_alias=True), media_type="application/json")


class _Lines(StreamingResponse):
    """Lines of JSON; the request's place and bytes are given back when they end, however they end."""

    media_type = LINES

    def __init__(self, lines: AsyncIterator[str], held: ExitStack) -> None:
        super().__init__(lines)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


async def _lines(server: Server, wanted: list[Wanted], options: Options) -> AsyncIterator[str]:
    async for record in _records(server, wanted, options):
        yield record.to_json() + "\n"


async def _behind(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for line in rest:
        yield line


async def _records(server: Server, wanted: list[Wanted], options: Options) -> AsyncIterator[Record]:
    """The records as they are ready; only a few pictures of one request compete with those of others at a time."""
    places = asyncio.Semaphore(2 * server.answering.workers.count)

    async def one(picture: Wanted) -> Record:
        async with places, server.answering.room_for(picture):
            return await _kept(server, await server.answering.answer(picture, options))

    tasks = [asyncio.create_task(one(picture)) for picture in wanted]
    try:
        for ready in asyncio.as_completed(tasks):
            yield await ready
    finally:
        for task in tasks:
            task.cancel()


async def _kept(server: Server, answer: Answer) -> Record:
    """The record once it is on the disk: what a client has been told is never lost."""
    keeps = server.settings.keep_pictures and answer.record.result.ok
    (record,) = await server.recorder.keep([answer.record], {answer.record.id: answer.data} if keeps else {})
    server.metrics.count(record.result)
    return record
