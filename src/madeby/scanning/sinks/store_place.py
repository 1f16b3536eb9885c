"""A place in an object store that results are written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

from madeby.errors import MadebyError
from madeby.pictures.object_stores import Trouble, file_system, trouble_of
from madeby.pictures.sources.names import printable

_HOPELESS = {
    Trouble.NO_BUCKET: "there is no such bucket; check the name and AWS_ENDPOINT_URL",
    Trouble.NO_CREDENTIALS: "no credentials were found; see docs/stores.md",
    Trouble.UNREACHABLE: "the store could not be reached",
}


def no_store(place: str) -> MadebyError:
    """What is said of an address that nothing can be written to."""
    return MadebyError(
        f"cannot write {printable(place)}: name a file or folder, or an object store as s3://bucket/results"
    )


class StorePlace:
    """A folder or an object at an address such as ``s3://bucket/results``; failures name the address."""

    def __init__(self, url: str) -> None:
        """Find what writes to such addresses.

        Raises:
            MissingExtraError: it is not installed.
            MadebyError: it is not installed, and is in no extra; the message names it.
        """
        scheme, _, rest = url.partition("://")
        self.where = printable(url.rstrip("/"))
        self._root = rest.strip("/")
        try:
            self._files: Any = file_system(scheme.lower())
        except (ImportError, ValueError) as error:
            raise MadebyError(f"{self.where}: {error}") from None

    def check(self) -> None:
        """Look whether the store answers and has the bucket: to be known before the work, and not after it.

        Raises:
            MadebyError: it does not.
        """
        try:
            self._files.ls(self._root.rpartition("/")[0] or self._root, detail=False)
        except Exception as error:  # each file system has exception classes of its own
            if told := _HOPELESS.get(trouble_of(error)):
                raise self._refused("write", told) from None

    def names(self) -> list[str]:
        """What lies in the folder; nothing where it is not there yet.

        Raises:
            MadebyError: it cannot be listed.
        """
        try:
            return [name.rstrip("/").rpartition("/")[2] for name in self._files.ls(self._root, detail=False)]
        except Exception as error:  # as above
            trouble = trouble_of(error)
            if trouble is Trouble.ABSENT:
                return []
            raise self._refused("read", _HOPELESS.get(trouble) or str(error) or type(error).__name__) from None

    def open(self, name: str) -> BinaryIO:
        """What lies in the folder under a name."""
        try:
            return cast(BinaryIO, self._files.open(f"{self._root}/{name}", "rb"))
        except Exception as error:  # as above
            raise self._refused("read", str(error) or type(error).__name__) from None

    def put(self, file: Path, name: str = "") -> None:
        """Send a file of this machine: into the folder under a name, or as the object itself. It appears at once."""
        try:
            self._files.put_file(str(file), f"{self._root}/{name}" if name else self._root)
        except Exception as error:  # as above
            raise self._refused("write", str(error) or type(error).__name__) from None

    def _refused(self, verb: str, why: str) -> MadebyError:
        return MadebyError(f"cannot {verb} {self.where}: {why}")
