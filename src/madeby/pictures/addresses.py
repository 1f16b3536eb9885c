"""Which network addresses a name has, and which of them are public (IANA special-purpose registries)."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading

from madeby.pictures.deadline import Deadline

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Prefixes under which an IPv4 address travels as its last 32 bits: NAT64 (RFC 6052), IPv4-compatible (RFC 4291).
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet.

    Private, loopback, link-local, multicast, reserved, unspecified and shared (100.64.0.0/10) addresses do not,
    and neither does an IPv6 address that carries one of them inside (mapped, 6to4, Teredo, NAT64).

    Raises:
        ValueError: not an IP address.
    """
    parsed = _parsed(address)
    inner = _carried(parsed)
    if inner:
        return all(is_public(str(each)) for each in inner)
    if parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or parsed.is_link_local:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.is_site_local:
        return False
    return parsed.is_global


def lies_in(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks, each as ``10.1.0.0/16``.

    Raises:
        ValueError: not an IP address, or not a network.
    """
    parsed = _parsed(address)
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)


def addresses_of(host: str, port: int, deadline: Deadline) -> list[str]:
    """The IP addresses of a host as the system resolves it, in the system's order of preference.

    Raises:
        OSError: the name has none.
        TimeoutError: the deadline passed.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except Exception as problem:
            answers.put(problem)

    # The system's resolver knows no time limit; a thread that it keeps waiting is left behind.
    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.remaining())
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _parsed(address: str) -> Address:
    return ipaddress.ip_address(address.partition("%")[0])


def _carried(address: Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads on to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if any(address in network for network in _CARRIERS) and int(address) > 1:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []
