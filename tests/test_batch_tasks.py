"""``abatch`` by tasks: order, how many at once, and the failure that goes up as it was raised."""

import asyncio
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream.errors import APIConnectionError, StreamTruncatedError
from millstream.runnables import RunnableLambda
from millstream.testing.memory import MemoryTransport

CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n'
TEXT = b'data: {"choices":[{"index":0,"text":"half"}]}\n\n'


def test_outputs_come_in_order_and_no_more_than_max_concurrency_run_at_once() -> None:
    running = most = 0

    async def count(place: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(3 - place % 3):
            await asyncio.sleep(0)
        running -= 1
        return place

    runnable = RunnableLambda(count)
    assert asyncio.run(runnable.abatch(list(range(20)), {"max_concurrency": 3})) == list(range(20))
    assert most == 3
    assert asyncio.run(runnable.abatch([])) == []


def test_the_first_failure_stops_the_others_and_keeps_its_cause_and_context() -> None:
    stopped: list[int] = []

    async def call(place: int) -> int:
        if place == 1:
            try:
                raise KeyError("context")
            except KeyError:
                raise ValueError("first") from OSError("cause")
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(place)
        return place

    with pytest.raises(ValueError, match="first") as caught:
        asyncio.run(RunnableLambda(call).abatch([0, 1, 2]))
    assert (repr(caught.value.__cause__), repr(caught.value.__context__)) == ("OSError('cause')", "KeyError('context')")
    assert sorted(stopped) == [0, 2]


@pytest.mark.parametrize(("kind", "text"), [(ChatOpenAI, CHAT), (OpenAI, TEXT)])
def test_a_connection_that_broke_is_the_cause_in_every_way_of_calling(kind: Any, text: bytes) -> None:
    reads: list[bytes | Exception] = [text, APIConnectionError("the connection closed")]
    model = kind(model="m", api_key="k", max_retries=0, streaming=True, http_client=MemoryTransport(reads))
    calls: list[Any] = [
        lambda: model.invoke("p"),
        lambda: model.batch(["p"]),
        lambda: asyncio.run(model.ainvoke("p")),
        lambda: asyncio.run(model.abatch(["p"])),
    ]
    for call in calls:
        with pytest.raises(StreamTruncatedError) as caught:
            call()
        assert isinstance(caught.value.__cause__, APIConnectionError)
        assert caught.value.text == "half"
