"""One measurement, in a process of its own: ``python -m benches.transport.child JSON``.

Prints a JSON object: nanoseconds of CPU from the first request to the last token, the tokens that
came, their latency (where the server said when it sent them), and the memory that the streams took.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from .clients import CLIENTS

__all__ = ("main",)


def main(task: dict[str, Any]) -> dict[str, Any]:
    """Measure one task: kind, client, url, loop, streams, tokens, rate, turns."""
    if task["kind"] == "sync":
        return _sync(task)
    if task["loop"] == "uvloop":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_async(task))
    with asyncio.Runner() as runner:
        return runner.run(_async(task))


async def _async(task: dict[str, Any]) -> dict[str, Any]:
    consume = CLIENTS[task["kind"]][task["client"]][1](task["url"])
    streams, prompt = task["streams"], f"{task['tokens']} {task['rate']}"

    # Streams at a pace begin one after the other, as they do on a server; a burst is all at once.
    gap = 0.001 if task["rate"] else 0.0

    async def turns(place: int, prompt: str, take: Callable[[str], Any]) -> None:
        await asyncio.sleep(place * gap)
        for _ in range(task["turns"]):
            await consume(prompt, take)

    await consume("20 0", str)
    _calm()
    before = _resident()
    # The connections are open, the code is warm.
    await asyncio.gather(*(turns(place, "20 0", str) for place in range(streams)))
    takes = [_Taken(stamped=bool(task["rate"])) for _ in range(streams)]
    memory = asyncio.create_task(_memory(task, takes)) if task["rate"] else None
    _calm()
    start = time.process_time_ns()
    await asyncio.gather(*(turns(place, prompt, taken.take) for place, taken in enumerate(takes)))
    spent = time.process_time_ns() - start
    peak = await memory if memory else before
    return _told(takes, spent) | {"bytes": max(0, peak - before) / streams}


def _sync(task: dict[str, Any]) -> dict[str, Any]:
    stream = CLIENTS[task["kind"]][task["client"]][1](task["url"])
    prompt = f"{task['tokens']} {task['rate']}"
    for _ in stream("20 0"):
        pass
    taken = _Taken(stamped=False)
    _calm()
    start = time.process_time_ns()
    for _ in range(task["turns"]):
        for text in stream(prompt):
            taken.take(text)
    return _told([taken], time.process_time_ns() - start)


class _Taken:
    """The result of one stream: a count, and the delay of tokens."""

    __slots__ = ("count", "late", "take")

    def __init__(self, *, stamped: bool) -> None:
        self.count = 0
        self.late: list[int] = []
        self.take = self._stamped if stamped else self._counted

    def _counted(self, text: str) -> None:
        self.count += 1

    def _stamped(self, text: str) -> None:
        self.count += 1
        # Not of every token: reading the clock costs a tenth of what is measured.
        if self.count % 8 == 0 and text:
            self.late.append(time.monotonic_ns() - int(text))


async def _memory(task: dict[str, Any], takes: list[_Taken]) -> int:
    """Return the memory of the process in the middle of all streams, without the text that ours keep."""
    await asyncio.sleep(task["tokens"] / task["rate"] / 2)
    tokens = sum(taken.count for taken in takes) if task["client"] == "ours" else 0
    return _resident() - tokens * len(f" {time.monotonic_ns()}")


def _told(takes: list[_Taken], spent: int) -> dict[str, Any]:
    late = sorted(one for taken in takes for one in taken.late)
    cuts = statistics.quantiles(late, n=100) if len(late) > 1 else [0.0] * 99
    return {"cpu": spent, "tokens": sum(taken.count for taken in takes), "p50": cuts[49] / 1e6, "p99": cuts[98] / 1e6}


def _calm() -> None:
    gc.collect()
    gc.freeze()


def _resident() -> int:
    try:
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * 4096
    except OSError:
        return 0


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
