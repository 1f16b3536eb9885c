"""Bodies that are no forms: read here, since the framework would hold any number of bytes of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from madeby.web.refusal import RefusalError
from madeby.web.uploads import after_lingering

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

LARGEST_BODY = 64 * 1024
"""Bytes: what the longest note takes in JSON, every character of it escaped, and room to spare."""


async def small_body(scope: Scope, receive: Receive, seconds: float) -> Receive:
    """Read a request's whole body; what gives it to the application.

    Raises:
        RefusalError: 408, it took longer than ``seconds``; 413, it is larger than such bodies are.
        ClientDisconnect: it was broken off.
    """
    from starlette.requests import Request

    request, body = Request(scope, receive), bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    refusal = RefusalError(413, "too_large", f"the body has more than {LARGEST_BODY:,} bytes")
                    raise await after_lingering(request, refusal)
    except TimeoutError:
        raise RefusalError(408, "timeout", "the body took too long") from None
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return give
