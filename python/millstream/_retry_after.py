"""How long a server asks its clients to wait: in headers, in error objects and in messages.

The headers ``x-ratelimit-reset-*`` and ``anthropic-ratelimit-*-reset`` are not read. They hold the time at which a
limit is whole again. A request is usually allowed long before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ("copy_retry_after", "find_retry_after", "read_retry_after")

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MILLISECONDS = ("ms", "millisecond", "milliseconds")
_UNITS = r"ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?"
# A number and its unit: of a duration such as 1m30.5s, or 1 minute and 30 seconds.
_PART = re.compile(rf"(?:,? (?:and )?)?(\d{{1,9}}(?:\.\d{{1,15}})?) ?({_UNITS})(?![a-z])", re.I)
_ADVICE = re.compile(r"\b(?:try again|try your request again|retry|retry your request) (?:in|after) (?=\d)", re.I)
# No wait is longer, in seconds: a server may name an infinite one, which is not a number of seconds.
_LONGEST = 1e9
# At most so many characters of a message are searched.
_MESSAGE_SIZE = 4096
_MOST_CAUSES = 100
_GOOGLES_TYPE = "type.googleapis.com/google.rpc.RetryInfo"


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in ``retry-after-ms`` or ``retry-after`` (a number or a date); ``None`` without either.

    A time that has passed is 0, and an endless one is 10⁹ seconds.
    """
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
        return _bound(seconds) if seconds == seconds else None
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        then = parsedate_to_datetime(headers["retry-after"])
        # RFC 9110, section 5.6.7: "An HTTP-date value represents time as an instance of Coordinated Universal Time
        # (UTC)." Some servers leave its "GMT" out.
        return _bound((then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - time.time())
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def find_retry_after(error: object, message: object = None) -> float | None:
    """Return the seconds that a provider's error object names; ``None`` if it names none, or several.

    They are Google's ``RetryInfo`` in its ``details``, a number ``retry_after``, or words of its message such as
    "Please try again in 1.2s". ``message`` replaces the message of the object.
    """
    fields: Mapping[str, Any] = error if isinstance(error, dict) else {}
    details: Any = fields.get("details")
    seconds: Any = fields.get("retry_after")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _GOOGLES_TYPE:
            delay = detail.get("retryDelay")
            return _parse_duration(delay) if isinstance(delay, str) else None
    if type(seconds) in (int, float) and 0 <= seconds < _LONGEST:
        return float(seconds)
    text = fields.get("message") if message is None else message
    found = set(_find_advice(text[:_MESSAGE_SIZE])) if isinstance(text, str) else set()
    return found.pop() if len(found) == 1 else None


def copy_retry_after(error: Any) -> None:
    """Set ``retry_after`` of ``error``, of another library, to that of the exception of ours that is its cause."""
    cause = error
    try:
        # A user's exception may be its own cause.
        for _ in range(_MOST_CAUSES):
            if (seconds := getattr(cause, "retry_after", None)) is not None:
                error.retry_after = seconds
                return
            if (cause := cause.__cause__) is None:
                return
    finally:
        # A traceback keeps this frame.
        del cause, error


def _find_advice(text: str) -> Iterator[float]:
    """Yield the seconds of each piece of advice in ``text``."""
    for advice in _ADVICE.finditer(text):
        if (seconds := _parse_duration(text[advice.end() :])) is not None:
            yield seconds


def _parse_duration(text: str) -> float | None:
    """Return the seconds of the duration that ``text`` begins with, such as ``1m30.5s``; ``None`` without one."""
    seconds, end = None, 0
    while (part := _PART.match(text, end)) is not None:
        unit = part[2].lower()
        seconds = (seconds or 0.0) + float(part[1]) * _UNIT_SECONDS["ms" if unit in _MILLISECONDS else unit[0]]
        end = part.end()
    return None if seconds is None else _bound(seconds)


def _bound(seconds: float) -> float:
    return float(min(max(0.0, seconds), _LONGEST))
