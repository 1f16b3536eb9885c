"""API keys: made once, shown once, and kept only as hashes.

A key is 256 random bits, so a plain SHA-256 of it cannot be reversed; slow password hashes are for words that
people choose. Keys lie in ``keys.json`` of the server's data folder and are read again whenever that file changes,
so that a revoked key stops working at once. Further keys may come from the environment (``MADEBY_API_KEYS``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import Field, TypeAdapter, ValidationError

from madeby.errors import MadebyError
from madeby.schema import Frozen
from madeby.web.data_folder import data_folder_of

KEYS_FILE = "keys.json"
PREFIX = "madeby_"
LEAST_LENGTH = 16
"""Characters that a key from the environment must have: shorter ones can be guessed."""


class ApiKey(Frozen):
    """What is kept of a key: who it was made for, when, and its SHA-256. ``id`` names it in logs and to revoke it."""

    id: str
    name: str = Field(max_length=100)
    created: datetime
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class NewKey(Frozen):
    """A key that was just made: the only time that ``key`` itself is known."""

    key: str
    entry: ApiKey


_ENTRIES = TypeAdapter(list[ApiKey])


def keys_create(name: str, data_folder: str | Path | None = None) -> NewKey:
    """Make a key for somebody and keep its hash.

    Raises:
        MadebyError: the name is empty, or the folder cannot be written.
    """
    if not name.strip():
        raise MadebyError("a key needs a name: say who it is for, as in `madeby keys create newsroom`")
    key = PREFIX + secrets.token_urlsafe(32)
    entry = ApiKey(id=secrets.token_hex(4), name=name.strip()[:100], created=datetime.now(UTC), sha256=_digest(key))
    path = data_folder_of(data_folder) / KEYS_FILE
    with _alone(path):
        _write(path, [*_read(path), entry])
    return NewKey(key=key, entry=entry)


def keys_list(data_folder: str | Path | None = None) -> list[ApiKey]:
    """The keys of a data folder, oldest first.

    Raises:
        MadebyError: the file of keys cannot be read.
    """
    return _read(data_folder_of(data_folder) / KEYS_FILE)


def keys_revoke(id: str, data_folder: str | Path | None = None) -> ApiKey:
    """Make a key worthless, by its id.

    Raises:
        MadebyError: there is no such key, or the folder cannot be written.
    """
    path = data_folder_of(data_folder) / KEYS_FILE
    with _alone(path):
        entries = _read(path)
        for entry in entries:
            if entry.id == id:
                _write(path, [other for other in entries if other is not entry])
                return entry
    known = ", ".join(f"{entry.id} ({entry.name})" for entry in entries) or "none"
    raise MadebyError(f"no key has the id {id!r}; there are: {known}")


class KeyRing:
    """The keys that a server accepts."""

    def __init__(self, data_folder: Path, from_environment: Iterable[str] = ()) -> None:
        """``from_environment`` are keys themselves.

        Raises:
            MadebyError: one of those is too short to be safe.
        """
        self._path = data_folder / KEYS_FILE
        self._fixed: dict[str, str] = {}
        for number, key in enumerate(from_environment, 1):
            if len(key) < LEAST_LENGTH:
                raise MadebyError(f"key {number} of MADEBY_API_KEYS has fewer than {LEAST_LENGTH} characters")
            self._fixed[_digest(key)] = f"environment-{number}"
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._kept: dict[str, str] = {}
        self._refresh()

    def __len__(self) -> int:
        self._refresh()
        return len(self._fixed) + len(self._kept)

    def who(self, presented: str) -> str | None:
        """The id of the key that was presented, None if it is none of ours."""
        self._refresh()
        digest = _digest(presented)
        return self._fixed.get(digest) or self._kept.get(digest)

    def _refresh(self) -> None:
        with self._lock:
            try:
                status = self._path.stat()
                stamp = (status.st_mtime_ns, status.st_ino)
            except FileNotFoundError:
                stamp = None
            if stamp != self._stamp:
                self._kept = {entry.sha256: entry.id for entry in _read(self._path)}
                self._stamp = stamp


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _read(path: Path) -> list[ApiKey]:
    try:
        return _ENTRIES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MadebyError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError:
        raise MadebyError(f"{path} is damaged: restore it, or delete it and make new keys") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other commands that change the keys waiting, so that none overwrites what another just wrote."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock", mode=0o600):
            yield
    except OSError as error:
        raise MadebyError(f"{path} cannot be written: {error.strerror or error}") from None


def _write(path: Path, entries: list[ApiKey]) -> None:
    """Exchange the file in one step, readable by its owner alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        text = json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2) + "\n"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise MadebyError(f"{path} cannot be written: {error.strerror or error}") from None
