"""Refusing a request as a whole: the one shape that all errors of the REST API have."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from madeby.errors import MadebyError
from madeby.schema import Frozen

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import JSONResponse


class RefusalDetail(Frozen):
    """A code for programs and a message for people."""

    code: str
    message: str


class RefusalBody(Frozen):
    """What every error answers with."""

    error: RefusalDetail


class RefusalError(MadebyError):
    """A request that is not served; ``retry_after`` in seconds where trying again helps."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers: dict[str, str] = {}
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"


_REASONS = {
    400: "The request cannot be understood",
    401: "An API key is needed",
    403: "The request comes from a page of another site, or for a host that this server is not",
    404: "There is no such thing",
    408: "The upload took too long",
    413: "More bytes or pictures than allowed",
    415: "The body is not of the kind that is read here",
    422: "A field has no meaning",
    500: "A defect of the server's; its log has the request",
    501: "The server lacks an optional part for this",
    429: "Too many requests; `Retry-After` says when to try again",
    503: "The server cannot answer at the moment",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the errors that a route may answer with."""
    return {status: {"model": RefusalBody, "description": _REASONS[status]} for status in statuses}


def answer_to(refusal: RefusalError) -> JSONResponse:
    """The refusal as a response."""
    from starlette.responses import JSONResponse

    body = RefusalBody(error=RefusalDetail(code=refusal.code, message=refusal.message))
    return JSONResponse(body.model_dump(), refusal.status, headers=refusal.headers)


def a_defect() -> RefusalError:
    """What a client is told of an error that nobody foresaw."""
    message = "something went wrong in the server; its log has this request under the X-Request-ID of this answer"
    return RefusalError(500, "internal", message)


def add_refusals(app: FastAPI) -> None:
    """Let an application answer every error that a route or the framework foresees in this shape."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    async def refused(_: Request, error: RefusalError) -> JSONResponse:
        return answer_to(error)

    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        message = phrase if not error.detail or error.detail == phrase else str(error.detail)
        refusal = RefusalError(error.status_code, phrase.lower().replace(" ", "_"), message)
        refusal.headers.update(error.headers or {})
        return answer_to(refusal)

    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return answer_to(RefusalError(422, "invalid", f"{where}: {first['msg']}"))

    app.add_exception_handler(RefusalError, refused)  # type: ignore[arg-type]  # starlette types handlers for Exception only
    app.add_exception_handler(HTTPException, http_error)  # type: ignore[arg-type]  # the same
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]  # the same
