"""Read a picture from the web without being led into the private network.

A name is resolved once a hop, every address it has is checked, and the connection goes to just the addresses
that were checked, so that the name cannot lead elsewhere in between (DNS rebinding). Proxies named by the
environment are not used: behind one, nothing could be checked.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.addresses import addresses_of, is_public, lies_in
from madeby.pictures.deadline import Deadline
from madeby.pictures.limits import Limits

if TYPE_CHECKING:
    import ssl

    import httpx

Resolver = Callable[[str, int, Deadline], list[str]]

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_GONE = frozenset((404, 410))
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class FetchPolicy:
    """What may be fetched from the web, how much, and for how long.

    ``allow_private`` opens every address that is not public (private, loopback, link-local, shared, reserved);
    ``allow_networks`` only those in the named networks, such as ``10.1.0.0/16``. ``max_bytes`` bounds the body,
    as sent and as decompressed; ``timeout_seconds`` the whole fetch with all its redirects. Archives and tables are
    files of another size: see :func:`madeby.pictures.web_files.open_web`, for which ``max_streamed_bytes`` and
    ``max_spooled_bytes`` are.

    Raises:
        ValueError: one of ``allow_networks`` is not a network.
    """

    allow_private: bool = False
    allow_networks: tuple[str, ...] = ()
    max_bytes: int = Limits().max_bytes
    timeout_seconds: float = 30.0
    max_redirects: int = 5
    max_streamed_bytes: int = 128 << 30
    max_spooled_bytes: int = 8 << 30

    def __post_init__(self) -> None:
        for network in self.allow_networks:
            ip_network(network, strict=False)


@dataclass(frozen=True)
class _Hop:
    """One request on the way: its URL, the same without credentials for messages, and where it may connect."""

    url: httpx.URL
    where: str
    credentials: bytes
    addresses: list[str]


@dataclass(frozen=True)
class Body:
    """A body under way: the address that it comes from, for messages, and its pieces, decompressed."""

    where: str
    pieces: Iterator[bytes]


def fetch(url: str, policy: FetchPolicy = FetchPolicy(), *, resolve: Resolver = addresses_of) -> bytes:
    """The body that an http or https address answers with.

    A user name and password in the URL are sent to its own origin and to no other that it redirects to.

    Args:
        url: the address.
        policy: which addresses are allowed, and the limits.
        resolve: host, port and deadline to IP addresses; for programs with name resolution of their own.

    Raises:
        PictureError: ``forbidden_address``, ``not_found`` (404, 410), ``too_large``, ``timeout`` or
            ``unreachable``.
    """
    with ExitStack() as connection:
        body = open_body(url, policy, Deadline(policy.timeout_seconds), connection, policy.max_bytes, resolve)
        with in_words(lambda: body.where, policy):
            return b"".join(body.pieces)


def open_body(
    url: str,
    policy: FetchPolicy,
    deadline: Deadline,
    connection: ExitStack,
    max_bytes: int,
    resolve: Resolver = addresses_of,
) -> Body:
    """The body that an address answers with, still to be read, inside of :func:`in_words`.

    Args:
        url: the address.
        policy: which addresses are allowed.
        deadline: when every wait for the network ends.
        connection: closes the connection when it is closed.
        max_bytes: most bytes of the body, as sent and as decompressed.
        resolve: as for :func:`fetch`.

    Raises:
        PictureError: as :func:`fetch`.
    """
    import httpx

    where = "the address"
    with in_words(lambda: where, policy):
        start = here = httpx.URL(url)
        for _ in range(policy.max_redirects + 1):
            where = str(here.copy_with(userinfo=b"", fragment=None))
            addresses = _checked_addresses(here, where, policy, deadline, resolve)
            credentials = start.userinfo if _origin(here) == _origin(start) else b""
            answer = _get(_Hop(here, where, credentials, addresses), deadline, connection, max_bytes)
            if isinstance(answer, Body):
                return answer
            here = here.join(answer)
    raise PictureError(ErrorCode.UNREACHABLE, f"{where} is the end of more than {policy.max_redirects} redirects")


@contextmanager
def in_words(where: Callable[[], str], policy: FetchPolicy) -> Iterator[None]:
    """Turn what goes wrong inside, on the way to an address, into a :class:`PictureError`."""
    import httpcore
    import httpx

    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as problem:
        raise PictureError(
            ErrorCode.TIMEOUT, f"{where()} did not answer in full within {policy.timeout_seconds:g} seconds"
        ) from problem
    except (httpx.InvalidURL, UnicodeError) as problem:
        raise PictureError(ErrorCode.UNREACHABLE, f"{where()} is or leads to no usable address: {problem}") from problem
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as problem:
        raise PictureError(ErrorCode.UNREACHABLE, f"{where()} could not be reached: {problem}") from problem


def _checked_addresses(
    url: httpx.URL, where: str, policy: FetchPolicy, deadline: Deadline, resolve: Resolver
) -> list[str]:
    """The addresses of the URL's host, all of them allowed."""
    if url.scheme not in _PORTS or not url.host:
        raise PictureError(ErrorCode.FORBIDDEN_ADDRESS, f"{where} is not an http or https address")
    addresses = resolve(url.raw_host.decode("ascii"), _port(url), deadline)
    for address in addresses:
        if not (policy.allow_private or is_public(address) or lies_in(address, policy.allow_networks)):
            raise PictureError(
                ErrorCode.FORBIDDEN_ADDRESS,
                f"{where} leads to a private, loopback or link-local address; allow it with --allow-private",
            )
    return addresses


