"""Pictures in object stores, ``s3://bucket/folder`` and the like, through fsspec.

Listings are drawn a page at a time, so that memory does not grow with what a bucket holds. Credentials are found as
each store's own tools find them, and for S3 ``AWS_ENDPOINT_URL`` names a service other than AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from madeby.errors import ErrorCode, MissingExtraError, PictureError
from madeby.pictures.formats import PICTURE_SUFFIXES
from madeby.pictures.limits import Limits

SCHEMES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hf", "oss", "memory"))
"""Object stores that fsspec has file systems for; ``memory`` lies within this process."""

S3_SCHEMES = frozenset(("s3", "s3a"))

_EXTRAS = {
    **dict.fromkeys(S3_SCHEMES, "s3"),
    **dict.fromkeys(("gs", "gcs"), "gs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "azure"),
    "hf": "hf",
}
"""What has the file system of a scheme; of the others fsspec says what they need."""

FIRST_BYTES = 8 << 20
"""Asked for at first: nearly every picture is whole then; of larger ones the size is asked for next."""

_KEYS_A_PAGE = 1000
_WILDCARD = re.compile(r"[*?\[]")
_CREDENTIALS = {
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
    *("TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"),
}
_NETWORK = {"ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError", "ServerTimeoutError"}


class Trouble(StrEnum):
    """What it means that a store's file system raised; each has exception classes of its own."""

    ABSENT = "absent"
    NO_BUCKET = "no bucket"
    REFUSED = "refused"
    NO_CREDENTIALS = "no credentials"
    UNREACHABLE = "unreachable"
    PAST_THE_END = "past the end"
    OTHER = "other"


def trouble_of(error: Exception) -> Trouble:
    """What an exception of a file system means."""
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    if isinstance(error, FileNotFoundError):
        return Trouble.NO_BUCKET if "bucket" in text and "exist" in text else Trouble.ABSENT
    if isinstance(error, PermissionError):
        return Trouble.REFUSED
    if names & _CREDENTIALS:
        return Trouble.NO_CREDENTIALS
    if names & _NETWORK:
        return Trouble.UNREACHABLE
    if isinstance(error, OSError) and "range" in text:
        return Trouble.PAST_THE_END
    return Trouble.OTHER


def file_system(scheme: str, **options: Any) -> Any:
    """The fsspec file system for a scheme; it remembers no listings, for a store may change at any time.

    Raises:
        MissingExtraError: fsspec, or the package that it needs for this scheme, is not installed.
        ImportError: that package is in none of the extras; the message names it.
        ValueError: fsspec knows no such scheme.
    """
    try:
        import fsspec
    except ModuleNotFoundError:
        raise MissingExtraError(f"the file system for {scheme}:// addresses", _EXTRAS.get(scheme, "s3")) from None
    if scheme in S3_SCHEMES:
        options["use_listings_cache"] = False
    try:
        return fsspec.filesystem(scheme, **options)
    except ImportError:
        if scheme in _EXTRAS:
            raise MissingExtraError(f"the file system for {scheme}:// addresses", _EXTRAS[scheme]) from None
        raise


