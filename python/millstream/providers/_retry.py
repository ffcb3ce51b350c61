"""Sending a request until its response's head is a good one: what is tried again, and when.

As the OpenAI SDK does it, except that a server that asks for more than a minute is not waited for.
Nothing is tried again once a good head has arrived.
"""

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import replace

from ..errors import APIConnectionError, APIError
from ..transport import AsyncResponse, AsyncTransport, Request, Response, Transport
from ..transport.running import pause
from ._errors import aread_body, read_body, status_error

__all__ = ("asend", "retry_after", "send", "wait_before_retry")

logger = logging.getLogger("millstream")

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0
_LONGEST_WAIT_ASKED = 60.0


def send(transport: Transport, request: Request, max_retries: int) -> Response:
    """Send ``request``, up to ``max_retries`` times more, and return the response once its head is a good one.

    Raises :class:`~millstream.errors.APIConnectionError` or :class:`~millstream.errors.APIStatusError`
    when no try is left, or where trying again makes no sense.
    """
    tried = 0
    request = _for(request, max_retries)
    while True:
        try:
            return _checked(transport.open(request))
        except APIError as error:
            delay = wait_before_retry(error, tried, max_retries)
            if delay is None:
                raise
        tried += 1
        time.sleep(delay)


async def asend(transport: AsyncTransport, request: Request, max_retries: int) -> AsyncResponse:
    """:func:`send` for async code."""
    tried = 0
    request = _for(request, max_retries)
    while True:
        try:
            return await _achecked(await transport.aopen(request))
        except APIError as error:
            delay = wait_before_retry(error, tried, max_retries)
            if delay is None:
                raise
        tried += 1
        await pause(delay)


def _for(request: Request, max_retries: int) -> Request:
    """Return ``request`` as it is sent: without a retry, once, whatever becomes of the connection."""
    return request if max_retries > 0 else replace(request, resend=False)


def _checked(response: Response) -> Response:
    """Return ``response`` if its status is a good one; else read the error, let it go, and raise."""
    if 200 <= response.status < 300:
        return response
    try:
        raise status_error(response, read_body(response))
    finally:
        response.close()


async def _achecked(response: AsyncResponse) -> AsyncResponse:
    if 200 <= response.status < 300:
        return response
    try:
        raise status_error(response, await aread_body(response))
    finally:
        await response.aclose()


def wait_before_retry(error: APIError, tried: int, max_retries: int) -> float | None:
    """Return the seconds to wait before the next try after ``error``; ``None`` where there is none."""
    headers: Mapping[str, str] = getattr(error, "headers", {})
    asked = retry_after(headers)
    if tried >= max_retries or not _may_retry(error, headers) or (asked or 0) > _LONGEST_WAIT_ASKED:
        return None
    # Up to a quarter less, so that those who failed together do not come back together.
    delay = min(_FIRST_DELAY * 2.0**tried, _LONGEST_DELAY) * (1 - 0.25 * random.random())
    if asked is not None and asked > 0:
        delay = asked
    logger.info("%s; trying again in %.2f s (%d of %d)", type(error).__name__, delay, tried + 1, max_retries)
    return delay


def _may_retry(error: APIError, headers: Mapping[str, str]) -> bool:
    if isinstance(error, APIConnectionError):
        return not error.is_final
    if (told := headers.get("x-should-retry")) in ("true", "false"):
        return told == "true"
    status = getattr(error, "status_code", 0)
    return status in (408, 409, 429) or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``retry-after-ms`` or ``retry-after`` (a number or a date) asks for, if any does."""
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
        return seconds if seconds == seconds else None
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
