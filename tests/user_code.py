"""What the tests of users' code share: a model to write streams for, and a run that leaves nothing behind."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from millstream import LLM
from millstream.output_parsers import BaseTransformOutputParser

__all__ = ("Base", "Shouting", "consume", "run", "settled")


class Base(LLM):
    log: Any = None

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt

    @property
    def _llm_type(self) -> str:
        return "base"


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    """Run ``main``; no task may be left when it is over, and the loop may have nothing to complain about."""
    complaints: list[Any] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        result = await main()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = asyncio.run(watched())
    assert complaints == []
    return result


async def settled(condition: Callable[[], bool]) -> None:
    """Let the loop turn until ``condition`` holds; threads are given time as well."""
    for turn in range(70_000):
        if condition():
            return
        await asyncio.sleep(0 if turn < 10_000 else 0.001)
    raise AssertionError("it never came to that")


async def consume(stream: Any, seen: list[Any], seconds: float, pauses: int = 1000) -> None:
    """Read a stream slowly: a pause after each of the first chunks."""
    async for chunk in stream:
        seen.append(chunk)
        if len(seen) <= pauses:
            await asyncio.sleep(seconds)


class Shouting(BaseTransformOutputParser[str]):
    """A user's parser: chains with it run apart."""

    def parse(self, text: str) -> str:
        return text.upper()
