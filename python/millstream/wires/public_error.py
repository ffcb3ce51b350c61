"""Errors as a server's client may see them: without an upstream's text, URL or key."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .._retry_after import read_retry_after
from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ContentFilterError,
    ContextOverflowError,
    ProviderError,
    RefusalError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
    TruncatedOutputError,
    UnsupportedError,
)

__all__ = ("PublicError", "describe_error")


class PublicError(NamedTuple):
    """An error as a client sees it.

    ``status`` is that of a response whose head has not been sent. ``type`` and ``code`` are for programs,
    ``message`` for people. ``retry_after`` is the number of seconds after which the upstream allows another
    try, where it named one.
    """

    status: int
    type: str
    message: str
    code: str | None = None
    retry_after: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers for it of a response whose head has not been sent: ``retry-after`` in whole seconds, or none."""
        return {} if self.retry_after is None else {"retry-after": str(math.ceil(self.retry_after))}


_STATUSES = {
    400: ("invalid_request_error", "the model's server refused the request"),
    401: ("authentication_error", "the model's server refused the credentials"),
    403: ("permission_error", "the model's server denied permission"),
    404: ("not_found_error", "the model's server does not know the model"),
    409: ("conflict_error", "the model's server reported a conflict"),
    413: ("invalid_request_error", "the request is too large for the model's server"),
    422: ("invalid_request_error", "the model's server refused the request"),
    429: ("rate_limit_error", "the model's server has too many requests: try again later"),
    503: ("overloaded_error", "the model's server is overloaded: try again later"),
    529: ("overloaded_error", "the model's server is overloaded: try again later"),
}
_CONTEXT = "context_length_exceeded"
_SERVER_ERROR = PublicError(500, "server_error", "the server failed to answer")

_KINDS: tuple[tuple[type[BaseException], PublicError], ...] = (
    (APITimeoutError, PublicError(504, "timeout_error", "the model's server did not answer in time")),
    (APIConnectionError, PublicError(502, "upstream_error", "the model's server could not be reached")),
    (StreamTruncatedError, PublicError(502, "stream_truncated", "the answer was cut off before its end")),
    (StreamStalledError, PublicError(504, "stream_stalled", "the model's server stopped sending its answer")),
    (ProviderError, PublicError(502, "upstream_error", "the model's server reported an error in its answer")),
    (StreamError, PublicError(502, "upstream_error", "the model's server sent an answer that is not valid")),
    (TruncatedOutputError, PublicError(502, "output_truncated", "the answer was cut off before it was complete")),
    (ContentFilterError, PublicError(502, "content_filter", "the provider's content filter ended the answer")),
    (RefusalError, PublicError(502, "refusal", "the model refused to answer")),
    (UnsupportedError, PublicError(501, "unsupported_error", "the server does not support the request")),
)

_SDK_KINDS = {kind.__name__: public for kind, public in _KINDS if issubclass(kind, APIConnectionError)}


def describe_error(error: BaseException) -> PublicError:
    """Return ``error`` as a client may see it.

    An upstream's status is passed on with its ``Retry-After``; a status of 5xx that no client can act on becomes
    502. An exception may have a ``public_error`` of its own. The errors of the SDKs that LangChain's models call are
    read as those of Millstream's models. Any other exception is a ``server_error`` without details.
    """
    described = getattr(error, "public_error", None)
    if isinstance(described, PublicError):
        return described
    for kind, public in _KINDS:
        if isinstance(error, kind):
            return public
    names = [cls.__name__ for cls in type(error).__mro__]
    # OpenAI's and Anthropic's SDKs, and those made as they are, have the same names for their errors.
    if APIStatusError.__name__ in names:
        return _describe_status(error)
    return next((_SDK_KINDS[name] for name in names if name in _SDK_KINDS), _SERVER_ERROR)


def _describe_status(error: Any) -> PublicError:
    status = error.status_code
    if isinstance(error, ContextOverflowError) or getattr(error, "code", None) == _CONTEXT:
        return PublicError(400, "invalid_request_error", "the prompt is longer than the model's context", _CONTEXT)
    if status not in _STATUSES:
        status = 400 if 400 <= status < 500 else 502
    kind, message = _STATUSES.get(status, ("upstream_error", "the model's server failed"))
    return PublicError(status, kind, message, retry_after=_find_retry_after(error))


def _find_retry_after(error: Any) -> float | None:
    """Return the seconds after which the upstream allows another try."""
    seconds: Any = getattr(error, "retry_after", None)
    if seconds is None and not isinstance(error, APIStatusError):
        seconds = read_retry_after(error.response.headers)
    return float(seconds) if type(seconds) in (int, float) and math.isfinite(seconds) else None
