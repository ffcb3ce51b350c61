"""Which async library runs the current task: asyncio, or trio."""

import sys
from typing import Any

__all__ = ("current_loop", "sleep")


def current_loop() -> Any:
    """Return what stands for the run that this task is part of: asyncio's loop, or the token of trio's."""
    trio = _running_trio()
    if trio is not None:
        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


async def sleep(seconds: float) -> None:
    """Wait for so long."""
    trio = _running_trio()
    if trio is not None:
        await trio.sleep(seconds)
        return
    import asyncio

    await asyncio.sleep(seconds)


def _running_trio() -> Any:
    """Return trio where it runs the task."""
    trio = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None
