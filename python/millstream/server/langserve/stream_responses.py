"""``StreamSlots``: the responses that stream, of which only so many run at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ..response import EventStreamResponse

__all__ = ("StreamSlots",)


class StreamSlots:
    """Makes the responses that stream; of those beyond ``limit`` at the same time, each is refused with status 503."""

    def __init__(self, limit: int | None, options: Mapping[str, Any]) -> None:
        self._limit = limit
        self._options = options
        self._running = 0

    def respond(self, content: Any, *, headers: Mapping[str, str] | None = None, **options: Any) -> EventStreamResponse:
        """Return the response that sends ``content``, with ``headers`` beside those of all responses."""
        all_headers = {**(self._options.get("headers") or {}), **(headers or {})}
        return _SlottedResponse(self, content, **{**self._options, **options, "headers": all_headers})

    def acquire(self) -> bool:
        """Take a place; return whether there was one."""
        if self._limit is not None and self._running >= self._limit:
            return False
        self._running += 1
        return True

    def release(self) -> None:
        """Return a place."""
        self._running -= 1


class _SlottedResponse(EventStreamResponse):
    """A response that takes its place when the server calls it, and returns it when that call ends."""

    def __init__(self, slots: StreamSlots, content: Any, **options: Any) -> None:
        super().__init__(content, **options)
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, or status 503."""
        if not self._slots.acquire():
            message = "too many streams: try again later"
            refusal = JSONResponse({"detail": message, "message": message}, 503, {"retry-after": "1"})
            await refusal(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slots.release()
