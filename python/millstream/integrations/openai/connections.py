"""The connection under a stream: its errors as the SDK's, and its end after the end mark."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import openai

from ...transport.watchdog import watch

try:
    from openai._httpx2 import request_exceptions, timeout_exceptions
    from openai._streaming_cleanup import drain_response_async
except ImportError:
    # Version 2 raises the HTTP library's own exceptions from a stream, and closes the connection at its end.
    _is_version_2 = True
else:
    _is_version_2 = False

__all__ = ("adrain", "drain", "translate_error")

# How long to wait for the end of a body after the stream in it has ended; the watchdog's own limit.
_DRAIN_SECONDS = 0.1


def translate_error(error: Exception, response: Any) -> Exception | None:
    """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""
    if _is_version_2:
        return None
    if isinstance(error, timeout_exceptions()):
        return openai.APITimeoutError(request=response.request)
    if isinstance(error, request_exceptions()):
        return openai.APIConnectionError(request=response.request)
    return None


def drain(response: Any, reads: Iterator[bytes]) -> None:
    """Read the body to its end, for 100 ms at most, so that the connection can be reused; never raises.

    The SDK does this for async streams alone, so every sync stream costs a new connection.
    """
    stream = response.extensions.get("network_stream")
    if stream is None or response.is_closed or response.http_version != "HTTP/1.1":
        return
    # The watchdog shuts the socket down to interrupt a read that takes longer.
    with contextlib.suppress(Exception), watch(stream.get_extra_info("socket")):
        end_by = time.monotonic() + _DRAIN_SECONDS
        for _ in reads:
            if time.monotonic() > end_by:
                break


async def adrain(response: Any) -> None:
    """Read the body to its end as the installed SDK does."""
    if not _is_version_2 and response.http_version == "HTTP/1.1":
        await drain_response_async(response)
