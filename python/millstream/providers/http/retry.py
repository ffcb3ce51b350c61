"""Sending a request until its response's head is a good one: what is tried again, and when.

As the OpenAI SDK does it, except that a server that asks for more than a minute is not waited for.
Once a good head has arrived, one thing is tried again: a body whose connection was lost before its
first delta. All tries and the waits between them have one limit in time, ``total_timeout``.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping

from ...errors import APIConnectionError, APIError, StreamTruncatedError
from ...transport import AsyncResponse, AsyncTransport, Request, Response, Transport
from ...transport.running import sleep
from .errors import aread_body, read_body, status_error

__all__ = ("Tries", "asend", "retry_after", "send", "wait_before_retry")

logger = logging.getLogger("millstream")

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0
_LONGEST_WAIT_ASKED = 60.0


class Tries:
    """The tries of one request: how many there were, and until when there may be another.

    ``end_by`` is the end of all of them and of the waits between them, on ``time.monotonic()``'s clock.
    """

    def __init__(self, max_retries: int, end_by: float | None) -> None:
        self._max = max_retries
        self._end_by = math.inf if end_by is None else end_by
        self._tried = 0

    def wait(self, error: Exception) -> float | None:
        """Return the seconds to wait before the next try after ``error``; ``None`` where there is none."""
        delay = wait_before_retry(error, self._tried, self._max)
        if delay is None or time.monotonic() + delay >= self._end_by:
            return None
        self._tried += 1
        logger.info("%s; trying again in %.2f s (%d of %d)", type(error).__name__, delay, self._tried, self._max)
        return delay


def send(transport: Transport, request: Request, wait: Callable[[Exception], float | None]) -> Response:
    """Send ``request``, more than once if need be, and return the response once its head is a good one.

    ``wait`` returns the seconds to wait after an error, ``None`` where no try is left. Raises
    :class:`~millstream.errors.APIConnectionError` or :class:`~millstream.errors.APIStatusError` then.
    """
    while True:
        try:
            return _check_status(transport.open(request))
        except APIError as error:
            delay = wait(error)
            if delay is None:
                raise
        time.sleep(delay)


async def asend(
    transport: AsyncTransport, request: Request, wait: Callable[[Exception], float | None]
) -> AsyncResponse:
    """:func:`send` for async code."""
    while True:
        try:
            return await _acheck_status(await transport.aopen(request))
        except APIError as error:
            delay = wait(error)
            if delay is None:
                raise
        await sleep(delay)


def _check_status(response: Response) -> Response:
    """Return ``response`` if its status is a good one; else read the error, let it go, and raise."""
    if 200 <= response.status < 300:
        return response
    try:
        raise status_error(response, read_body(response))
    finally:
        response.close()


async def _acheck_status(response: AsyncResponse) -> AsyncResponse:
    if 200 <= response.status < 300:
        return response
    try:
        raise status_error(response, await aread_body(response))
    finally:
        await response.aclose()


def wait_before_retry(error: Exception, tried: int, max_retries: int) -> float | None:
    """Return the seconds to wait before the next try after ``error``; ``None`` where there is none."""
    headers: Mapping[str, str] = getattr(error, "headers", {})
    asked = retry_after(headers)
    if tried >= max_retries or not _may_retry(error, headers) or (asked or 0) > _LONGEST_WAIT_ASKED:
        return None
    # Up to a quarter less, so that those who failed together do not come back together.
    delay = min(_FIRST_DELAY * 2.0**tried, _LONGEST_DELAY) * (1 - 0.25 * random.random())
    if asked is not None and asked > 0:
        delay = asked
    return delay


def _may_retry(error: Exception, headers: Mapping[str, str]) -> bool:
    if isinstance(error, APIConnectionError):
        return not error.is_final
    if isinstance(error, StreamTruncatedError):
        return True
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
