"""The verb ``serve``: the application behind uvicorn."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from madeby.errors import MadebyError, needing_extra
from madeby.web.settings import Settings

BACKLOG = 512
MOST_CONNECTIONS = 1000
GRACE_SECONDS = 30


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    model: str | None = None,
    threshold_profile: str = "balanced",
    provider: str = "cpu",
    data_folder: str | Path | None = None,
    database: str | None = None,
    keep_pictures: bool = False,
    retention_days: float | None = None,
    auth: bool | None = None,
    api_keys: Sequence[str] = (),
    started: Callable[[str], None] | None = None,
    **more: Any,
) -> None:
    """Serve the page and the REST API until the process is told to stop.

    Args:
        host: address to listen on.
        port: port to listen on; 0 for any that is free.
        model: as for :func:`madeby.scan`; one from a store is exchanged whenever the store has a newer version.
        threshold_profile: as for :func:`madeby.scan`; a request may name another.
        provider: what runs every model, as for :func:`madeby.scan`.
        data_folder: where history, keys and kept pictures lie; the user's data folder if None.
        database: path of a SQLite file or URL of a PostgreSQL database; a file in the data folder if None.
        keep_pictures: whether pictures are kept beside their results.
        retention_days: after how many days results and pictures are deleted; None keeps them.
        auth: whether API keys are needed; None for everywhere but on a loopback address.
        api_keys: keys that are accepted beside those that ``madeby keys create`` made.
        started: called with the server's address once it listens.
        more: the limits and the rest of :class:`madeby.web.settings.Settings`.

    Raises:
        MadebyError: a setting has no meaning, or the address, model, history or keys cannot be used.
        MissingExtraError: the extra ``web`` is not installed.
    """
    with needing_extra("serve", "web"):
        import uvicorn

        from madeby.web.app import create_app
        from madeby.web.connections import PunctualProtocol
        from madeby.web.logs import set_up_logs
    if data_folder is not None:
        more["data_folder"] = Path(data_folder)
    try:
        settings = Settings(
            host=host,
            port=port,
            model=model,
            threshold_profile=threshold_profile,
            provider=provider,
            database=database,
            keep_pictures=keep_pictures,
            retention_days=retention_days,
            auth=auth,
            api_keys=tuple(api_keys),
            **more,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise MadebyError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    set_up_logs()
    listening = _listening(host, port)
    try:
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            http=PunctualProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        if started is not None:
            started(_address(listening))
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket: an address that is taken is told at once, before a model is loaded."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, UnicodeError) as error:  # the second: no host can have that name
        reason = getattr(error, "strerror", None) or error
        raise MadebyError(f"cannot listen on {host} port {port}: {reason}") from None
    listening.set_inheritable(True)
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
