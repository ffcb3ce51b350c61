"""The async library that runs the current task: asyncio or trio."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

__all__ = ("current_loop", "run_in_thread", "sleep")

T = TypeVar("T")
P = ParamSpec("P")


def current_loop() -> Any:
    """Return the event loop of this task: asyncio's loop, or trio's token of the run."""
    trio = _running_trio()
    if trio is not None:
        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


async def sleep(seconds: float) -> None:
    """Wait, under asyncio or trio."""
    trio = _running_trio()
    if trio is not None:
        await trio.sleep(seconds)
        return
    import asyncio

    await asyncio.sleep(seconds)


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``function`` returns in a thread of the library's, under asyncio or trio."""
    trio = _running_trio()
    if trio is not None:
        result: T = await trio.to_thread.run_sync(partial(function, *args, **kwargs))
        return result
    import asyncio

    return await asyncio.to_thread(function, *args, **kwargs)


def _running_trio() -> Any:
    """Return the module trio if it runs the current task."""
    trio = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None
