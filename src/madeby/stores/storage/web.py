"""A store behind a web server: read only, and listed by the ``models.json`` that pushes leave there."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import httpx

from madeby.errors import BundleError
from madeby.stores.contents import CONTENTS_FILE, CONTENTS_MAX_BYTES, Contents
from madeby.stores.storage.storage import NotThereError, UnreachableError, read_small
from madeby.version import __version__

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class WebStorage:
    """Files below an http or https address; follows redirects and uses the environment's proxies."""

    def __init__(self, url: str) -> None:
        try:
            self._root = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise BundleError(f"{url} is no usable address: {error}") from None
        if not self._root.host:
            raise BundleError(f"{url} is no usable address: it names no server")

    def where(self, path: str = "") -> str:
        """The file's address, without credentials."""
        return str(self._address(path).copy_with(userinfo=b""))

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """A file's bytes in pieces, asked for by a range (RFC 9110, 14); servers without ranges send all again."""
        headers = {"User-Agent": f"madeby/{__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        where = self.where(path)
        try:
            with (
                httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30.0, connect=10.0)) as client,
                client.stream("GET", self._address(path), headers=headers) as response,
            ):
                if start and response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return
                _check(response, where)
                skip = start if response.status_code != HTTPStatus.PARTIAL_CONTENT else 0
                for piece in response.iter_bytes():
                    if len(piece) > skip:
                        yield piece[skip:]
                    skip = max(0, skip - len(piece))
        except (httpx.TransportError, httpx.TooManyRedirects, httpx.DecodingError) as error:
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"{where} could not be read: {reason}; check the address and the network") from None

    def folders(self, path: str = "") -> list[str]:
        """What ``models.json`` here, or in the folder above, says lies below a path."""
        try:
            contents = self._contents(self, "")
        except NotThereError:
            above, _, name = str(self._root).rpartition("/")
            if path or above.endswith("/"):
                return []
            try:
                return list(self._contents(WebStorage(above), name).models.get(name, ()))
            except NotThereError:
                return []
        return list(contents.models.get(path, ())) if path else sorted(contents.models)

    def write(self, path: str, file: Path) -> None:
        """Refused: web servers are read only."""
        raise BundleError(
            f"{self.where()} cannot be written to: push to a folder or to an object store (s3://bucket/prefix); "
            "a web server may then serve it"
        )

    @staticmethod
    def _contents(storage: WebStorage, name: str) -> Contents:
        data = read_small(storage, CONTENTS_FILE, CONTENTS_MAX_BYTES)
        return Contents.from_json(data, storage.where(CONTENTS_FILE))

    def _address(self, path: str) -> httpx.URL:
        if not path:
            return self._root
        return self._root.copy_with(raw_path=self._root.raw_path.rstrip(b"/") + b"/" + quote(path, safe="/%").encode())


def _check(response: httpx.Response, where: str) -> None:
    status = response.status_code
    if response.is_success:
        return
    phrase = f"{status} {response.reason_phrase}".strip()
    if status in _GONE:
        raise NotThereError(f"there is no {where} ({phrase})")
    if status in _REFUSED:
        raise BundleError(
            f"{where} may not be read ({phrase}); put credentials in the URL, https://user:password@host/…"
        )
    raise UnreachableError(f"{where} answered {phrase}; try again later")
