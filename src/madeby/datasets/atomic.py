"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from madeby.errors import DataError


@contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Hand out a temporary path beside ``path`` and rename it to ``path`` once the block ends without error.

    Missing parent folders are made. After an error nothing is left behind and an older ``path`` stays as it was.

    Raises:
        DataError: the operating system refuses to write there.
    """
    temporary = _temporary_beside(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _refused(path, error) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Find out before long work whether its result can be written; leaves nothing but the parent folders.

    Raises:
        DataError: the operating system refuses, or ``path`` is a folder.
    """
    _temporary_beside(path).unlink()


def _temporary_beside(path: Path) -> Path:
    if path.is_dir():
        raise DataError(f"cannot write {path}: it is a folder; give the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
        # mkstemp makes files that only the owner reads; the result gets what the user's umask grants.
        umask = os.umask(0)
        os.umask(umask)
        temporary = Path(name)
        temporary.chmod(0o666 & ~umask)
    except OSError as error:
        raise _refused(path, error) from None
    return temporary


def _refused(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot write {path}: {error.strerror or error}; choose another place")
