"""Leaves the streams of a chain at any chunk and in any way, or cancels the task that reads them."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from run_ends import alone, has_ended
from user_code import run

__all__ = ("acancel", "aleave", "cancel_after", "leave", "logs_of_cancelled_stream", "logs_of_left_stream")


def leave(chain: Any, config: Any, place: int, how: str) -> None:
    """Read a stream up to the chunk ``place``, leave the loop, and drop the stream; ``how`` may close it first."""
    stream = chain.stream({"text": "p"}, config)
    with suppress(LookupError):
        for count, _ in enumerate(stream, 1):
            if count == place:
                if how == "raise":
                    raise LookupError
                break
    if how == "close":
        stream.close()


async def aleave(
    chain: Any, config: Any, place: int, how: str, events: str | None, has_ended: Callable[[], bool]
) -> None:
    """Read chunks, records or the ``events`` of a version, as :func:`leave`; closing it ends all runs."""
    stream: Any = _open(chain, config, events)
    count = 0
    with suppress(LookupError):
        async for _ in stream:
            count += 1
            if count == place:
                if how == "raise":
                    raise LookupError
                break
    if how == "aclose":
        await stream.aclose()
        assert has_ended()


async def acancel(chain: Any, config: Any, turns: int, times: int, *, events: bool) -> None:
    """Cancel the task that reads a stream, after ``turns`` turns of the loop, as often as ``times``."""

    async def read() -> None:
        async with _open(chain, config, "v2" if events else None) as stream:
            async for _ in stream:
                pass

    await cancel_after(read(), turns, times)


async def cancel_after(call: Coroutine[Any, Any, Any], turns: int, times: int) -> bool:
    """Cancel the task of ``call`` after ``turns`` turns, ``times`` in a row; return whether it is cancelled."""
    task = asyncio.create_task(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    # An exception that is not read is reported to the loop.
    if not task.cancelled():
        task.exception()
    return task.cancelled()


Make = Callable[[list[Any], list[Any]], tuple[Any, Any]]
"""Makes a chain, and a configuration whose handlers write to two logs."""


def logs_of_left_stream(make: Make, place: int, how: str, events: str | None, *, in_thread: bool) -> list[list[Any]]:
    """Leave a stream as :func:`aleave`; return the logs. A model ``in_thread`` ends after the step that runs."""
    log: list[Any] = []
    second: list[Any] = []

    async def main() -> None:
        chain, config = make(log, second)
        await aleave(chain, config, place, how, events, lambda: has_ended(log) or in_thread)
        await alone(log, second)

    run(main)
    return [log, second]


def logs_of_cancelled_stream(make: Make, turns: int, times: int, *, events: bool) -> list[list[Any]]:
    """Cancel a stream as :func:`acancel`; return the logs."""
    log: list[Any] = []
    second: list[Any] = []

    async def main() -> None:
        chain, config = make(log, second)
        await acancel(chain, config, turns, times, events=events)
        await alone(log, second)

    run(main)
    return [log, second]


def _open(chain: Any, config: Any, events: str | None) -> Any:
    if events == "records":
        return chain.astream_records({"text": "p"}, config)
    if events is not None:
        return chain.astream_events({"text": "p"}, config, version=events)
    return chain.astream({"text": "p"}, config)
