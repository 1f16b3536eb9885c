"""Whether the server is alive and ready, and its figures: at the root and under ``/api/v1``."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Response

from madeby.schema import Frozen
from madeby.version import __version__
from madeby.web.live_model import LiveStatus
from madeby.web.metrics import CONTENT_TYPE
from madeby.web.refusal import RefusalError, refusals
from madeby.web.server import TheServer

router = APIRouter(tags=["operation"])


class Health(Frozen):
    """The process runs."""

    status: Literal["alive"] = "alive"
    version: str = __version__


class Readiness(Frozen):
    """The model is loaded and the history can be written."""

    status: Literal["ready"] = "ready"
    model: LiveStatus


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process runs."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=refusals(503))
async def readyz(server: TheServer) -> Readiness:
    """Whether requests can be served: the model is loaded, and the history takes answers."""
    if not await asyncio.to_thread(server.history.ready):
        raise RefusalError(503, "history_unavailable", "the history cannot be written at the moment", retry_after=5)
    return Readiness(model=server.live.status.for_strangers())


@router.get(
    "/metrics",
    response_class=Response,
    responses=refusals(401, 429) | {200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."}},
)
async def metrics(server: TheServer) -> Response:
    """Figures for Prometheus."""
    return Response(server.metrics.text(), media_type=CONTENT_TYPE)
