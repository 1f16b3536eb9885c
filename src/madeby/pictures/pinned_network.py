"""Connections that go to addresses checked beforehand and end at one deadline, whatever the other side does."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from madeby.pictures.deadline import Deadline


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the given addresses in place of whatever host is asked for.

    The host's name still goes into the request and into the certificate check.

    Args:
        addresses: IP addresses, tried in order.
        deadline: when every connection made here ends.
    """

    def __init__(self, addresses: list[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; an unanswering one gets its share of the time left."""
        problem: Exception = httpcore.ConnectError("the name has no address")
        for position, address in enumerate(self._addresses):
            share = self._deadline.remaining() / (len(self._addresses) - position)
            try:
                stream = self._system.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                problem = refused
            else:
                return _DeadlineStream(stream, self._deadline)
        raise problem


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every step gets only the time that is left of the whole."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.remaining())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._deadline.remaining())
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
