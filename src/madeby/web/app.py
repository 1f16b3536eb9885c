"""The application: REST, the page and what guards them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

from madeby.version import __version__
from madeby.web.gate import Gate
from madeby.web.headers import SecurityHeaders
from madeby.web.refusal import add_refusals, refusals
from madeby.web.routes import explain, feedback, health, models, results, scan
from madeby.web.server import Server
from madeby.web.settings import Settings

PAGE = Path(__file__).parent / "page"
ROOT = "/api/v1"

# For the description only: the gate asks for keys before any route is looked for.
_KEY = [Security(HTTPBearer(auto_error=False, scheme_name="API key", description="Where the server wants keys."))]

_ABOUT = """Was this picture made by a camera or a person, or by a generative model? The answers are those of
`madeby scan`.

A picture that cannot be read is a record with an error, status 200; only a request as a whole is refused, always as
`{"error": {"code": ..., "message": ...}}`. 429 and 503 say in `Retry-After` when to try again. Where the server wants
API keys: `Authorization: Bearer KEY` or `X-API-Key: KEY`."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the ASGI application; its model is loaded and its history open.

    Raises:
        MadebyError: the model, the data folder, the keys or the history cannot be used.
    """
    settings = settings or Settings()
    server = Server(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        server.start()
        yield
        await server.close()

    app = FastAPI(
        title="madeby",
        version=__version__,
        description=_ABOUT,
        openapi_url=f"{ROOT}/openapi.json",
        docs_url=None,  # the interactive pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
        responses=refusals(403, 500),
    )
    app.state.server, app.state.history = server, server.history
    for routes in (scan, explain, models, results, feedback, health):
        app.include_router(routes.router, prefix=ROOT, dependencies=_KEY)
    app.include_router(health.router, include_in_schema=False)
    _add_page(app)
    add_refusals(app)
    # The last one added is the outermost: pages that may use the API may read its refusals, too.
    app.add_middleware(Gate, settings=settings, keyring=server.keyring, limit=server.limit, metrics=server.metrics)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type"],
            expose_headers=["X-Madeby-Verdict", "X-Madeby-Probability", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(SecurityHeaders)
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/meaning", include_in_schema=False)
    async def meaning() -> FileResponse:
        return FileResponse(PAGE / "meaning.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", StaticFiles(directory=PAGE), name="static")
