"""Reads the JSON body of a request, up to a limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import orjson

from .errors import RequestError

__all__ = ("read_body",)

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(headers: Mapping[str, str], receive: _Receive, max_size: int) -> dict[str, Any]:
    """Return the JSON object in a request's body; ``headers`` have names in lower case.

    Raises :class:`RequestError` for a body of more than ``max_size`` bytes, and for one that is not a JSON object. A
    body must be declared as JSON: a page of another site can send other types without being asked.
    """
    _check_type(headers)
    if headers.get("content-length", "").isdecimal() and int(headers["content-length"]) > max_size:
        raise _too_large(max_size)
    data = await _read(receive, max_size)
    try:
        body = orjson.loads(data)
    except ValueError:
        raise RequestError("We could not parse the JSON body of your request.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise RequestError("The body of a request must be a JSON object.", code="invalid_json")
    return body


def _check_type(headers: Mapping[str, str]) -> None:
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise RequestError(
            "The body of a request must be JSON: send the header 'content-type: application/json'.",
            status=415,
            code="unsupported_media_type",
        )
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise RequestError("The body of a request must not be compressed.", status=415, code="unsupported_media_type")


def _too_large(max_size: int) -> RequestError:
    return RequestError(
        f"The body of a request must have at most {max_size} bytes.", status=413, code="request_too_large"
    )


async def _read(receive: _Receive, max_size: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise RequestError("The client left before the request was complete.", code="client_closed")
        part = message.get("body", b"")
        size += len(part)
        if size > max_size:
            raise _too_large(max_size)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
