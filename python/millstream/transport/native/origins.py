"""From a URL to where it points: the origin to connect to, and what the request says of it."""

import re
from base64 import b64encode
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from ...errors import APIConnectionError

__all__ = ("Origin", "Place", "read_url", "same_origin")

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile("[\x00-\x20\x7f]")
_ODD = re.compile('[^\x21-\x7e]|["<>\\\\^`{|}]')
# What may stand in a path or a query as it is; "%" too, since what is quoted already stays so.
_SAFE = "/?%:@!$&'()*+,;=~-._[]"


class Origin(NamedTuple):
    """What connections are shared by: ``host`` is a name or an address without brackets, in lower case."""

    tls: bool
    host: str
    port: int

    def __str__(self) -> str:
        """Return the origin as it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Place(NamedTuple):
    """Where a URL points.

    ``target`` and ``host`` are what the request line and the ``host`` header say; ``authorization``
    is the header that a user in the URL stands for.
    """

    origin: Origin
    target: str
    host: str
    authorization: str | None

    def __repr__(self) -> str:
        """Leave out the query and the user: they may be secrets."""
        return f"Place({self.origin})"


@lru_cache(maxsize=256)
def read_url(url: str) -> Place:
    """Return where ``url`` points.

    Raises :class:`~millstream.errors.APIConnectionError` for what is no absolute http or https URL.
    The message does not show it: it may hold a key.
    """
    if _CONTROL.search(url):
        raise _wrong("it holds a space or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise _wrong(str(error)) from error
    if parts.scheme not in _PORTS or not host:
        raise _wrong("it must begin with http:// or https:// and name a host")
    origin = Origin(parts.scheme == "https", host.lower(), _PORTS[parts.scheme] if port is None else port)
    shown = f"[{origin.host}]" if ":" in host else origin.host
    if origin.port != _PORTS[parts.scheme]:
        shown += f":{origin.port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if _ODD.search(target):
        target = quote(target, safe=_SAFE)
    return Place(origin, target, shown, _basic(parts.username, parts.password))


def same_origin(url: str, location: str) -> str | None:
    """Return the URL that ``location`` means, seen from ``url``; ``None`` if that is another origin."""
    try:
        # A fragment is not sent.
        target = urljoin(url, location).partition("#")[0]
        return target if read_url(target).origin == read_url(url).origin else None
    except (APIConnectionError, ValueError):
        return None


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None and password is None:
        return None
    pair = unquote_to_bytes(user or "") + b":" + unquote_to_bytes(password or "")
    return f"Basic {b64encode(pair).decode('ascii')}"


def _wrong(reason: str) -> APIConnectionError:
    return APIConnectionError(
        f"the request failed before the response began: the URL is not one that can be sent to, {reason}"
    )
