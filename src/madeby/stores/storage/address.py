"""From an address to the kind of place behind it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from madeby.errors import BundleError
from madeby.pictures.object_stores import S3_SCHEMES
from madeby.stores.home import offline
from madeby.stores.storage.folder import FolderStorage
from madeby.stores.storage.storage import Storage, UnreachableError

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+://)[^/?#]*@")


def is_url(address: str) -> bool:
    """Whether an address has a scheme, as ``s3://bucket`` has; a Windows drive (``C:``) is none."""
    return bool(_SCHEME.match(address))


def printable_url(url: str) -> str:
    """The URL without user name and password."""
    return _CREDENTIALS.sub(r"\1", url)


def storage_at(address: str, endpoint: str | None = None) -> Storage:
    """The place at an address: a folder or ``file://``, ``https://``, or any URL that fsspec knows.

    Args:
        address: a URL, or the path of a folder.
        endpoint: address of the S3 service, for those that are not AWS.

    Raises:
        BundleError: the address makes no sense, or what reads its scheme is not installed.
        UnreachableError: ``MADEBY_OFFLINE`` is set and the place is not on this machine.
    """
    scheme = address.partition("://")[0].lower() if is_url(address) else ""
    if endpoint is not None and scheme not in S3_SCHEMES:
        raise BundleError(f"{printable_url(address)}: an endpoint goes with s3:// addresses only")
    if scheme in ("", "file"):
        return FolderStorage(_local_path(address) if scheme else Path(address))
    if "?" in address or "#" in address:
        raise BundleError(f"{printable_url(address)}: the address of a store has no ? and no #; name its folder")
    if offline() and scheme != "memory":
        raise UnreachableError(f"{printable_url(address)} was not asked: MADEBY_OFFLINE is set")
    if scheme in ("http", "https"):
        from madeby.stores.storage.web import WebStorage

        return WebStorage(address)
    from madeby.stores.storage.objects import ObjectStorage

    return ObjectStorage(address, endpoint)


def _local_path(url: str) -> Path:
    host, slash, path = url.partition("://")[2].partition("/")
    if host not in ("", "localhost"):
        raise BundleError(f"{url}: a file URL names a folder of this machine, as file:///srv/models does")
    path = unquote(slash + re.split(r"[?#]", path, maxsplit=1)[0])
    return Path(path.lstrip("/") if os.name == "nt" else path)
