"""The async library that runs the current task: asyncio or trio."""

import sys
from typing import Any

__all__ = ("current_loop", "sleep")


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


def _running_trio() -> Any:
    """Return the module trio if it runs the current task."""
    trio = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None
