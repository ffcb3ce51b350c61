"""Translates exceptions of httpx2 and httpx, and of the libraries they use, to ours."""

import sys
from collections.abc import Mapping
from math import inf
from typing import Any

from ..errors import APIConnectionError, APITimeoutError, MillstreamError, StreamDecodeError

__all__ = ("as_library_error", "build_error", "describe_timeout", "translate_error", "with_limit")

# The base classes of the exceptions of httpx2, httpx, httpcore, h11, anyio and trio. By name, since any of these
# libraries may be absent.
_CONNECTION_ERRORS = frozenset(
    (
        "HTTPError",
        "StreamError",
        "InvalidURL",
        "ProtocolError",
        "NetworkError",
        "ProxyError",
        "UnsupportedProtocol",
        "ConnectionNotAvailable",
        "BrokenResourceError",
        "ClosedResourceError",
        "EndOfStream",
    )
)

# The message for each timeout before the head, and the name of the limit.
_TIMEOUTS = {
    "ConnectTimeout": ("no connection to {goal}", "connect"),
    "WriteTimeout": ("the request could not be sent", "write"),
    "PoolTimeout": ("no connection became free", "pool"),
}


def translate_error(error: Exception) -> tuple[type[MillstreamError], str] | None:
    """Return our exception class for ``error`` and the reason; ``None`` if ``error`` is ours or of another origin."""
    if isinstance(error, MillstreamError):
        return None
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = _message(error) or type(error).__name__
    if "TimeoutException" in kinds or "TooSlowError" in kinds or isinstance(error, TimeoutError):
        return APITimeoutError, reason
    if "DecodingError" in kinds:
        return StreamDecodeError, f"its body cannot be decompressed ({reason})"
    if kinds & _CONNECTION_ERRORS or isinstance(error, OSError | UnicodeError):
        return APIConnectionError, reason
    return None


def _message(error: BaseException | None) -> str:
    """Return the message of ``error``, or of its cause: in async code, httpx2's own exceptions have none."""
    while error is not None and not str(error):
        error = error.__cause__ or error.__context__
    return "" if error is None else str(error)


def build_error(
    stage: str,
    translated: tuple[type[MillstreamError], str],
    late: str,
    exceeded_total: float | None,
    error: Exception,
    response: Any = None,
) -> MillstreamError:
    """Return the exception for what :func:`translate_error` returned for ``error``.

    ``late`` is the reason of a timeout. ``exceeded_total`` is the total time, in seconds, if that is over.
    """
    kind, reason = translated
    cause: BaseException = error if response is None else as_library_error(response, error)
    if kind is APITimeoutError:
        if exceeded_total is not None:
            late = f"the response did not end within {exceeded_total:g} s"
            cause = TimeoutError(late)
        reason = late if response is not None else f"timed out ({late})"
    failure = kind(f"{stage}: {reason}")
    failure.__cause__ = cause
    return failure


def describe_timeout(error: Exception, waits: Mapping[str, float | None], goal: str) -> str:
    """Return the reason of a timeout before the response began; ``goal`` is the origin to connect to."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    what, wait = next((late for name, late in _TIMEOUTS.items() if name in kinds), ("the head did not come", "read"))
    return with_limit(what.format(goal=goal), waits.get(wait))


def with_limit(what: str, seconds: float | None) -> str:
    """Return ``what`` with its time limit; the limit of a user's client is not known."""
    return f"{what} in time" if seconds is None or seconds == inf else f"{what} within {seconds:g} s"


def as_library_error(response: Any, error: Exception) -> Exception:
    """Return ``error`` as an exception of the library of ``response``, caused by the original one."""
    library = sys.modules.get(type(response).__module__.partition(".")[0])
    name = "DecodingError" if isinstance(error, StreamDecodeError) else type(error).__name__
    kind = getattr(library, name, None)
    if kind is None or isinstance(error, kind):
        return error
    below = error.__cause__ if isinstance(error, StreamDecodeError) else error
    cause: Exception = kind(str(below or error))
    cause.__cause__ = below
    return cause
