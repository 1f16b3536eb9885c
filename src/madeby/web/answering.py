"""From what a request names to records: fetch, decode, judge, each in bounded threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import madeby
from madeby.errors import ErrorCode, MadebyError, PictureError
from madeby.schema import ErrorInfo, Result
from madeby.web.live_model import LiveModel
from madeby.web.record import Record
from madeby.web.refusal import RefusalError
from madeby.web.settings import Settings
from madeby.web.shelf import Shelf
from madeby.web.uploads import Upload
from madeby.web.workers import Workers

FETCHES_AT_ONCE = 8
LONGEST_URL = 2000

_log = logging.getLogger("madeby.web")


@dataclass(frozen=True)
class Wanted:
    """One picture of a request: its place there, and either the file or the address."""

    index: int
    upload: Upload | None = None
    url: str = ""


@dataclass(frozen=True)
class Options:
    """How to answer; ``detector`` None where the pixels are not to be judged."""

    detector: madeby.Detector | None
    provenance: bool = True


@dataclass(frozen=True, eq=False)
class Answer:
    """A record that is not kept yet, and the picture behind it."""

    record: Record
    data: bytes


class Answering:
    """What all requests share: the model, the threads and the rules for addresses."""

    def __init__(self, settings: Settings, live: LiveModel) -> None:
        self.settings = settings
        self.live = live
        self.shelf = Shelf(live)
        self.workers = Workers(settings.workers, "madeby-web")
        self._fetchers = Workers(FETCHES_AT_ONCE, "madeby-fetch")
        self._fetched = asyncio.Semaphore(FETCHES_AT_ONCE)
        self.limits = madeby.Limits(max_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels)
        self._policy = madeby.FetchPolicy(
            allow_private=settings.allow_private,
            max_bytes=settings.max_file_bytes,
            timeout_seconds=settings.fetch_seconds,
        )

    async def detector_of(self, model: str | None, profile: str | None) -> madeby.Detector:
        """The detector of this moment, or of a model at hand, with the thresholds of a profile: the server's if None.

        Raises:
            RefusalError: 422, there is no such model at hand, or it has no such profile.
        """
        if model is None:
            detector = self.live.detector
        else:
            detector = await self.workers.run(lambda: self.shelf.detector(model), self.settings.picture_seconds)
        try:
            return detector.with_profile(profile or self.settings.threshold_profile)
        except MadebyError as error:
            raise RefusalError(422, "invalid", f"threshold_profile: {error}") from None

    def room_for(self, wanted: Wanted) -> AbstractAsyncContextManager[None]:
        """Where to answer and keep the answer: what addresses lead to nobody sent and counted, so few are held."""
        return self._fetched if wanted.upload is None else nullcontext()

    async def data_of(self, wanted: Wanted) -> bytes:
        """The picture's bytes.

        Raises:
            PictureError: it cannot be had.
            TimeoutError: the address took too long.
        """
        if wanted.upload is not None:
            if wanted.upload.problem is not None:
                raise wanted.upload.problem
            return wanted.upload.data
        url = wanted.url
        if len(url) > LONGEST_URL:
            raise PictureError(ErrorCode.UNREACHABLE, f"the address has more than {LONGEST_URL} characters")
        return await self._fetchers.run(lambda: madeby.fetch(url, self._policy), self.settings.fetch_seconds + 5)

    async def answer(self, wanted: Wanted, options: Options) -> Answer:
        """Answer about one picture; what goes wrong becomes the result's error."""
        source, data = name_of(wanted), b""
        try:
            data = await self.data_of(wanted)
            result = await self.workers.run(
                lambda: madeby.scan_bytes(
                    data,
                    source,
                    model=options.detector,
                    detector=options.detector is not None,
                    provenance=options.provenance,
                    limits=self.limits,
                ),
                self.settings.picture_seconds,
            )
        except PictureError as error:
            result = failed(source, error.code, error.message)
        except TimeoutError:
            result = failed(source, ErrorCode.TIMEOUT, "the picture took longer than allowed; make it smaller first")
        return Answer(Record(index=wanted.index, result=told(result)), data)

    def close(self) -> None:
        """Let go of the threads."""
        self.workers.close()
        self._fetchers.close()


def wanted_from(uploads: Sequence[Upload], urls: Sequence[str], settings: Settings) -> list[Wanted]:
    """The pictures of a request, files before addresses.

    Raises:
        RefusalError: 413, too many; 422, none.
    """
    from madeby.web.uploads import too_many_pictures

    addresses = [url.strip() for url in urls if url.strip()]
    if len(uploads) + len(addresses) > settings.max_pictures:
        raise too_many_pictures(settings)
    if not uploads and not addresses:
        raise RefusalError(422, "nothing_to_do", "send pictures in the field 'files' or their addresses in 'urls'")
    files = [Wanted(index, upload=upload) for index, upload in enumerate(uploads)]
    return files + [Wanted(len(files) + index, url=url) for index, url in enumerate(addresses)]


def name_of(wanted: Wanted) -> str:
    """What a picture goes by in its result: its file's name, or its address without user name and password."""
    if wanted.upload is not None:
        return wanted.upload.name or f"picture {wanted.index + 1}"
    try:
        parts = urlsplit(wanted.url)
    except ValueError:
        return "the address"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))[:LONGEST_URL]


def failed(source: str, code: ErrorCode, message: str) -> Result:
    """The result of a picture that could not be answered about."""
    return Result(source=source, status="error", error=ErrorInfo(code=code, message=message), reason=message)


def told(result: Result) -> Result:
    """The result as it may be told: a defect's own words, which may name files of the server, go to the log only."""
    if result.error is None:
        return result
    message = result.error.message.replace("; allow it with --allow-private", "")
    if result.error.code is ErrorCode.INTERNAL:
        _log.error("a picture met a defect: %s", result.error.message)
        message = "an unexpected error, which the server has logged; please report it"
    error = result.error.model_copy(update={"message": message})
    return result.model_copy(update={"error": error, "reason": message})
