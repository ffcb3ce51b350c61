"""Retries: which failed requests are sent again, and after how long.

The rules are those of the OpenAI SDK, except that a ``retry-after`` of more than a minute is not waited
for. After a success status, a request is sent again in one case only: the connection broke before the
first delta. All tries and the waits between them share one deadline, ``total_timeout``.

The requests of one batch share their back-off (see ``_back_off``): once the server has refused one of them, the
others are not sent before it allows that, and then in growing groups. A request that waits for another one's refusal
has not been tried.
"""

import logging
import math
import time
from collections.abc import Mapping

from ..._back_off import SharedBackOff, Turn
from ...errors import APIConnectionError, APITimeoutError, StreamTruncatedError
from ...transport import Request

__all__ = ("Tries", "find_delay")

logger = logging.getLogger("millstream")

_FIRST_DELAY = 0.5
_MAX_DELAY = 8.0
_MAX_SERVER_DELAY = 60.0
# The headers of keys, of all providers.
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


class Tries:
    """Counts the tries of one request.

    ``end_by`` is the deadline of all tries and of the waits between them, on the clock of ``time.monotonic()``.
    ``tried`` counts the tries that have failed and that another one follows.
    """

    def __init__(self, max_retries: int, end_by: float | None) -> None:
        self._max = max_retries
        self._end_by = math.inf if end_by is None else end_by
        self.tried = 0
        self._turn: Turn | None = None

    def hold(self, shared: SharedBackOff, request: Request, model: object) -> float:
        """Return the seconds to wait before asking again; 0 if ``request``, of a batch, is to be sent now.

        Without retries there are no waits. Raises :class:`~millstream.errors.APITimeoutError` if the deadline of the
        request is earlier.
        """
        if not self._max:
            return 0.0
        if self._turn is None:
            self._turn = shared.take_turn(_lane_of(request, model))
        now = time.monotonic()
        seconds = self._turn.seconds_left(now)
        if seconds and request.end_by is not None and now + seconds >= request.end_by:
            raise APITimeoutError(
                f"the server has refused another request of the batch, and allows the next one in {seconds:.1f} s, "
                "after the total_timeout of this one"
            )
        if seconds:
            logger.info("waiting %.2f s, because the server has refused another request of the batch", seconds)
        return seconds

    def wait(self, error: Exception) -> float | None:
        """Return the seconds to wait before the next try after ``error``; ``None`` if there is no next try."""
        now, delay = time.monotonic(), find_delay(error, self.tried)
        is_last = delay is None or self.tried >= self._max or now + delay >= self._end_by
        if delay is not None and self._turn is not None and _is_refusal(error):
            self._turn.refuse(now, delay, is_last=is_last)
        if delay is None or is_last:
            return None
        self.tried += 1
        logger.info("%s; trying again in %.2f s (%d of %d)", type(error).__name__, delay, self.tried, self._max)
        return delay


def find_delay(error: Exception, tried: int) -> float | None:
    """Return the seconds after which a try may succeed; ``None`` if it cannot, or not within a minute."""
    server_delay: float | None = getattr(error, "retry_after", None)
    if not _may_retry(error, getattr(error, "headers", {})) or (server_delay or 0) > _MAX_SERVER_DELAY:
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


def _is_refusal(error: Exception) -> bool:
    """Return whether the server refuses requests for a while, others too."""
    status = getattr(error, "status_code", 0)
    return status == 429 or (status >= 500 and getattr(error, "retry_after", None) is not None)


def _lane_of(request: Request, model: object) -> tuple[object, ...]:
    """Return what is refused together: requests to one URL, with one key, for one model."""
    keys = hash(tuple(request.headers.get(name) for name in _KEY_HEADERS))
    return request.url.partition("?")[0], model if isinstance(model, str) else None, keys
