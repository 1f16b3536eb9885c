"""Object stores, and every other place that fsspec has a file system for: S3, Google Cloud Storage, Azure, hubs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from madeby.errors import BundleError, MissingExtraError
from madeby.pictures.object_stores import S3_SCHEMES, Trouble, file_system, trouble_of
from madeby.stores.storage.storage import NotThereError, UnreachableError

_PIECE = 8 << 20


class ObjectStorage:
    """Files below a URL such as ``s3://bucket/prefix``; credentials are found as the file system's own tools do."""

    def __init__(self, url: str, endpoint: str | None = None) -> None:
        """Choose the file system; nothing is asked of the network yet.

        Raises:
            BundleError: fsspec knows no such scheme, or what reads it is not installed.
        """
        self._scheme, _, rest = url.partition("://")
        self._root = rest.strip("/")
        if not self._root:
            raise BundleError(f"{url} names no bucket; write {self._scheme}://bucket/folder")
        options = {}
        if endpoint is not None:
            options["endpoint_url"] = endpoint
        try:
            self._files: Any = file_system(self._scheme, **options)
        except MissingExtraError as error:
            raise MissingExtraError(f"{url}: reading {self._scheme}:// addresses", error.extra) from None
        except (ImportError, ValueError) as error:
            raise BundleError(f"{url}: {error}; other stores are folders, https:// and s3:// addresses") from None
        self._endpoint = endpoint

    def where(self, path: str = "") -> str:
        """The file's URL."""
        return f"{self._scheme}://{self._at(path)}"

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """A file's bytes, 8 MiB a request."""
        full = False
        while not full:
            with self._told("read", path):
                try:
                    piece: bytes = self._files.cat_file(self._at(path), start=start, end=start + _PIECE)
                except OSError as error:
                    if start and trouble_of(error) is Trouble.PAST_THE_END:
                        return
                    raise
            full = len(piece) < _PIECE
            start += len(piece)
            if piece:
                yield piece

    def folders(self, path: str = "") -> list[str]:
        """Folders directly below a path."""
        try:
            with self._told("list", path):
                found = self._files.ls(self._at(path), detail=True)
        except NotThereError:
            return []
        return sorted(Path(entry["name"].rstrip("/")).name for entry in found if entry["type"] == "directory")

    def write(self, path: str, file: Path) -> None:
        """Upload a file, in parts if it is large; object stores show it when it is whole."""
        with self._told("write", path):
            self._files.put_file(os.fspath(file), self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    @contextmanager
    def _told(self, verb: str, path: str) -> Iterator[None]:
        """Turn what the file system raises into a message that says what to do."""
        where = self.where(path)
        try:
            yield
        except Exception as error:  # each file system has exception classes of its own
            raise self._explained(error, where, verb) from None

    def _explained(self, error: Exception, where: str, verb: str) -> BundleError:
        bucket = self._root.partition("/")[0]
        trouble = trouble_of(error)
        endpoint = self._endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        at = f" at {endpoint}" if endpoint and self._scheme in S3_SCHEMES else ""
        if trouble is Trouble.NO_BUCKET:
            return BundleError(
                f"{where}: there is no bucket {bucket!r}{at}; check the name, and for a service other than AWS "
                "its address (--endpoint or AWS_ENDPOINT_URL)"
            )
        if trouble is Trouble.ABSENT:
            return NotThereError(f"there is no {where}{at}")
        if trouble is Trouble.REFUSED:
            return BundleError(
                f"{where}: permission to {verb} was refused ({error}); "
                f"check which credentials are in use and what they may do in bucket {bucket!r}"
            )
        if trouble is Trouble.NO_CREDENTIALS:
            return BundleError(
                f"{where}: no credentials ({error}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or "
                "a role, or for a public bucket FSSPEC_S3_ANON=true"
            )
        if trouble is Trouble.UNREACHABLE:
            return UnreachableError(
                f"{where} could not be reached ({str(error) or type(error).__name__}); "
                "check the network and, for a service other than AWS, its address (--endpoint or AWS_ENDPOINT_URL)"
            )
        return BundleError(f"{where}: could not {verb} it: {type(error).__name__}: {error}")
