"""Parses URLs: the origin to connect to, and the parts of the request that the URL determines."""

import re
from base64 import b64encode
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from ...errors import APIConnectionError

__all__ = ("Origin", "Target", "read_request_url", "read_url", "same_origin")

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Characters that separate the parts of a URL, or that no host may contain.
_NO_HOST = re.compile(r"[\x00-\x20\x7f\"#%/:<>?@\[\\\]^`{|}]")
_ODD = re.compile('[^\x21-\x7e]|["<>\\\\^`{|}]|%(?![0-9A-Fa-f]{2})')
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# Characters of a path or query that are not quoted; "%" is one of them, so that nothing is quoted twice.
_SAFE = "/?%:@!$&'()*+,;=~-._[]"


class Origin(NamedTuple):
    """The key under which connections are shared; ``host`` is a name or an address without brackets, in lower case."""

    tls: bool
    host: str
    port: int

    def __str__(self) -> str:
        """Return the origin in the form of a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Target(NamedTuple):
    """The target of a URL.

    ``target`` and ``host`` are what the request line and the ``host`` header say; ``authorization``
    is the header that a user in the URL stands for.
    """

    origin: Origin
    request_target: str
    host: str
    authorization: str | None

    def __repr__(self) -> str:
        """Leave out the query and the user: they may contain secrets."""
        return f"Target({self.origin})"


def read_request_url(url: str) -> Target:
    """Return the target of a request; :func:`read_url` for a URL that must not have a fragment.

    A fragment is never sent. One in a model's ``base_url`` would swallow the path that is appended to it.
    """
    if "#" in url:
        raise _url_error("it has a fragment (#\u2026), which is not sent: leave it out, or write %23 for the character")
    return read_url(url)


@lru_cache(maxsize=256)
def read_url(url: str) -> Target:
    """Return the target of ``url``; invalid characters of the path and the query are percent-encoded.

    Raises :class:`~millstream.errors.APIConnectionError` if ``url`` is not an absolute http or https URL.
    The message does not show it: it may contain a key.
    """
    if _CONTROL.search(url) or _SURROGATE.search(url):
        raise _url_error("it holds a control character or half a surrogate pair")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname) if parts.hostname else ""
    except ValueError:
        # Raise outside of this block: Python's message may quote the password, and must not be the context.
        parts = None
    if parts is None:
        raise _url_error("its host or its port is not a valid one")
    if parts.scheme not in _PORTS or not host:
        raise _url_error('it must begin with http:// or https:// and name a host, such as "http://localhost:8000/v1"')
    origin = Origin(parts.scheme == "https", host.lower(), _PORTS[parts.scheme] if port is None else port)
    shown = f"[{origin.host}]" if ":" in host else origin.host
    if origin.port != _PORTS[parts.scheme]:
        shown += f":{origin.port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if _ODD.search(target):
        target = quote(_BARE_PERCENT.sub("%25", target), safe=_SAFE)
    return Target(origin, target, shown, _basic(parts.username, parts.password))


def _ascii(host: str) -> str:
    """Return ``host`` in ASCII; raises :class:`ValueError` if it is neither a name nor an address."""
    if ":" in host:
        # It stood in brackets, whose content urlsplit has checked to be an address.
        return host
    if not host.isascii():
        host = _idna(host)
    if _NO_HOST.search(host) or not all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        raise ValueError("the host is not a name")
    return host


def _idna(host: str) -> str:
    """Return an international name in ASCII, as httpx2 does."""
    try:
        import idna
    except ImportError:
        return host.encode("idna").decode("ascii")
    return idna.encode(host.lower()).decode("ascii")


def same_origin(url: str, location: str) -> str | None:
    """Resolve ``location`` against ``url``; return ``None`` if the result has another origin."""
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


def _url_error(reason: str) -> APIConnectionError:
    error = APIConnectionError(f"the request failed before the response began: the URL is not valid: {reason}")
    error.is_final = True
    return error
