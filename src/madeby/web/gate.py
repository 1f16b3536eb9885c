"""The outermost layer: every request gets an id, a log line and figures; some are stopped here.

Stopped are requests for a host that this server is not (DNS rebinding), changes that a page of another site asks a
browser for (cross-site request forgery), requests without a valid key where keys are wanted, and those of clients
that ask for too much.
"""

from __future__ import annotations

import logging
import time
import uuid
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from madeby.web.keys import KeyRing
from madeby.web.metrics import Metrics
from madeby.web.rate_limit import RateLimit
from madeby.web.refusal import RefusalError, a_defect, answer_to
from madeby.web.settings import Settings
from madeby.web.small_bodies import small_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("madeby.web")

OPEN_PATHS = frozenset(
    ("/", "/meaning", "/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz", "/api/v1/openapi.json")
)
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))
CHANGES = frozenset(("POST", "PUT", "PATCH", "DELETE"))
KNOWN_METHODS = CHANGES | {"GET", "HEAD", "OPTIONS"}
COUNTED_LATER = frozenset(("/api/v1/scan", "/api/v1/provenance"))
"""Their pictures are counted once the form is read; here they are only stopped where there is a debt."""

FORMS = COUNTED_LATER | {"/api/v1/explain"}
"""Their bodies are read, and limited, as they stream."""


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, keyring: KeyRing, limit: RateLimit, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._keyring = keyring
        self._limit = limit
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id = time.perf_counter(), 0, uuid.uuid4().hex[:16]

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            client = self._checked(scope)
            scope.setdefault("state", {})["client"] = client
            if scope["method"] in CHANGES and scope["path"] not in FORMS:
                receive = await small_body(scope, receive, self._settings.idle_seconds)
            await self._app(scope, receive, send_noted)
        except RefusalError as refusal:
            await answer_to(refusal)(scope, receive, send_noted)
        except ClientDisconnect:
            status = status or 499
        except Exception:
            if status:  # the answer has begun: all that is left is to break it off
                raise
            _log.exception("a request met a defect", extra={"fields": {"request": request_id}})
            await answer_to(a_defect())(scope, receive, send_noted)
        finally:
            self._tell(scope, status, time.perf_counter() - began, request_id)

    def _checked(self, scope: Scope) -> str:
        """Who asks, once nothing speaks against serving them; charged for one request.

        Raises:
            RefusalError: 400, 401, 403 or 429.
        """
        headers, path = Headers(scope=scope), scope["path"]
        self._check_proxy(headers)
        self._check_host(headers)
        if scope["method"] in CHANGES:
            self._check_origin(headers)
        address = scope["client"][0] if scope.get("client") else "unknown"
        if path in OPEN_PATHS or path.startswith("/static/") or scope["method"] == "OPTIONS":
            return str(address)
        if self._settings.wants_keys:
            owner = self._keyring.who(_key_of(headers))
            if owner is None:
                raise RefusalError(401, "unauthorized", "a valid API key is needed: Authorization: Bearer KEY")
            client = f"key {owner}"
        else:
            client = "" if self._settings.on_loopback else _network_of(str(address))
        if client and (wait := self._limit.take(client, 0 if path in COUNTED_LATER else 1)):
            raise RefusalError(
                429, "rate_limited", "you ask for more than the rate limit allows; try again later", wait
            )
        return client

    def _check_proxy(self, headers: Headers) -> None:
        """Keys are off on loopback because nobody else comes that way; behind a proxy others do."""
        implied = self._settings.auth is None and not self._settings.wants_keys
        if implied and any(name in headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host")):
            raise RefusalError(
                403, "behind_a_proxy", "start a server behind a proxy with --auth and keys, or with --no-auth"
            )

    def _check_host(self, headers: Headers) -> None:
        allowed = {host.lower() for host in self._settings.allowed_hosts}
        if self._settings.on_loopback and self._settings.auth is None and not self._settings.wants_keys:
            allowed |= LOCAL_HOSTS
        if not allowed or "*" in allowed:
            return
        if _hostname(f"//{headers.get('host', '')}") not in allowed:
            raise RefusalError(
                403, "unknown_host", "this server does not go by that host name; --allowed-host adds one"
            )

    def _check_origin(self, headers: Headers) -> None:
        """A browser says for which page it sends; one of another site may change nothing.

        It also says whether that page is of the very origin it sends to, which it alone knows behind a proxy that
        gives the server another host name; no page can make it lie about that.
        """
        origin = headers.get("origin")
        if origin is None or origin in self._settings.cors_origins or headers.get("sec-fetch-site") == "same-origin":
            return
        if _netloc(origin) != headers.get("host", "").lower():
            raise RefusalError(403, "cross_site", "pages of other sites may not use this server")

    def _tell(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = _route_of(scope)
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"  # a label must have few values
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        told = {
            "request": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            **scope.get("state", {}).get("told", {}),
        }
        if (client := scope.get("state", {}).get("client", "")).startswith("key "):
            told["key"] = client.removeprefix("key ")
        _log.log(logging.ERROR if status >= 500 else logging.INFO, "request", extra={"fields": told})


def _route_of(scope: Scope) -> str:
    """The route's pattern: few values, and nothing of what was asked for."""
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if path is not None:
        return str(path)
    return "/static" if scope["path"].startswith("/static/") else "unknown"


def _key_of(headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _network_of(address: str) -> str:
    """What one client may send from: an IPv4 address, or the /64 that every IPv6 client has for itself (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> 64 << 64, 64)))


def _netloc(url: str) -> str | None:
    """Host and port of an address; None for what is none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return None


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
