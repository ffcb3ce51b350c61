"""Random compositions, left at any place in any way: each run has one end, the input is closed, and nothing stays."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leaving import cancel_after
from millstream.testing import assert_no_leaks
from recording import ahandlers, handlers
from run_ends import alone, check, has_ended
from trees import AT_ONCE, CONFIG, build, cases, inputs, parts
from user_code import run

FAILING = {"refuse", "flaky", "prompt of two"}
places = st.integers(1, 5)


class Producer:
    """The chunks of an input, for sync and for async code."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self.is_open = False

    def __iter__(self) -> Iterator[Any]:
        self.is_open = True
        try:
            for _ in range(3):
                yield self._value
        finally:
            self.is_open = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        self.is_open = True
        try:
            for _ in range(3):
                await asyncio.sleep(0)
                yield self._value
        finally:
            self.is_open = False


@given(case=cases(), place=places, how=st.sampled_from(["break", "close", "raise"]), way=st.sampled_from(["s", "t"]))
def test_a_sync_stream(case: Any, place: int, how: str, way: str) -> None:
    tree, kind = case
    log: list[Any] = []
    config = {**CONFIG, "callbacks": [handlers(log)[1]]}
    producer = Producer(inputs[kind][0])
    before = threading.active_count()
    # The exception of a step is one way to leave.
    with suppress(LookupError, ValueError, TypeError):
        subject = build(tree, 1)
        stream = subject.stream(inputs[kind][0], config) if way == "s" else subject.transform(iter(producer), config)
        try:
            for count, _ in enumerate(stream, 1):
                if count == place:
                    if how == "raise":
                        raise LookupError
                    break
        finally:
            if how == "close":
                stream.close()
            del stream
    if not {*AT_ONCE, "each"} & parts(tree):
        assert has_ended(log)
        assert not producer.is_open
    # A thread whose step runs ends after that step.
    while not has_ended(log) or producer.is_open or threading.active_count() > before:
        time.sleep(0.001)
    check(log, cancelled=1, waits=False)


def started(tree: Any, kind: str, config: Any, way: str, producer: Producer) -> Any:
    """Return an async stream of one of the ways."""
    subject, value = build(tree, 1), inputs[kind][0]
    if way == "atransform":
        return subject.atransform(aiter(producer), config)
    return subject.astream(value, config) if way == "astream" else subject.astream_events(value, config, version=way)


ways = st.sampled_from(["astream", "atransform", "v1", "v2"])


@given(case=cases(), place=places, how=st.sampled_from(["drop", "aclose", "raise"]), way=ways, kinds=st.booleans())
def test_an_async_stream(case: Any, place: int, how: str, way: str, kinds: bool) -> None:
    tree, kind = case
    # A step that fails while nobody is left to receive its exception is reported to the loop.
    assume(how == "aclose" or not FAILING & parts(tree))
    log: list[Any] = []
    config = {**CONFIG, "callbacks": [(ahandlers if kinds else handlers)(log, run_inline=True)[1]]}
    producer = Producer(inputs[kind][0])

    async def main() -> None:
        with suppress(LookupError, ValueError, TypeError):
            stream = started(tree, kind, config, way, producer)
            try:
                count = 0
                async for _ in stream:
                    count += 1
                    if count == place:
                        if how == "raise":
                            raise LookupError
                        break
            finally:
                if how == "aclose":
                    await stream.aclose()
                    assert has_ended(log)
                    assert not producer.is_open
                del stream
        await alone(log)

    with assert_no_leaks():
        run(main)
    assert not producer.is_open
    check(log, cancelled=1, waits=False)


@given(
    case=cases(), turns=st.integers(0, 60), times=st.integers(1, 2), way=st.sampled_from(["ainvoke", "abatch"]) | ways
)
def test_a_call_that_is_cancelled(case: Any, turns: int, times: int, way: str) -> None:
    tree, kind = case
    log: list[Any] = []
    config = {**CONFIG, "callbacks": [ahandlers(log, run_inline=True)[1]]}
    producer = Producer(inputs[kind][0])

    async def call() -> None:
        if way == "ainvoke":
            await build(tree, 1).ainvoke(inputs[kind][0], config)
        elif way == "abatch":
            await build(tree, 1).abatch(inputs[kind], config)
        else:
            async with started(tree, kind, config, way, producer) as stream:
                async for _ in stream:
                    pass

    async def main() -> None:
        await cancel_after(call(), turns, times)
        await alone(log)

    with assert_no_leaks():
        run(main)
    assert not producer.is_open
    check(log, cancelled=1, waits=False)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_batch_that_is_cancelled_at_any_turn_ends_each_run(times: int) -> None:
    for turns in range(40):
        log: list[Any] = []
        config: Any = {"callbacks": [ahandlers(log, run_inline=True)[1]]}

        async def main(turns: int = turns, log: list[Any] = log, config: Any = config) -> None:
            chain = build(("chain", ("parser",), ("shout",)), 1)
            await cancel_after(chain.abatch(["a", "b"], config), turns, times)
            await alone(log)

        run(main)
        check(log, cancelled=1, waits=False)