def in_object_store(source: str) -> bool:
    """Whether a source is an address in an object store."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def expand_objects(source: str) -> Iterator[str]:
    """Every picture that an address names, a page of the listing at a time.

    An address with a picture's suffix is that picture; with a wildcard, what matches it; any other is a folder, and
    its pictures are given at any depth, hidden ones left out. One that yields nothing is passed on, and
    :func:`read_object` says why.

    Raises:
        PictureError: the listing broke off after it had begun.
    """
    scheme, path = _split(source)
    if not path.endswith("/") and _has_picture_suffix(path) and not _WILDCARD.search(path):
        yield source
        return
    count = 0
    try:
        for found in _pictures(scheme, path):
            yield f"{scheme}://{found}"
            count += 1
    except Exception as error:
        if count:
            problem = _picture_error(source, error)
            said = f"the listing broke off after {count:,} pictures: {problem.message}"
            raise PictureError(problem.code, said) from error
    if not count:
        yield source


def read_object(source: str, limits: Limits = Limits()) -> bytes:
    """The bytes of one object; never more than allowed.

    Raises:
        PictureError: ``not_found``, ``not_permitted``, ``too_large``, ``unsupported`` (what reads such addresses is
            not installed) or ``unreachable``.
    """
    data = read_if_small(source, limits)
    if data is not None:
        return data
    scheme, path = _split(source)
    try:
        files = _files(scheme)
        limits.check_bytes(int(files.size(path)))
        return bytes(files.cat_file(path, start=0, end=limits.max_bytes))
    except PictureError:
        raise
    except Exception as error:
        raise _picture_error(source, error) from error


def read_if_small(source: str, limits: Limits = Limits()) -> bytes | None:
    """The bytes of one object if they are fewer than :data:`FIRST_BYTES`, in one request; None if they are more.

    Raises:
        PictureError: as :func:`read_object`.
    """
    scheme, path = _split(source)
    try:
        if path.endswith("/"):
            raise FileNotFoundError(path)
        data = _first_bytes(_files(scheme), path)
    except Exception as error:
        if trouble_of(error) is Trouble.ABSENT:
            raise _nothing_there(source, scheme, path) from error
        raise _picture_error(source, error) from error
    if len(data) >= FIRST_BYTES:
        return None
    limits.check_bytes(len(data))
    return data


def open_object(source: str) -> BinaryIO:
    """An object, open for reading a few MiB at a time from any place in it, as archives and tables need.

    Raises:
        PictureError: why it cannot be; the codes are those of :func:`read_object`.
    """
    scheme, path = _split(source)
    try:
        return cast(BinaryIO, _files(scheme).open(path, "rb", block_size=FIRST_BYTES, cache_type="readahead"))
    except Exception as error:
        if trouble_of(error) is Trouble.ABSENT:
            raise _nothing_there(source, scheme, path) from error
        raise _picture_error(source, error) from error


def _first_bytes(files: Any, path: str) -> bytes:
    try:
        return bytes(files.cat_file(path, start=0, end=FIRST_BYTES))
    except OSError as error:
        if trouble_of(error) is Trouble.PAST_THE_END:  # an empty object has no first byte
            return b""
        raise


def _pictures(scheme: str, path: str) -> Iterator[str]:
    """Paths of the pictures in a folder or behind a pattern."""
    wildcard = _WILDCARD.search(path)
    if wildcard is None:
        folder = path.rstrip("/") + "/"
        for key in _keys(scheme, folder):
            if _has_picture_suffix(key) and not _hidden(key[len(folder) :]):
                yield key
        return
    from fsspec.utils import glob_translate

    literal = path[: wildcard.start()].rpartition("/")[0] + "/"
    pattern = re.compile(glob_translate(path + "/*" if path.endswith("**") else path))
    suffix = PurePosixPath(path).suffix
    names_suffix = bool(suffix) and not _WILDCARD.search(suffix)
    for key in _keys(scheme, literal):
        taken = names_suffix or _has_picture_suffix(key)
        if taken and pattern.match(key) and not _hidden(key[len(literal) :]):
            yield key


def _keys(scheme: str, folder: str) -> Iterator[str]:
    """Everything below a folder, in order of name within a page or a folder."""
    files = _files(scheme)
    if scheme not in S3_SCHEMES:
        for place, _, names in files.walk(folder.rstrip("/")):
            yield from (f"{place.strip('/')}/{name}" for name in sorted(names))
        return
    bucket, _, prefix = folder.partition("/")
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": _KEYS_A_PAGE}
    while True:
        page = _translated(files, request)
        yield from (f"{bucket}/{item['Key']}" for item in page.get("Contents", ()) if not item["Key"].endswith("/"))
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _translated(files: Any, request: dict[str, Any]) -> dict[str, Any]:
    """One page of an S3 listing, with the errors that the file system's own methods raise."""
    from s3fs.errors import translate_boto_error

    try:
        page: dict[str, Any] = files.call_s3("list_objects_v2", **request)
    except Exception as error:
        raise translate_boto_error(error) from error
    return page


def _nothing_there(source: str, scheme: str, path: str) -> PictureError:
    """Why an address has no picture: the listing tells a folder without pictures from what is not there."""
    try:
        anything = next(_keys(scheme, path.rstrip("/") + "/"), None)
    except Exception as error:
        if trouble_of(error) is not Trouble.ABSENT:
            return _picture_error(source, error)
        anything = None
    if _WILDCARD.search(path):
        return PictureError(ErrorCode.NOT_FOUND, f"no picture matches {source}")
    if anything is not None:
        return PictureError(ErrorCode.NOT_FOUND, f"the folder {source} holds no pictures")
    return PictureError(ErrorCode.NOT_FOUND, f"there is no {source}")


def _picture_error(source: str, error: Exception) -> PictureError:
    bucket = _split(source)[1].partition("/")[0]
    if isinstance(error, ImportError | MissingExtraError | ValueError):
        return PictureError(ErrorCode.UNSUPPORTED, f"{source}: {error}")
    told = {
        Trouble.NO_BUCKET: (ErrorCode.NOT_FOUND, f"there is no bucket {bucket!r}; check the name and AWS_ENDPOINT_URL"),
        Trouble.REFUSED: (ErrorCode.NOT_PERMITTED, f"reading it was refused ({error}); check the credentials in use"),
        Trouble.NO_CREDENTIALS: (
            ErrorCode.NOT_PERMITTED,
            f"no credentials ({error}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or a role, "
            "or for a public bucket FSSPEC_S3_ANON=true",
        ),
    }
    other = (ErrorCode.UNREACHABLE, f"it could not be read: {str(error) or type(error).__name__}")
    code, message = told.get(trouble_of(error), other)
    return PictureError(code, f"{source}: {message}")


def _split(source: str) -> tuple[str, str]:
    scheme, _, path = source.partition("://")
    return scheme.lower(), path.lstrip("/")


@cache
def _files(scheme: str) -> Any:
    return file_system(scheme)


def _has_picture_suffix(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
