"""Multipart forms (RFC 7578), read as they arrive: what is over a limit is never held.

A file that is too large or, by its first bytes, no picture is dropped while it streams and becomes that picture's
error; the others of the request are answered. Only a request that is too large as a whole is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import madeby
from madeby.errors import ErrorCode, PictureError
from madeby.web.admission import Reservation
from madeby.web.refusal import RefusalError
from madeby.web.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

TOLD_BY = 256
"""Bytes at a file's beginning that tell its format."""

LONGEST_FIELD = 8192
MOST_FIELDS = 20
LINGER_SECONDS = 2.0


@dataclass
class Upload:
    """One file of a form: its name, its bytes, and why it is to be refused, if it is."""

    name: str
    data: bytes = b""
    problem: PictureError | None = None


@dataclass
class Form:
    """A form's files and its fields, each in the order they came."""

    files: list[Upload] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The last value of a field; None where it is missing or empty."""
        values = self.fields.get(name)
        return values[-1].strip() or None if values else None

    def flag(self, name: str, *, default: bool) -> bool:
        """The value of a yes-or-no field.

        Raises:
            RefusalError: 422, it is neither.
        """
        value = self.one(name)
        if value is None:
            return default
        if value.lower() in ("true", "1", "on", "yes"):
            return True
        if value.lower() in ("false", "0", "off", "no"):
            return False
        raise RefusalError(422, "invalid", f"{name}: write true or false")


async def read_form(request: Request, file_field: str, settings: Settings, reservation: Reservation) -> Form:
    """Read a request's form.

    Args:
        request: its body has not been read.
        file_field: name of the field that carries files.
        settings: the limits.
        reservation: where the bytes that are held are counted.

    Raises:
        RefusalError: 408, 413, 415, 422 or 429.
    """
    from starlette.requests import ClientDisconnect

    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > settings.max_body_bytes:
        raise await after_lingering(request, _too_much(settings))
    parser = _FormParser(request.headers.get("content-type"), file_field, settings, reservation)
    received = 0
    try:
        async with asyncio.timeout(settings.upload_seconds):
            async for chunk in _chunks(request, settings.idle_seconds):
                received += len(chunk)
                if received > settings.max_body_bytes:
                    raise _too_much(settings)
                parser.write(chunk)
        return parser.finish()
    except TimeoutError:
        raise RefusalError(408, "timeout", "the upload took too long") from None
    except ClientDisconnect:
        raise RefusalError(400, "disconnected", "the upload was broken off") from None
    except RefusalError as refusal:
        raise await after_lingering(request, refusal) from None


async def _chunks(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    chunks = request.stream()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), idle_seconds)
        except StopAsyncIteration:
            return
        yield chunk


async def after_lingering(request: Request, refusal: RefusalError) -> RefusalError:
    """The refusal, once the client had a moment to send the rest: many read no answer before they have sent all."""
    refusal.headers["Connection"] = "close"
    with suppress(Exception):  # a body that was begun elsewhere, a client that is gone: the refusal stands
        async with asyncio.timeout(LINGER_SECONDS):
            async for _ in request.stream():
                pass
    return refusal


class _FormParser:
    """Collects the parts of a form as python-multipart finds them."""

    def __init__(self, content_type: str | None, file_field: str, settings: Settings, reservation: Reservation) -> None:
        from python_multipart import MultipartParser
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import parse_options_header

        kind, options = parse_options_header(content_type)
        if kind.lower() != b"multipart/form-data":
            raise RefusalError(415, "not_a_form", "send the pictures as multipart/form-data")
        if not options.get(b"boundary"):
            raise RefusalError(400, "malformed", "the form has no boundary")
        self._file_field, self._settings, self._reservation = file_field, settings, reservation
        self._error, self._options = FormParserError, parse_options_header
        self._form = Form()
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._name = ""
        self._upload: Upload | None = None
        self._part = bytearray()
        self._foreign: bool | None = None
        self._size = 0
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_data,
                    "on_part_end": self._on_end,
                    "on_end": self._on_last,
                },
            )
        except FormParserError as error:
            raise RefusalError(400, "malformed", f"the form cannot be read: {error}") from None
        self._complete = False

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(chunk)
        except self._error as error:
            raise RefusalError(400, "malformed", f"the form cannot be read: {error}") from None

    def finish(self) -> Form:
        """The form, once all of it was taken."""
        if not self._complete:
            raise RefusalError(400, "malformed", "the form ends before its last boundary")
        return self._form

    def _begin(self) -> None:
        self._disposition, self._name, self._upload, self._size = b"", "", None, 0
        self._part, self._foreign = bytearray(), None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, options = self._options(self._disposition.decode("latin-1"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == self._file_field:
            self._upload = Upload(_shown_name(options.get(b"filename", b"").decode("utf-8", "replace")))
            if len(self._form.files) >= self._settings.max_pictures:
                raise too_many_pictures(self._settings)
        elif b"filename" in options:
            raise RefusalError(422, "invalid", f"files belong in the field {self._file_field!r}")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._upload is None:
            if self._size > LONGEST_FIELD:
                raise RefusalError(422, "invalid", f"a field has more than {LONGEST_FIELD} bytes")
            self._part += data[start:end]
            return
        if self._upload.problem is not None or self._is_foreign(data[start : min(end, start + TOLD_BY)]):
            return
        if self._size > self._settings.max_file_bytes:
            self._part = bytearray()
            self._upload.problem = PictureError(
                ErrorCode.TOO_LARGE, f"the file has more bytes than the limit of {self._settings.max_file_bytes:,}"
            )
            return
        self._reservation.take(end - start)
        self._part += data[start:end]

    def _is_foreign(self, piece: bytes) -> bool:
        """Whether the file is in no format that is read, once enough of it came to know.

        Only its beginning is held then; decoding that says what is wrong, as with any file of that kind.
        """
        if self._foreign is None:
            head = bytes(self._part[:TOLD_BY]) + piece
            if len(head) >= TOLD_BY:
                self._foreign = madeby.sniff(head) is None
                if self._foreign:
                    self._part = bytearray(head[:TOLD_BY])
        return bool(self._foreign)

    def _on_end(self) -> None:
        if self._upload is not None:
            self._upload.data = bytes(self._part)
            if self._upload.name or self._size:  # browsers send an unnamed empty part where no file was chosen
                self._form.files.append(self._upload)
            return
        if sum(map(len, self._form.fields.values())) >= MOST_FIELDS + self._settings.max_pictures:
            raise RefusalError(422, "invalid", "the form has too many fields")
        self._form.fields.setdefault(self._name, []).append(self._part.decode("utf-8", "replace"))

    def _on_last(self) -> None:
        self._complete = True


def too_many_pictures(settings: Settings) -> RefusalError:
    """The refusal of a request with more pictures than allowed."""
    return RefusalError(413, "too_many", f"a request may have at most {settings.max_pictures} pictures; send several")


def _too_much(settings: Settings) -> RefusalError:
    limit = f"{settings.max_body_bytes:,}"
    return RefusalError(413, "too_large", f"the request has more bytes than the limit of {limit}; send several")


def _shown_name(name: str) -> str:
    """A file's name as results carry it: printable, of bearable length, its quotes as browsers escape them back."""
    name = name.replace("%22", '"')
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)[:300]
