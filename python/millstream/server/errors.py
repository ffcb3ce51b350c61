"""Errors as clients are sent them, and as they are logged."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from .._backend import encode_sse
from ..errors import MillstreamError
from ..wires.public_error import PublicError, describe_error

__all__ = ("ServerShutdownError", "error_body", "error_record", "error_response", "log_error", "logger")

logger = logging.getLogger("millstream.server")

# The clients of these wires show a person the body of an error's response as it is.
_TEXT_WIRES = ("text", "vercel.ui")


class ServerShutdownError(MillstreamError):
    """The server shuts down while a response is running."""

    public_error = PublicError(503, "server_shutdown", "the server is shutting down: try again")

    def __init__(self) -> None:
        super().__init__("the server is shutting down")


def error_response(error: BaseException, wire: str | None) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of the response for ``error``, before anything else was sent.

    The body is JSON as OpenAI's: ``{"error": {"message", "type", "param", "code"}}``; plain text on wires
    whose clients show the body to a person. LangServe's clients read ``{"detail", "message"}``.
    """
    public = describe_error(error)
    if wire in _TEXT_WIRES:
        media_type, body = "text/plain; charset=utf-8", public.message.encode()
    elif wire == "langserve":
        media_type, body = "application/json", orjson.dumps({"detail": public.message, "message": public.message})
    else:
        media_type, body = "application/json", _dump(public)
    headers = [("content-type", media_type), ("content-length", str(len(body))), ("cache-control", "no-store")]
    return public.status, [*headers, *public.headers.items()], body


def error_record(error: BaseException) -> bytes:
    """Return the server-sent event of an error in a stream without a wire."""
    return encode_sse(_dump(describe_error(error)), event="error")


def log_error(error: BaseException, message: str = "a streamed response failed") -> None:
    """Log the error that ended a response; with its traceback unless it is an error of this package."""
    traceback = None if isinstance(error, MillstreamError) else error
    # A handler may keep its records, and an exception keeps the frames of the response: the text is made here.
    logger.error("%s: %s: %s", message, type(error).__name__, str(error), exc_info=traceback)


def error_body(message: str, type: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Return an error in the form of OpenAI's API."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def _dump(public: PublicError) -> bytes:
    return orjson.dumps(error_body(public.message, public.type, code=public.code))
