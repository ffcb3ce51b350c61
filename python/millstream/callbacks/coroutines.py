"""Runs the coroutines of async handlers for sync code."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from .._context import Enterable, InContext, caller_loop

if TYPE_CHECKING:
    import asyncio

__all__ = ("run_coroutine",)


def run_coroutine(context: Enterable, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run an async handler's coroutine to its end, for sync code.

    It runs on the event loop of the stream's consumer, if there is one in another thread: the handler may
    use objects that belong to that loop. Otherwise it runs on a new loop in this thread. If this thread
    already runs a loop, which cannot be waited for here, a new thread gets the new loop.
    """
    import asyncio

    loop = getattr(caller_loop, "loop", None)
    if loop is not None and loop.is_running():
        _run_in(loop, _run_in_context(context, coroutine))
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_run_in_context(context, coroutine))
        return
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_run_in_context(context, coroutine))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="millstream-handler")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _run_in(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run ``coroutine`` on ``loop``, in another thread, and wait for it.

    A loop that stops meanwhile never finishes the coroutine. So the wait checks each second that the loop
    is still running, and gives up when it is not.
    """
    import asyncio

    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    while True:
        try:
            future.result(timeout=1)
        except TimeoutError:
            if not future.done() and loop.is_running():
                continue
            if not future.done():
                future.cancel()
                coroutine.close()
                return
            raise
        return


async def _run_in_context(context: Enterable, coroutine: Coroutine[Any, Any, Any]) -> None:
    await InContext(context, coroutine)
