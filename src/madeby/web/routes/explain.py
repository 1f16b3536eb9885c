"""``/explain``: where in a picture the evidence lies."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

import madeby
from madeby.errors import BundleError, ErrorCode, PictureError
from madeby.web.answering import Wanted, failed, name_of, told
from madeby.web.refusal import RefusalError, refusals
from madeby.web.routes.forms import FILE, THRESHOLD_PROFILE, URL, form
from madeby.web.server import Server, TheServer
from madeby.web.uploads import Form, read_form

router = APIRouter(tags=["pictures"], responses=refusals(400, 401, 404, 408, 413, 415, 422, 429, 503))

KINDS = ("overlay", "map")
_STATUS = {ErrorCode.TOO_LARGE: 413, ErrorCode.INTERNAL: 500}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The drawing; its longer side has at most 1024 pixels, and both kinds have one size.",
        "content": {"image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
        "headers": {
            "X-Madeby-Verdict": {"schema": {"type": "string", "enum": ["ai", "human", "uncertain"]}},
            "X-Madeby-Probability": {"schema": {"type": "number"}},
        },
    }
}


@router.post(
    "/explain",
    response_class=Response,
    responses=_PICTURE,
    openapi_extra=form(
        {
            "file": FILE,
            "url": URL,
            "id": {"type": "string", "description": "A record whose picture is kept."},
            "kind": {"type": "string", "enum": list(KINDS), "default": "overlay"},
            "model": {"type": "string", "description": "A model by the name that `GET /models` gives."},
            "threshold_profile": THRESHOLD_PROFILE,
        },
        {"url": "https://example.org/picture.jpg", "kind": "overlay"},
    ),
)
async def explain(request: Request, server: TheServer) -> Response:
    """Draw where in a picture the evidence lies: orange speaks for ai, blue for human, bare places were not seen."""
    with server.admitted() as reservation:
        sent = await read_form(request, "file", server.settings, reservation)
        kind = sent.one("kind") or "overlay"
        if kind not in KINDS:
            raise RefusalError(422, "invalid", f"kind: there are {', '.join(KINDS)}")
        detector = await server.answering.detector_of(sent.one("model"), sent.one("threshold_profile"))
        name, data = await _picture(server, sent)
        if not sent.files:
            reservation.take(len(data))  # fetched or kept: nobody sent these bytes, but they are held all the same
        explanation = await _explained(server, data, name, detector, kind)
    result = told(explanation.result)
    if explanation.png is None or result.verdict is None:
        code = result.error.code if result.error else ErrorCode.INTERNAL
        raise RefusalError(_STATUS.get(code, 422), code.value, result.reason)
    headers = {"X-Madeby-Verdict": result.verdict.value, "X-Madeby-Probability": f"{result.probability:.6f}"}
    return Response(explanation.png, media_type="image/png", headers=headers)


async def _picture(server: Server, sent: Form) -> tuple[str, bytes]:
    """Name and bytes of the one picture that a form means."""
    address, kept = sent.one("url"), sent.one("id")
    if len(sent.files) + bool(address) + bool(kept) != 1:
        raise RefusalError(422, "invalid", "send one picture: either file, url or id")
    if kept is not None:
        picture = await asyncio.to_thread(server.history.picture, kept)
        if picture is None:
            raise RefusalError(404, "not_kept", "there is no such picture: it was not kept, or it was deleted")
        try:
            return kept, await asyncio.to_thread(picture.path.read_bytes)
        except FileNotFoundError:  # deleted since we looked
            raise RefusalError(404, "not_kept", "there is no such picture: it was deleted") from None
    wanted = Wanted(0, upload=sent.files[0]) if sent.files else Wanted(0, url=address or "")
    try:
        return name_of(wanted), await server.answering.data_of(wanted)
    except PictureError as error:
        result = told(failed(name_of(wanted), error.code, error.message))
        raise RefusalError(_STATUS.get(error.code, 422), error.code.value, result.reason) from None
    except TimeoutError:
        raise RefusalError(422, "timeout", "the address did not answer in time") from None


async def _explained(
    server: Server, data: bytes, name: str, detector: madeby.Detector, kind: str
) -> madeby.Explanation:
    answering = server.answering
    try:
        return await answering.workers.run(
            lambda: madeby.explain_bytes(data, name, model=detector, kind=kind, limits=answering.limits),
            server.settings.picture_seconds,
        )
    except BundleError as error:
        raise RefusalError(422, "no_evidence_map", str(error)) from None
    except TimeoutError:
        raise RefusalError(422, "timeout", "the picture took longer than allowed; make it smaller first") from None
