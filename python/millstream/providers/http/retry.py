"""Retries: which failed requests are sent again, and after how long.

The rules are those of the OpenAI SDK, except that a ``retry-after`` of more than a minute is not waited
for. After a success status, a request is sent again in one case only: the connection broke before the
first delta. All tries and the waits between them share one deadline, ``total_timeout``.
"""

import logging
import math
import time
from collections.abc import Mapping

from ...errors import APIConnectionError, StreamTruncatedError

__all__ = ("Tries", "wait_before_retry")

logger = logging.getLogger("millstream")

_FIRST_DELAY = 0.5
_MAX_DELAY = 8.0
_MAX_SERVER_DELAY = 60.0


class Tries:
    """Counts the tries of one request.

    ``end_by`` is the deadline of all tries and of the waits between them, on the clock of ``time.monotonic()``.
    ``tried`` counts the tries that have failed and that another one follows.
    """

    def __init__(self, max_retries: int, end_by: float | None) -> None:
        self._max = max_retries
        self._end_by = math.inf if end_by is None else end_by
        self.tried = 0

    def wait(self, error: Exception) -> float | None:
        """Return the seconds to wait before the next try after ``error``; ``None`` if there is no next try."""
        delay = wait_before_retry(error, self.tried, self._max)
        if delay is None or time.monotonic() + delay >= self._end_by:
            return None
        self.tried += 1
        logger.info("%s; trying again in %.2f s (%d of %d)", type(error).__name__, delay, self.tried, self._max)
        return delay


def wait_before_retry(error: Exception, tried: int, max_retries: int) -> float | None:
    """Return the seconds to wait before the next try after ``error``; ``None`` if there is no next try."""
    headers: Mapping[str, str] = getattr(error, "headers", {})
    server_delay: float | None = getattr(error, "retry_after", None)
    if tried >= max_retries or not _may_retry(error, headers) or (server_delay or 0) > _MAX_SERVER_DELAY:
        return None
    if server_delay is not None and server_delay > 0:
        return server_delay
    import random

    # Jitter of up to a quarter, so that clients that failed together do not retry together.
    return min(_FIRST_DELAY * 2.0**tried, _MAX_DELAY) * (1 - 0.25 * random.random())


def _may_retry(error: Exception, headers: Mapping[str, str]) -> bool:
    if isinstance(error, APIConnectionError):
        return not error.is_final
    if isinstance(error, StreamTruncatedError):
        return True
    if (should_retry := headers.get("x-should-retry")) in ("true", "false"):
        return should_retry == "true"
    status = getattr(error, "status_code", 0)
    return status in (408, 409, 429) or status >= 500
