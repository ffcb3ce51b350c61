"""The bodies of responses of any HTTP client, as bytes that are returned when they arrive.

No client is imported here: a response is recognized by its attributes.
"""

from collections.abc import AsyncIterable, Iterable
from typing import Any

from .aiohttp import AIOHTTPBody
from .base import AsyncBody, Body
from .httpx import HTTPXAsyncBody, HTTPXBody
from .urllib3 import FileBody, RequestsBody, URLLib3Body

__all__ = ("AsyncBody", "Body", "find_response", "open_async_body", "open_body")

_CLIENTS = (
    "a response of httpx, httpx2, requests, urllib3, aiohttp, urllib or the OpenAI SDK's with_streaming_response,"
    " or an iterable of bytes"
)


def open_body(response: Any) -> Body:
    """Return the body of ``response``, for sync code. Nothing is read yet.

    Raises :class:`TypeError` for a response of an async client, and for an object that is not a response.
    """
    response = find_response(response)
    if _is_httpx(response):
        if hasattr(response.stream, "__iter__") or response.is_stream_consumed:
            return HTTPXBody(response)
    elif hasattr(response, "iter_content") and hasattr(response, "raw"):
        return RequestsBody(response)
    elif hasattr(response, "read_chunked") and hasattr(response, "release_conn"):
        return URLLib3Body(response)
    elif hasattr(response, "read1"):
        return FileBody(response)
    elif isinstance(response, bytes | bytearray | memoryview):
        return Body(response, iter((bytes(response),)))
    elif isinstance(response, Iterable) and not isinstance(response, str):
        return Body(response, iter(response))
    if _is_httpx(response) or _is_aiohttp(response) or isinstance(response, AsyncIterable):
        raise TypeError(
            f"this {type(response).__name__} is for async code: write `async for` over `adecode` or `aiter_sse`"
        )
    raise TypeError(f"expected {_CLIENTS}, not {type(response).__name__}")


def open_async_body(response: Any) -> AsyncBody:
    """Return the body of ``response``, for async code; see :func:`open_body`."""
    response = find_response(response)
    if _is_httpx(response):
        if hasattr(response.stream, "__aiter__") or response.is_stream_consumed:
            return HTTPXAsyncBody(response)
    elif _is_aiohttp(response):
        return AIOHTTPBody(response)
    elif isinstance(response, AsyncIterable):
        return AsyncBody(response, aiter(response))
    if _is_httpx(response) or hasattr(response, "read1") or isinstance(response, Iterable | bytes):
        raise TypeError(f"this {type(response).__name__} is for sync code: write `for` over `decode` or `iter_sse`")
    raise TypeError(f"expected {_CLIENTS} (an async one), not {type(response).__name__}")


def find_response(response: Any) -> Any:
    """Return the HTTP client's response in ``response``, if that is an object of an SDK around one.

    The OpenAI SDK, and those generated like it, have it in ``http_response`` (``with_streaming_response``) or in
    ``response`` (a stream that has not been read).
    """
    for name in ("http_response", "response"):
        inner = getattr(response, name, None)
        if inner is not None and _is_httpx(inner):
            return inner
    return response


def _is_httpx(response: Any) -> bool:
    return hasattr(response, "iter_raw") and hasattr(response, "aiter_raw")


def _is_aiohttp(response: Any) -> bool:
    return hasattr(getattr(response, "content", None), "readany")
