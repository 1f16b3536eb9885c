"""Writes answers to the history before they are given, those of several requests in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from madeby.web.history.store import History
from madeby.web.record import Record


@dataclass
class _Waiting:
    records: Sequence[Record]
    pictures: Mapping[str, bytes]
    kept: asyncio.Future[list[Record]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Recorder:
    """One writer: while it waits for the disk, the next answers gather and go into the next transaction together."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="madeby-recorder")
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, records: Sequence[Record], pictures: Mapping[str, bytes]) -> list[Record]:
        """The records as they are kept; they are on the disk when this returns.

        Raises:
            HistoryUnavailableError: they could not be written.
        """
        if not records:
            return []
        waiting = _Waiting(records, pictures)
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await asyncio.shield(waiting.kept)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                kept = await loop.run_in_executor(self._thread, self._add, batch)
            except Exception as error:  # told to each who waits; none of the batch was written
                for waiting in batch:
                    if not waiting.kept.done():
                        waiting.kept.set_exception(error)
                        waiting.kept.exception()  # looked at, in case its request is gone
            else:
                for waiting, records in zip(batch, kept, strict=True):
                    if not waiting.kept.done():
                        waiting.kept.set_result(records)

    def _add(self, batch: list[_Waiting]) -> list[list[Record]]:
        together = [record for waiting in batch for record in waiting.records]
        pictures = {id: data for waiting in batch for id, data in waiting.pictures.items()}
        kept = iter(self._history.add(together, pictures))
        return [[next(kept) for _ in waiting.records] for waiting in batch]

    def close(self) -> None:
        """Finish what is being written."""
        self._thread.shutdown(wait=True)
