"""The exceptions of Millstream: the bottom floor, every layer raises from it.

::

    MillstreamError
    ├── UnsupportedError                (NotImplementedError) what is asked for is not there yet
    ├── RefusalError                    the model refused to answer in the form of a schema
    ├── APIError                        the request did not become a stream
    │   ├── APIConnectionError          (ConnectionError)
    │   │   └── APITimeoutError         (TimeoutError)
    │   └── APIStatusError              the server answered with an error status
    │       ├── BadRequestError         400
    │       ├── AuthenticationError     401
    │       ├── PermissionDeniedError   403
    │       ├── NotFoundError           404
    │       ├── ConflictError           409
    │       ├── UnprocessableEntityError  422
    │       ├── RateLimitError          429
    │       └── InternalServerError     5xx
    └── StreamError                     the stream had begun; it carries what arrived
        ├── StreamTruncatedError        (EOFError)
        ├── StreamStalledError          (TimeoutError)
        ├── StreamDecodeError           (ValueError)
        ├── EventTooLargeError          (ValueError)
        └── ProviderError               the provider said so in the stream

Python owns these classes; the Rust core imports them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = (
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "EventTooLargeError",
    "InternalServerError",
    "MillstreamError",
    "NotFoundError",
    "PermissionDeniedError",
    "ProviderError",
    "RateLimitError",
    "RefusalError",
    "StreamDecodeError",
    "StreamError",
    "StreamStalledError",
    "StreamTruncatedError",
    "UnprocessableEntityError",
    "UnsupportedError",
)


class MillstreamError(Exception):
    """The base of every exception that Millstream raises on purpose."""


class UnsupportedError(MillstreamError, NotImplementedError):
    """What is asked for is not there yet; the message says what to do instead."""


class RefusalError(MillstreamError):
    """The model refused to answer in the form of a schema; the message is its refusal."""


class APIError(MillstreamError):
    """The request did not become a stream.

    ``message`` says what happened and, where it can, what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class APIConnectionError(APIError, ConnectionError):
    """No response head arrived: refused, reset, unresolved. ``__cause__`` is the transport's error."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """No response head arrived in time."""


class APIStatusError(APIError):
    """The server answered with an error status.

    ``status_code`` is the HTTP status, ``headers`` the response's headers (lower-case names),
    ``body`` the decoded JSON body (or its text, where it is no JSON), ``request_id`` the
    ``x-request-id`` header, ``code`` and ``type`` the provider's own words, where given.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.headers = dict(headers or {})
        self.body = body
        detail: Any = body.get("error", body) if isinstance(body, dict) else None
        fields: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
        self.code = fields.get("code")
        self.type = fields.get("type")
        self.request_id = self.headers.get("x-request-id")


class BadRequestError(APIStatusError):
    """Status 400."""


class AuthenticationError(APIStatusError):
    """Status 401."""


class PermissionDeniedError(APIStatusError):
    """Status 403."""


class NotFoundError(APIStatusError):
    """Status 404."""


class ConflictError(APIStatusError):
    """Status 409."""


class UnprocessableEntityError(APIStatusError):
    """Status 422."""


class RateLimitError(APIStatusError):
    """Status 429."""


class InternalServerError(APIStatusError):
    """Status 500 and above."""


class StreamError(MillstreamError):
    """A stream that had begun went wrong.

    ``text`` is the text of choice 0 that had arrived and ``deltas_seen`` the number of deltas
    decoded before the error. ``offset`` counts bytes from the start of the stream to the start of
    the failing frame's first data value and ``frame`` is that frame's data, cut at 512 bytes
    (both ``None`` where no single frame is at fault). ``items`` holds what the raising ``close``
    had decoded before it met the error.
    """

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        frame: bytes | None = None,
        text: str = "",
        deltas_seen: int = 0,
        items: Sequence[Any] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.frame = frame
        self.text = text
        self.deltas_seen = deltas_seen
        self.items = list(items)


class StreamTruncatedError(StreamError, EOFError):
    """The stream ended without its end mark and with a choice unfinished, or none begun."""


class StreamStalledError(StreamError, TimeoutError):
    """Nothing of content arrived for too long, whatever comments kept coming."""


class StreamDecodeError(StreamError, ValueError):
    """The bytes are not what the format says: invalid JSON, invalid UTF-8 under ``strict``, HTML."""


class EventTooLargeError(StreamError, ValueError):
    """One event grew past ``max_event_size`` bytes."""


class ProviderError(StreamError):
    """The provider reported an error inside the stream.

    ``error`` is the provider's object (with a ``message`` in every case); ``code`` and ``type``
    are its fields, where given.
    """

    def __init__(
        self,
        message: str,
        *,
        error: Mapping[str, Any],
        text: str = "",
        deltas_seen: int = 0,
    ) -> None:
        super().__init__(message, text=text, deltas_seen=deltas_seen)
        self.error = dict(error)
        self.code = self.error.get("code")
        self.type = self.error.get("type")
