"""Watches for the client's disconnect: during a response, and before its answer is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect

__all__ = ("Receive", "run_until_disconnect", "watch_disconnect")

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def watch_disconnect(receive: Receive, on_disconnect: Callable[[], None]) -> None:
    """Call ``on_disconnect`` once ``receive`` reports that the client is gone.

    Messages of a request body that the app has not read are skipped. If ``receive`` raises, the disconnect
    cannot be watched: the next message that is sent finds it.
    """
    try:
        while True:
            message = await receive()
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                break
            if not message.get("more_body"):
                # A receive function that never waits must not block the loop.
                await asyncio.sleep(0)
    except Exception:
        return
    on_disconnect()


async def run_until_disconnect(receive: Receive, run: Awaitable[T]) -> T:
    """Return ``await run``; if the client leaves first, cancel it and raise ``ClientDisconnect``.

    It runs in the task of the request, with the context variables of that, and is cancelled once, as by
    :func:`asyncio.timeout`: what it does in ``finally`` is not disturbed. ``receive`` is the server's, after
    the body has been read. Under event loops other than asyncio's, nothing is watched.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is None:
        return await run
    watch = _Watch(task)
    watcher = asyncio.ensure_future(watch_disconnect(receive, watch.cancel))
    try:
        return await run
    except asyncio.CancelledError:
        if watch.is_own_cancellation():
            raise ClientDisconnect from None
        raise
    finally:
        watcher.cancel()
        watch.is_own_cancellation()


class _Watch:
    """Cancels a task when the client leaves."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._pending = task.cancelling()
        self._has_cancelled = False

    def cancel(self) -> None:
        """Cancel the task."""
        self._has_cancelled = True
        self._task.cancel()

    def is_own_cancellation(self) -> bool:
        """Return whether this is all that cancels the task, and take it back."""
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._task.uncancel() <= self._pending
