"""Branches leave no reference cycle behind, however their stream ends: what they hold is freed at once."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from millstream.runnables import RunnableGenerator, RunnableLambda, RunnableParallel, RunnablePassthrough


def same(chunks: Any) -> Any:
    yield from chunks


async def asame(chunks: Any) -> Any:
    async for chunk in chunks:
        yield chunk


def refuse(value: Any) -> Any:
    raise RuntimeError("refused")


async def arefuse(value: Any) -> Any:
    raise RuntimeError("refused")


REFUSE: Any = RunnableLambda(refuse, arefuse)
SAME: Any = RunnableGenerator(same, asame)
STEPS: dict[str, Any] = {
    "branches": RunnableParallel(a=SAME, b=SAME),
    "our own": RunnableParallel(a=RunnablePassthrough(), b=RunnablePassthrough()),
    "assign": RunnableLambda(lambda text: {"x": text}) | RunnablePassthrough.assign(a=SAME),
    "in a chain": RunnableLambda(str) | RunnableParallel(a=SAME, b=SAME) | RunnablePassthrough(),
    "behind a stream": SAME | RunnableParallel(a=SAME, b=SAME),
    "one that fails": RunnableParallel(a=SAME, b=REFUSE),
    "one that fails in a thread": RunnableParallel(a=SAME, b=RunnableLambda(refuse)),
    "one that fails behind a stream": SAME | RunnableParallel(a=SAME, b=REFUSE),
}


async def read(step: Any) -> None:
    async for _ in step.astream("hey"):
        pass


async def leave(step: Any) -> None:
    async with step.astream("hey") as stream:
        async for _ in stream:
            break


async def read_events(step: Any) -> None:
    async for _ in step.astream_events("hey", version="v2"):
        pass


async def read_log(step: Any) -> None:
    async for _ in step.astream_log("hey"):
        pass


async def abatch(step: Any) -> None:
    await step.abatch(["hey", "ho"], return_exceptions=True)


async def acall(step: Any) -> None:
    await step.ainvoke("hey")


WAYS: dict[str, Callable[[Any], Any]] = {
    "read": read,
    "leave": leave,
    "events": read_events,
    "log": read_log,
    "ainvoke": acall,
    "abatch": abatch,
    "stream": lambda step: list(step.stream("hey")),
    "leave a sync stream": lambda step: next(iter(step.stream("hey"))),
    "invoke": lambda step: step.invoke("hey"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", STEPS)
def test_no_cycle_is_left(step: str, way: str) -> None:
    async def main() -> int:
        async def once() -> None:
            with suppress(RuntimeError):
                if (waiting := WAYS[way](STEPS[step])) is not None and hasattr(waiting, "__await__"):
                    await waiting
            await asyncio.sleep(0)

        for _ in range(3):
            await once()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await once()
            await asyncio.sleep(0)
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(main()) == 0
