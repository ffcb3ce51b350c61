"""Calls ASGI responses without a server: what was sent, and what kind of client it was."""

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import Any

__all__ = ("Client", "is_in_callback")


class Client:
    """A client of one response, which ``leave`` ends; ``on_send`` is called with each message, and may be async."""

    def __init__(self, on_send: Callable[[Any], Any] | None = None, *, suspends: bool = False) -> None:
        self.messages: list[Any] = []
        self.callers: list[bool] = []
        self.is_called_back = False
        self._on_send = on_send
        self._suspends = suspends
        self._gone = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def body(self) -> bytes:
        """The body so far."""
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def is_whole(self) -> bool:
        """Whether the body has ended."""
        return bool(self.messages) and self.messages[-1].get("more_body") is False

    @property
    def is_direct(self) -> bool:
        """Whether a message was sent from the connection's callback."""
        return any(self.callers)

    def leave(self) -> None:
        """Disconnect."""
        self._gone.set()

    async def send(self, message: Any) -> None:
        """Keep a message."""
        self.is_called_back = is_in_callback()
        self.callers.append(self.is_called_back)
        if self._suspends:
            await asyncio.sleep(0)
        if self._on_send is not None:
            result = self._on_send(message)
            if result is not None:
                await result
        self.messages.append(message)

    async def receive(self) -> Any:
        """Wait until the client leaves."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def call(self, response: Any, **scope: Any) -> None:
        """Call ``response`` for this client."""
        whole = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.3"}, **scope}
        await response(whole, self.receive, self.send)


def is_in_callback() -> bool:
    """Return whether the caller, a function or a coroutine, is run by a callback of the loop: no coroutine calls it."""
    frame = sys._getframe(1).f_back
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_COROUTINE:
            return False
        frame = frame.f_back
    return True
