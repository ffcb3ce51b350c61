"""Exceptions of httpx2 and httpx, and of what is below them, as ours."""

import sys
from typing import Any

from ..errors import APIConnectionError, APITimeoutError, MillstreamError, StreamDecodeError

__all__ = ("explained", "of_library", "told_as")

# By name, for either library may be absent: the roots of httpx2's and httpx's, of httpcore's, h11's, anyio's and
# trio's exceptions.
_BROKEN = frozenset(
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


def explained(error: Exception) -> tuple[type[MillstreamError], str] | None:
    """Return which of our exceptions stands for ``error``, and what it says; ``None`` for ours, and for others."""
    if isinstance(error, MillstreamError):
        return None
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = str(error) or type(error).__name__
    if "TimeoutException" in kinds or "TooSlowError" in kinds or isinstance(error, TimeoutError):
        return APITimeoutError, f"timed out ({error if type(error) is TimeoutError else type(error).__name__})"
    if "DecodingError" in kinds:
        return StreamDecodeError, f"its body cannot be decompressed ({reason})"
    if kinds & _BROKEN or isinstance(error, OSError | UnicodeError):
        return APIConnectionError, reason
    return None


def told_as(
    stage: str, told: tuple[type[MillstreamError], str], overdue: float | None, error: Exception, response: Any = None
) -> MillstreamError:
    """Return what :func:`explained` told of ``error`` as an exception; ``overdue`` is a total time that is over."""
    kind, reason = told
    cause: BaseException = error if response is None else of_library(response, error)
    if kind is APITimeoutError and overdue is not None:
        late = f"the response did not end within {overdue:g} s"
        reason, cause = f"timed out ({late})", TimeoutError(late)
    failure = kind(f"{stage}: {reason}")
    failure.__cause__ = cause
    return failure


def of_library(response: Any, error: Exception) -> Exception:
    """Return ``error`` as the library of ``response`` has it, over what it was below the library."""
    library = sys.modules.get(type(response).__module__.partition(".")[0])
    name = "DecodingError" if isinstance(error, StreamDecodeError) else type(error).__name__
    kind = getattr(library, name, None)
    if kind is None or isinstance(error, kind):
        return error
    below = error.__cause__ if isinstance(error, StreamDecodeError) else error
    cause: Exception = kind(str(below or error))
    cause.__cause__ = below
    return cause
