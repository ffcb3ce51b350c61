"""The connection under a stream: its errors as the SDK's, and its end after the end mark."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import anyio
import openai
from anyio.lowlevel import checkpoint
from openai import _streaming

from ...transport.watchdog import watch

__all__ = ("aclose", "adrain", "drain", "translate_error")

# Functions that return tuples of classes. Earlier versions raise the HTTP library's own exceptions from a stream.
_timeout_exceptions: Any = getattr(_streaming, "timeout_exceptions", tuple)
_request_exceptions: Any = getattr(_streaming, "request_exceptions", tuple)
# How long to wait for the end of a body after the stream in it has ended; the watchdog's own limit.
_DRAIN_SECONDS = 0.1


def translate_error(error: Exception, response: Any) -> Exception | None:
    """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""
    if isinstance(error, _timeout_exceptions()):
        return openai.APITimeoutError(request=response.request)
    if isinstance(error, _request_exceptions()):
        return openai.APIConnectionError(request=response.request)
    return None


def drain(response: Any, reads: Iterator[bytes]) -> None:
    """Read the body to its end, for 100 ms at most, so that the connection can be reused; never raises.

    The SDK does this for async streams alone, so every sync stream costs a new connection.
    """
    stream = response.extensions.get("network_stream")
    if stream is None or response.is_closed or response.http_version != "HTTP/1.1":
        return
    if (sock := stream.get_extra_info("socket")) is None:
        return
    # The watchdog shuts the socket down to interrupt a read that takes longer.
    with contextlib.suppress(Exception), watch(sock):
        end_by = time.monotonic() + _DRAIN_SECONDS
        for _ in reads:
            if time.monotonic() > end_by:
                break


async def adrain(response: Any) -> None:
    """Read the body to its end, for 100 ms at most, so that the connection can be reused; raises only cancellation."""
    if response.is_closed or response.http_version != "HTTP/1.1":
        return
    with contextlib.suppress(Exception), anyio.move_on_after(_DRAIN_SECONDS):
        # Not the response's own generators, which would close it inside of the scope that is cancelled.
        async for _ in response.stream:
            # A transport that has all data already does not wait.
            await checkpoint()


async def aclose(response: Any, reads: Any) -> None:
    """Close the response and the generator over its body, also in a task that is being cancelled.

    A generator that is not closed here would be left to a task of its own.
    """
    with anyio.CancelScope(shield=True):
        try:
            # A library that wraps the response may return another kind of iterator.
            if isinstance(reads, AsyncGenerator):
                await reads.aclose()
        finally:
            await response.aclose()
