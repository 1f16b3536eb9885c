"""Answers by what was in the file: identical bytes are examined once, in this scan and in later ones."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from madeby.errors import MadebyError
from madeby.scanning.pipeline import Pipeline
from madeby.schema import Result, Timing
from madeby.verdict import CONFLICTS, PIXEL_CONFLICTS, POLICY
from madeby.version import __version__

ANSWERS_KEPT = 1_000_000
"""About one gigabyte; beyond them the oldest are dropped."""

_MAGIC = 0x6D616465  # marks the database as ours (SQLite's application_id)
_PRUNED_EVERY = 1_000
_TABLE = "CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, result BLOB NOT NULL)"


class AnswerCache:
    """Remembers the results of one pipeline in an SQLite file, which several processes may share.

    The key is the SHA-256 of the picture's bytes together with all that shapes an answer: the model and its
    thresholds, what runs it, what is read, the limits, the policy and the version of madeby. What belongs to the single
    file, its name and the time spent, is not kept. Only answers are; an error may have passed by the next time.
    """

    def __init__(self, path: Path, pipeline: Pipeline, *, kept: int = ANSWERS_KEPT) -> None:
        """Open the file, or begin it.

        Raises:
            MadebyError: it cannot be written, or is something else.
        """
        self._salt = _fingerprint(pipeline)
        self._kept, self._stored = kept, 0
        self._lock = threading.Lock()
        self._under_way: dict[bytes, threading.Event] = {}
        try:
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._begin(path)
        except sqlite3.Error as error:
            raise MadebyError(f"cannot use {path} as a cache: {error}; name another file") from None

    def answer(self, data: bytes, source: str, examine: Callable[[], Result]) -> Result:
        """The remembered answer about these bytes, under this name; else what ``examine`` says, to be remembered."""
        key = hashlib.sha256(self._salt + hashlib.sha256(data).digest()).digest()
        with self._alone(key):
            known = self._get(key)
            if known is not None:
                return known.model_copy(update={"source": source})
            result = examine()
            if result.ok:
                self._put(key, result)
            return result

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextlib.contextmanager
    def _alone(self, key: bytes) -> Iterator[None]:
        """Let one thread at a time ask about the same bytes: the others find its answer."""
        while True:
            with self._lock:
                other = self._under_way.get(key)
                if other is None:
                    done = self._under_way[key] = threading.Event()
                    break
            other.wait()
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[key]
            done.set()

    def _begin(self, path: Path) -> None:
        run = self._database.execute
        run("BEGIN IMMEDIATE")  # several scans may begin the same file: each finds none of it or all of it
        try:
            (magic,) = run("PRAGMA application_id").fetchone()
            (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
            ours = magic == _MAGIC or not tables
            if ours:
                run(f"PRAGMA application_id = {_MAGIC}")
                run(_TABLE)
        finally:
            run("COMMIT")
        if not ours:
            self._database.close()
            raise MadebyError(f"cannot use {path} as a cache: it is another program's database; name another file")
        with contextlib.suppress(sqlite3.OperationalError):  # busy: whoever has the file open has asked for it too
            run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # a power cut may lose the last answers, never the file

    def _get(self, key: bytes) -> Result | None:
        # A cache that is busy, full or damaged costs time and nothing else.
        with self._lock, contextlib.suppress(sqlite3.Error, zlib.error, ValueError):
            row = self._database.execute("SELECT result FROM answers WHERE key = ?", (key,)).fetchone()
            return Result.from_json(zlib.decompress(row[0])) if row else None
        return None

    def _put(self, key: bytes, result: Result) -> None:
        plain = result.model_copy(update={"source": "", "timing_ms": Timing()})
        packed = zlib.compress(plain.to_json().encode(), 1)
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._database.execute("INSERT OR IGNORE INTO answers (key, result) VALUES (?, ?)", (key, packed))
            self._stored += 1
            if self._stored % min(_PRUNED_EVERY, self._kept) == 0:
                oldest = "DELETE FROM answers WHERE id <= (SELECT max(id) FROM answers) - ?"
                self._database.execute(oldest, (self._kept,))


def _fingerprint(pipeline: Pipeline) -> bytes:
    """All but the picture that an answer depends on, as a digest."""
    bundle = pipeline.detector.bundle if pipeline.detector else None
    parts = (
        __version__,
        bundle.spec.model_dump_json() if bundle else None,
        pipeline.detector.provider.value if pipeline.detector else None,
        pipeline.provenance,
        pipeline.reading,
        pipeline.limits,
        (POLICY, CONFLICTS, PIXEL_CONFLICTS),
    )
    return hashlib.sha256(repr(parts).encode()).digest()
