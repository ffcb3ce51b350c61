"""What of ``client_kwargs``, the arguments of LangChain's HTTP clients, applies to requests of this package."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

from ...errors import UnsupportedError
from ...transport import AsyncResponse, Request, Response
from ...transport.headers import check_headers
from ...transport.timeouts import Timeouts, read_timeouts
from ..http.build import put_headers

__all__ = ("NO_OPTIONS", "ClientOptions", "OptionTransport", "read_client_options")

_NAMES = ("headers", "timeout", "proxy", "auth", "cookies")
_FOREVER = Timeouts(None, None, None, None)


class ClientOptions(NamedTuple):
    """The headers, the timeouts and the proxy of requests; ``None`` where the arguments have none."""

    headers: Mapping[str, str] = {}
    timeouts: Timeouts | None = None
    proxy: str | None = None


NO_OPTIONS = ClientOptions()
"""The options without any arguments."""


def read_client_options(owner: str, arguments: Mapping[str, Any] | None) -> ClientOptions:
    """Return what ``arguments`` say: ``headers``, ``timeout``, ``proxy``, ``auth`` and ``cookies``.

    Raises :class:`~millstream.errors.UnsupportedError` for the other arguments of httpx's clients, which a client
    passed as ``http_client`` can have, and for an ``auth`` that is not a user and a password. No message contains
    a value. ``owner`` is the field that holds them.
    """
    if not arguments:
        return NO_OPTIONS
    for name in arguments:
        if name not in _NAMES:
            raise UnsupportedError(
                f"{owner}[{name!r}] is not supported; supported are {', '.join(_NAMES)}. For everything else pass"
                " your own client, as http_client=httpx.Client(…) and http_async_client=httpx.AsyncClient(…)"
            )
    headers: dict[str, str] = {}
    given = arguments.get("headers") or {}
    put_headers(headers, given if isinstance(given, Mapping) else dict(given))
    if (auth := arguments.get("auth")) is not None:
        put_headers(headers, {"authorization": _basic(owner, auth)})
    if cookies := arguments.get("cookies"):
        pairs = (f"{name}={quote(str(value), safe=_COOKIE_SAFE)}" for name, value in dict(cookies).items())
        put_headers(headers, {"cookie": "; ".join(pairs)})
    check_headers(headers)
    timeouts = None
    if "timeout" in arguments:
        timeouts = read_timeouts(arguments["timeout"]) or _FOREVER
    return ClientOptions(headers, timeouts, arguments.get("proxy"))


_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def _basic(owner: str, auth: object) -> str:
    if not isinstance(auth, tuple) or len(auth) != 2:
        raise UnsupportedError(f"{owner}['auth'] must be a tuple (user, password), not {type(auth).__name__}")
    user, password = auth
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


class OptionTransport:
    """Sends requests over another transport, with the headers and timeouts of ``options``, which override theirs."""

    def __init__(self, inner: Any, options: ClientOptions) -> None:
        self._inner = inner
        self._options = options

    def open(self, request: Request) -> Response:
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        response: Response = self._inner.open(self._apply(request))
        return response

    async def aopen(self, request: Request) -> AsyncResponse:
        """:meth:`open` for async code."""
        response: AsyncResponse = await self._inner.aopen(self._apply(request))
        return response

    def close(self) -> None:
        """Close the connections of the other transport."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the connections of the other transport."""
        await self._inner.aclose()

    def _apply(self, request: Request) -> Request:
        headers = dict(request.headers)
        put_headers(headers, self._options.headers)
        return replace(request, headers=headers, timeouts=self._options.timeouts or request.timeouts)
