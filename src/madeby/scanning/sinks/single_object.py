"""Results as one object of an object store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from madeby.errors import MadebyError
from madeby.pictures.object_stores import in_object_store
from madeby.scanning.sinks.several import Sink
from madeby.scanning.sinks.store_place import StorePlace, no_store
from madeby.schema import Result


class ObjectSink:
    """Writes to a file of this machine and sends it when the scan is over: objects cannot be appended to.

    The object appears whole; until then an older one stays. A kill loses what was not sent, so that long scans had
    better write to a folder.
    """

    def __init__(self, url: str, begin: Callable[[Path], Sink]) -> None:
        """Begin the file.

        Args:
            url: the object, as ``s3://bucket/results.jsonl``.
            begin: gives the sink for the file, as :class:`madeby.JsonLinesFile` does.

        Raises:
            MissingExtraError: what writes to such addresses is not installed.
            MadebyError: it is no address in an object store, or the store does not answer.
        """
        if not in_object_store(url):
            raise no_store(url)
        self._object = StorePlace(url)
        self._object.check()
        self._here = Path(tempfile.mkdtemp(prefix="madeby-results-"))
        self._file = self._here / url.rpartition("/")[2]
        try:
            self._sink = begin(self._file)
        except BaseException:
            shutil.rmtree(self._here, ignore_errors=True)
            raise

    def write(self, result: Result) -> None:
        """Take one result."""
        self._sink.write(result)

    def close(self) -> None:
        """Send the file.

        Raises:
            MadebyError: the store does not take it; the message says where the file was left.
        """
        self._sink.close()
        self._send()

    def abort(self) -> None:
        """Send the results so far, where their kind of file can be whole without the rest."""
        self._sink.abort()
        self._send()

    def _send(self) -> None:
        if self._file.exists():
            try:
                self._object.put(self._file)
            except MadebyError as error:
                raise MadebyError(f"{error}; the results were left in {self._file}") from None
        shutil.rmtree(self._here, ignore_errors=True)
