"""The exceptions of Millstream. Every layer raises them, so this module imports almost nothing of ours.

::

    MillstreamError
    ├── UnsupportedError                (NotImplementedError) the feature is not supported
    ├── OutputParserException           (ValueError) a model's answer could not be parsed
    │   ├── TruncatedOutputError        the answer was cut off before it was complete
    │   └── ContentFilterError          the provider's content filter ended the answer
    ├── ModelError                      a model did not answer
    │   ├── RefusalError                the model refused to answer according to the schema
    │   └── APIError                    the request did not become a stream
    │       ├── APIConnectionError      (ConnectionError)
    │       │   └── APITimeoutError     (TimeoutError)
    │       └── APIStatusError          the server answered with an error status
    │           ├── BadRequestError     400
    │           │   └── ContextOverflowError  the prompt is longer than the model's context
    │           ├── AuthenticationError 401
    │           ├── PermissionDeniedError  403
    │           ├── NotFoundError       404
    │           ├── ConflictError       409
    │           ├── UnprocessableEntityError  422
    │           ├── RateLimitError      429
    │           └── InternalServerError 5xx
    └── StreamError                     the stream had begun; has the text received so far
        ├── StreamTruncatedError        (EOFError)
        ├── StreamStalledError          (TimeoutError)
        ├── StreamDecodeError           (ValueError)
        ├── EventTooLargeError          (ValueError)
        └── ProviderError               the provider reported an error in the stream

Python owns these classes; the Rust core imports them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar, cast

__all__ = (
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "ContentFilterError",
    "ContextOverflowError",
    "EventTooLargeError",
    "InternalServerError",
    "MillstreamError",
    "ModelError",
    "NotFoundError",
    "OutputParserException",
    "PermissionDeniedError",
    "ProviderError",
    "RateLimitError",
    "RefusalError",
    "StreamDecodeError",
    "StreamError",
    "StreamStalledError",
    "StreamTruncatedError",
    "TruncatedOutputError",
    "UnprocessableEntityError",
    "UnsupportedError",
)


_Error = TypeVar("_Error", bound="MillstreamError")


class MillstreamError(Exception):
    """The base of every exception that Millstream raises on purpose.

    Exceptions pickle and copy with all their attributes and notes. A pickle holds ``__cause__`` where
    that pickles too, and leaves it out otherwise.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _rebuild,
            (type(self), self.args, _picklable_cause(self.__cause__), self.__suppress_context__),
            vars(self),
        )

    def __copy__(self) -> Self:
        return _copy(self, dict(vars(self)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        return _copy(self, deepcopy(vars(self), memo))


class UnsupportedError(MillstreamError, NotImplementedError):
    """The feature is not supported; the message says what to do instead."""


class OutputParserException(MillstreamError, ValueError):
    """A model's answer could not be parsed.

    ``llm_output`` is the answer. With ``send_to_llm``, an agent sends it back to the model, together with
    ``observation``, the description of the error. Both are then required.
    """

    def __init__(
        self,
        error: Any,
        observation: str | None = None,
        llm_output: str | None = None,
        send_to_llm: bool = False,
    ) -> None:
        super().__init__(error)
        if send_to_llm and (observation is None or llm_output is None):
            raise ValueError("Arguments 'observation' & 'llm_output' are required if 'send_to_llm' is True")
        self.observation = observation
        self.llm_output = llm_output
        self.send_to_llm = send_to_llm


class TruncatedOutputError(OutputParserException):
    """A structured answer was cut off, by the token limit or in the middle of its JSON.

    ``text`` is the partial answer: its text, or the arguments of the tool call.
    """

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message, llm_output=text)
        self.text = text


class ContentFilterError(OutputParserException):
    """The provider's content filter ended a structured answer; ``text`` is the partial answer."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message, llm_output=text)
        self.text = text


class ModelError(MillstreamError):
    """A model did not answer. ``is_retryable`` says whether the same request may succeed later."""

    is_retryable = False


class RefusalError(ModelError):
    """The model refused to answer according to the schema; the message is its refusal.

    ``raw_message`` is the model's message with the refusal, if the exception was raised for one.
    """

    def __init__(
        self, message: str = "Model refused to produce the requested output", *, raw_message: Any = None
    ) -> None:
        super().__init__(message)
        self.raw_message = raw_message

    @classmethod
    def from_refusal(cls, refusal: Mapping[str, Any], *, raw_message: Any) -> Self:
        """Return the exception for a refusal block of ``raw_message``, with the block's category and text."""
        category = (refusal.get("extras") or {}).get("category")
        text = refusal.get("refusal")
        return cls(
            "Model refused to produce the requested output"
            f"{f' (category={category!r})' if category else ''}{f': {text}' if text else ''}",
            raw_message=raw_message,
        )


class APIError(ModelError):
    """The request did not become a stream.

    ``message`` says what happened and, where possible, what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class APIConnectionError(APIError, ConnectionError):
    """No response head arrived: refused, reset, unresolved. ``__cause__`` is the transport's error.

    ``is_final`` says that a retry cannot help: no request can be sent to the URL.
    """

    is_final = False
    is_retryable = True


class APITimeoutError(APIConnectionError, TimeoutError):
    """No response head arrived in time."""


class APIStatusError(APIError):
    """The server answered with an error status.

    ``status_code`` is the HTTP status, ``headers`` the response's headers (lower-case names),
    ``body`` the decoded JSON body (or its text, if it is not valid JSON), ``request_id`` the
    ``x-request-id`` or ``request-id`` header, ``code`` and ``type`` the fields of the provider's error, if it has
    them.

    ``retry_after`` is the number of seconds after which the server allows another try, counted from the
    response; ``None`` if the server did not name it. It is read from ``retry-after-ms`` or ``retry-after`` (a
    number or a date); for status 429 and from 500 on also from Google's ``RetryInfo`` and from a message such
    as "Please try again in 1.2s".
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
        self.headers: dict[str, str] = dict(headers or {})
        self.body = body
        # Google sends a list of one error.
        whole = body[0] if isinstance(body, list) and body else body
        detail: Any = whole.get("error", whole) if isinstance(whole, dict) else None
        fields: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
        self.code: Any = fields.get("code")
        self.type: Any = fields.get("type")
        self.request_id: str | None = self.headers.get("x-request-id") or self.headers.get("request-id")
        from ._retry_after import find_retry_after, read_retry_after

        self.retry_after: float | None = read_retry_after(self.headers)
        if self.retry_after is None and (status_code == 429 or status_code >= 500):
            self.retry_after = find_retry_after(fields, message)


class BadRequestError(APIStatusError):
    """Status 400."""


class ContextOverflowError(BadRequestError):
    """Status 400, because the prompt is longer than the model's context: its code or its message says so."""


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

    is_retryable = True


class InternalServerError(APIStatusError):
    """Status 500 and above."""

    is_retryable = True


class StreamError(MillstreamError):
    """A stream failed after it had begun.

    ``text`` is the text of choice 0 received before the error, and ``deltas_seen`` the number of deltas
    decoded before it. ``offset`` counts bytes from the start of the stream to the start of
    the failing frame's first data value, and ``frame`` is that frame's data, cut at 512 bytes
    (both are ``None`` if no single frame is at fault). ``items`` holds the items that ``close`` had
    decoded before it raised. ``text_complete`` is ``False`` if more text was received than
    ``text`` holds: a decoder keeps the first ``max_event_size`` bytes of it, in UTF-8.
    """

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        frame: bytes | None = None,
        text: str = "",
        text_complete: bool = True,
        deltas_seen: int = 0,
        items: Sequence[Any] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.frame = frame
        self.text = text
        self.text_complete = text_complete
        self.deltas_seen = deltas_seen
        self.items: list[Any] = list(items)


class StreamTruncatedError(StreamError, EOFError):
    """The stream ended without its end mark, and a choice is unfinished or none has begun."""


class StreamStalledError(StreamError, TimeoutError):
    """No content arrived within the time limit. Comments do not count as content."""


class StreamDecodeError(StreamError, ValueError):
    """The bytes are not valid in the format: invalid JSON, invalid UTF-8 under ``strict``, HTML."""


class EventTooLargeError(StreamError, ValueError):
    """An event is larger than ``max_event_size`` bytes."""


class ProviderError(StreamError):
    """The provider reported an error inside the stream.

    ``error`` is the provider's error object, which always has a ``message``; ``code`` and ``type``
    are its fields, if it has them. ``retry_after`` is the number of seconds after which the provider allows
    another try, if the object or its message names it; ``None`` otherwise.
    """

    def __init__(
        self,
        message: str,
        *,
        error: Mapping[str, Any],
        text: str = "",
        text_complete: bool = True,
        deltas_seen: int = 0,
    ) -> None:
        super().__init__(message, text=text, text_complete=text_complete, deltas_seen=deltas_seen)
        self.error: dict[str, Any] = dict(error)
        self.code: Any = self.error.get("code")
        self.type: Any = self.error.get("type")
        from ._retry_after import find_retry_after

        self.retry_after: float | None = find_retry_after(self.error)


def _rebuild(
    cls: type[MillstreamError], args: tuple[Any, ...], cause: BaseException | None, suppress: bool
) -> MillstreamError:
    """Make an exception without calling ``__init__``, whose arguments its attributes hold. Pickles call this."""
    error = cls.__new__(cls)
    error.args = args
    error.__cause__ = cause
    error.__suppress_context__ = suppress
    return error


def _copy(error: _Error, attributes: dict[str, Any]) -> _Error:
    """Return a copy of ``error`` with the same cause and with these attributes."""
    copied = _rebuild(type(error), error.args, error.__cause__, error.__suppress_context__)
    vars(copied).update(attributes)
    return cast("_Error", copied)


def _picklable_cause(cause: BaseException | None) -> BaseException | None:
    """Return ``cause`` if it survives a pickle. Many exceptions of other packages can be dumped but not loaded."""
    import pickle

    try:
        pickle.loads(pickle.dumps(cause))
    except Exception:
        return None
    return cause
