"""The addresses of a host, and one attempt to connect to one of them: shared by async and sync code."""

import errno
import os
import socket
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

__all__ = (
    "HEAD_START",
    "Address",
    "attempt_error",
    "interleave_families",
    "is_in_progress",
    "merge_errors",
    "parse_address",
    "start_connect",
)

# The head start of an attempt before the next one begins (RFC 8305, "Connection Attempt Delay").
HEAD_START = 0.25
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)

Address = tuple[int, Any]


def parse_address(host: str, port: int) -> list[Address]:
    """Return ``host`` as a list of one address if it is an IP address, which needs no lookup; else an empty list."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    return []


def interleave_families(found: Iterable[tuple[Any, ...]]) -> list[Address]:
    """Interleave the address families in a result of ``getaddrinfo``, the system's preferred family first."""
    families: dict[int, list[Address]] = {}
    for family, _, _, _, address in found:
        families.setdefault(family, []).append((family, address))
    return [address for address in chain.from_iterable(zip_longest(*families.values())) if address is not None]


def start_connect(family: int, address: Any) -> tuple[socket.socket, int]:
    """Begin to connect without blocking; return the socket and the system's error code, 0 if it is connected."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock, sock.connect_ex(address)
    except BaseException:
        sock.close()
        raise


def is_in_progress(code: int) -> bool:
    """Return whether ``code`` means that the attempt continues in the background."""
    return code in _UNDER_WAY


def attempt_error(code: int, address: Any) -> OSError:
    """Return the error for an attempt that ended with ``code``."""
    return OSError(code, f"{os.strerror(code)} ({address[0]}, port {address[1]})")


def merge_errors(errors: list[OSError]) -> OSError:
    """Combine the errors of all attempts into one."""
    if len({str(error) for error in errors}) == 1:
        return errors[0]
    return OSError("; ".join(map(str, errors)) or "the host has no address")