def _get(hop: _Hop, deadline: Deadline, connection: ExitStack, max_bytes: int) -> Body | str:
    """One request: the body, or where it redirects to."""
    import httpcore

    from madeby.pictures.pinned_network import PinnedBackend
    from madeby.version import __version__

    headers = {
        b"Host": hop.url.netloc,
        b"User-Agent": f"madeby/{__version__}".encode(),
        b"Accept": b"image/*, */*;q=0.5",
        b"Accept-Encoding": b"identity",
    }
    if hop.credentials:
        headers[b"Authorization"] = b"Basic " + b64encode(unquote_to_bytes(hop.credentials))
    url = hop.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=_port(url), target=url.raw_path)
    context = _tls_context() if url.scheme == "https" else None
    backend = PinnedBackend(hop.addresses, deadline)
    with ExitStack() as opened:
        pool = opened.enter_context(httpcore.ConnectionPool(ssl_context=context, network_backend=backend))
        response = opened.enter_context(pool.stream("GET", target, headers=list(headers.items())))
        fields = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in fields:
            return fields[b"location"].decode("utf-8", "replace")
        _check_status(response.status, hop.where)
        pieces = _pieces(response.iter_stream(), fields, hop.where, max_bytes)
        connection.enter_context(opened.pop_all())
        return Body(hop.where, pieces)


def _check_status(status: int, where: str) -> None:
    if 200 <= status < 300:
        return
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "(an unknown status)"
    code = ErrorCode.NOT_FOUND if status in _GONE else ErrorCode.UNREACHABLE
    raise PictureError(code, f"{where} answered {status} {phrase}")


def _pieces(chunks: Iterable[bytes], fields: dict[bytes, bytes], where: str, max_bytes: int) -> Iterator[bytes]:
    """The body, decompressed if the server compressed it unasked, and never more than allowed."""
    too_large = PictureError(ErrorCode.TOO_LARGE, f"{where} has more bytes than the limit of {max_bytes:,}")
    declared = fields.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    encoding = fields.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"", b"gzip", b"x-gzip", b"deflate"):
        name = encoding.decode("ascii", "replace")
        raise PictureError(ErrorCode.UNREACHABLE, f"{where} answered in the unknown encoding {name}")
    sent = given = 0
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding not in (b"identity", b"") else None
    try:
        for chunk in chunks:
            sent += len(chunk)
            piece = inflate.decompress(chunk, max_bytes + 1 - given) if inflate else chunk
            given += len(piece)
            if max(sent, given) > max_bytes:
                raise too_large
            yield piece
    except zlib.error as problem:
        raise PictureError(ErrorCode.UNREADABLE, f"{where} answered with damaged data: {problem}") from problem


def _origin(url: httpx.URL) -> tuple[str, bytes, int]:
    return url.scheme, url.raw_host, _port(url)


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS[url.scheme]


@cache
def _tls_context() -> ssl.SSLContext:
    """One context for all fetches: reading the certificate authorities takes tens of milliseconds."""
    import httpx

    return httpx.create_ssl_context()
