"""Everything madeby raises on purpose, under one root.

::

    MadebyError                 what went wrong, and what to do about it
    ├── PictureError            one picture cannot be answered about; carries an error code
    ├── BundleError             a model bundle is missing, damaged or not one of ours
    ├── DataError               a data set, table or manifest cannot be used as it is
    ├── RecipeError             a training recipe, a flag or a network name is wrong
    └── MissingExtraError       a verb needs an optional dependency that is not installed

Messages are written for the person at the terminal: they name the file and say what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a picture has no verdict. The set is closed; scripts may count on it."""

    NOT_FOUND = "not_found"  # no such file, or the server says so
    NOT_PERMITTED = "not_permitted"  # the operating system refuses to let us read it
    UNSUPPORTED = "unsupported"  # not one of the picture formats we read
    UNREADABLE = "unreadable"  # a picture format, but empty, truncated or damaged
    TOO_LARGE = "too_large"  # more bytes or pixels than the limits allow
    FORBIDDEN_ADDRESS = "forbidden_address"  # a URL that leads to a private address or another scheme
    UNREACHABLE = "unreachable"  # the server could not be reached or answered with an error
    TIMEOUT = "timeout"  # took longer than allowed
    INTERNAL = "internal"  # a defect of ours; the message carries what to report


class MadebyError(Exception):
    """Root of all errors that madeby raises on purpose."""


class PictureError(MadebyError):
    """One picture cannot be answered about; in a batch it becomes a result with ``status: error``."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BundleError(MadebyError):
    """A model bundle is missing, damaged or not one of ours."""


class DataError(MadebyError):
    """A data set, table or manifest cannot be used as it is."""


class RecipeError(MadebyError):
    """A training recipe, a flag or a network name is wrong."""


class MissingExtraError(MadebyError):
    """A verb needs an optional dependency that is not installed."""

    def __init__(self, needed_for: str, extra: str) -> None:
        super().__init__(f"{needed_for} needs the extra '{extra}': pip install 'madeby[{extra}]'")
        self.extra = extra


@contextmanager
def needing_extra(what: str, extra: str) -> Iterator[None]:
    """Turn a missing third-party module, imported inside, into a :class:`MissingExtraError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("madeby"):
            raise
        raise MissingExtraError(f"{what} (the module {error.name} is missing)", extra) from None
