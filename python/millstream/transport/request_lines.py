"""The line that the logger ``millstream.requests`` has for each HTTP request, at level ``INFO``."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from . import AsyncResponse, AsyncTransport, Request, Response, Transport

__all__ = ("alog_requests", "log_requests")

logger = logging.getLogger("millstream.requests")

# The values of all other parameters are hidden: those of `key`, of signatures, and whatever a user adds.
_SHOWN = frozenset({"alt", "api-version", "beta"})
_IDS = ("x-request-id", "request-id", "x-ms-request-id", "cf-ray")


def log_requests(transport: Transport, attempt: int = 1) -> Transport:
    """Return ``transport``, or one that logs each request as its ``attempt`` where the logger is enabled."""
    return _Logged(transport, attempt) if logger.isEnabledFor(logging.INFO) else transport


def alog_requests(transport: AsyncTransport, attempt: int = 1) -> AsyncTransport:
    """:func:`log_requests` for async code."""
    return _AsyncLogged(transport, attempt) if logger.isEnabledFor(logging.INFO) else transport


class _Logged:
    """A transport that logs the requests it passes on."""

    def __init__(self, transport: Transport, attempt: int) -> None:
        self._transport = transport
        self._attempt = attempt

    def open(self, request: Request) -> Response:
        """Send the request, and log it once the head of its response has arrived, or once it has failed."""
        with _line(request, self._attempt) as heads:
            response = self._transport.open(request)
            heads.append(response)
        return response

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class _AsyncLogged:
    """:class:`_Logged` for async code."""

    def __init__(self, transport: AsyncTransport, attempt: int) -> None:
        self._transport = transport
        self._attempt = attempt

    async def aopen(self, request: Request) -> AsyncResponse:
        """Send the request, and log it once the head of its response has arrived, or once it has failed."""
        with _line(request, self._attempt) as heads:
            response = await self._transport.aopen(request)
            heads.append(response)
        return response

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


@contextmanager
def _line(request: Request, attempt: int) -> Iterator[list[Any]]:
    """Log ``request`` at the end of the block, which appends the response or raises."""
    heads: list[Any] = []
    start = time.monotonic()
    try:
        yield heads
    except BaseException as error:
        _log(request, attempt, time.monotonic() - start, error=type(error).__name__)
        raise
    _log(request, attempt, time.monotonic() - start, status=heads[0].status, request_id=_find_id(heads.pop().headers))


def _log(request: Request, attempt: int, seconds: float, **result: Any) -> None:
    """Log one line; the record has the same values as attributes, for handlers that write them as JSON."""
    fields = {"status": None, "error": None, "request_id": None, **result}
    fields |= {"method": request.method, "url": _shown_url(request.url), "seconds": seconds, "attempt": attempt}
    result_text = fields["error"] if fields["status"] is None else fields["status"]
    details = f" (attempt {attempt})" if attempt > 1 else ""
    if fields["request_id"] is not None:
        details += f" {fields['request_id']}"
    logger.info("%s %s %s in %.3f s%s", request.method, fields["url"], result_text, seconds, details, extra=fields)


def _find_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _IDS if name in headers), None)


def _shown_url(url: str) -> str:
    """Return ``url`` without its user, and without the values of parameters that may be secrets.

    Of a URL that is not valid nothing is shown: the transport raises for it, and any part may be a secret.
    """
    from urllib.parse import parse_qsl, urlsplit

    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        return "(a URL that is not valid)"
    query = "&".join(
        f"{name}={value if name in _SHOWN else '***'}" for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' if query else ''}{query}"
    # Half a surrogate pair would make a handler that writes to a file raise.
    return shown.encode("ascii", "backslashreplace").decode()
