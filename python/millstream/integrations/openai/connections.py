"""The connection under a stream: its errors as the SDK's, and its end after the end mark."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import openai
from anyio.lowlevel import checkpoint
from openai import _streaming

from .._bodies.base import DRAIN_SECONDS

__all__ = ("aclose", "adrain", "translate_error")

# Functions that return tuples of classes. Earlier versions raise the HTTP library's own exceptions from a stream.
_timeout_exceptions: Any = getattr(_streaming, "timeout_exceptions", tuple)
_request_exceptions: Any = getattr(_streaming, "request_exceptions", tuple)


def translate_error(error: Exception, response: Any) -> Exception | None:
    """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""
    if isinstance(error, _timeout_exceptions()):
        return openai.APITimeoutError(request=response.request)
    if isinstance(error, _request_exceptions()):
        return openai.APIConnectionError(request=response.request)
    return None


async def adrain(response: Any) -> None:
    """Read the body to its end, for 100 ms at most, so that the connection can be reused; raises only cancellation."""
    if response.is_closed or response.http_version != "HTTP/1.1":
        return
    with contextlib.suppress(Exception), anyio.move_on_after(DRAIN_SECONDS):
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
