"""What the routes of one application share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from madeby.errors import MadebyError
from madeby.web.admission import Admission, Reservation
from madeby.web.answering import Answering
from madeby.web.history.database import HistoryUnavailableError
from madeby.web.history.store import History
from madeby.web.keys import KeyRing
from madeby.web.live_model import LiveModel
from madeby.web.metrics import Metrics
from madeby.web.rate_limit import RateLimit
from madeby.web.recorder import Recorder
from madeby.web.refusal import RefusalError
from madeby.web.settings import Settings

PRUNE_SECONDS = 3600.0

_log = logging.getLogger("madeby.web")


class Server:
    """The parts of a running server, opened together and closed together."""

    def __init__(self, settings: Settings) -> None:
        """Load the model and open the history.

        Raises:
            MadebyError: the model, the data folder, the keys or the history cannot be used.
        """
        self.settings = settings
        settings.made_folder()
        self.keyring = KeyRing(settings.data_folder, settings.api_keys)
        if settings.wants_keys and not self.keyring:
            raise MadebyError(
                f"a server at {settings.host} needs API keys and there are none: make one with `madeby keys create "
                f"NAME`, set MADEBY_API_KEYS, or let everybody in with --no-auth"
            )
        self.live = LiveModel(settings.model, threshold_profile=settings.threshold_profile, provider=settings.provider)
        self.history = History.open(
            settings.place_of_history, settings.pictures_folder, settings.retention_days, settings.retention_count
        )
        self.answering = Answering(settings, self.live)
        self.admission = Admission(settings.max_requests, settings.max_bytes_under_way)
        self.limit = RateLimit(settings.rate_per_minute)
        self.metrics = Metrics(self.admission, self.answering.workers)
        self.recorder = Recorder(self.history)
        self._pruning: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin what goes on beside the requests: the retention, and watching the model's store."""
        if self.settings.forgets:
            self._pruning = asyncio.create_task(self._prune())
        if self.settings.model is not None and "://" in self.settings.model:
            self.live.watch(self.settings.watch_seconds)

    async def close(self) -> None:
        """End all of it."""
        if self._pruning is not None:
            self._pruning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pruning
        await asyncio.to_thread(self.live.close)
        self.answering.close()
        self.recorder.close()
        self.history.close()

    @contextmanager
    def admitted(self) -> Iterator[Reservation]:
        """A place for a request that carries pictures.

        Raises:
            RefusalError: 429, there is none; 503, the history does not take the answer.
        """
        try:
            with self.admission.request() as reservation:
                yield reservation
        except HistoryUnavailableError as error:
            raise RefusalError(503, "history_unavailable", str(error), retry_after=5) from error

    def charge(self, request: Request, pictures: int) -> None:
        """Count a form's pictures for the client that sent it.

        Raises:
            RefusalError: 429, more than the rate limit allows.
        """
        client = request.state.client
        if client and (wait := self.limit.take(client, pictures)):
            raise RefusalError(
                429, "rate_limited", "you ask for more than the rate limit allows; try again later", wait
            )

    async def _prune(self) -> None:
        while True:
            try:
                removed = await asyncio.to_thread(self.history.prune)
                if removed:
                    _log.info("the retention removed %d results", removed)
            except MadebyError as error:
                _log.warning("the retention could not be applied: %s", error)
            await asyncio.sleep(PRUNE_SECONDS)


def _server(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


TheServer = Annotated[Server, Depends(_server)]
