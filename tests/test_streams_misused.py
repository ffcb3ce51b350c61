"""Streams that are used as what they are not: the error says what to write."""

import asyncio
from collections.abc import AsyncIterable, Awaitable
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda

PROMPT = PromptTemplate.from_template("{text}")
MADE: dict[str, Any] = {
    "a model": OpenAI(base_url="http://127.0.0.1:1/v1", api_key="k"),
    "a chat model": ChatOpenAI(base_url="http://127.0.0.1:1/v1", api_key="k"),
    "a function": RunnableLambda(len),
    "a parser": StrOutputParser(),
    "a chain": PROMPT | OpenAI(base_url="http://127.0.0.1:1/v1", api_key="k"),
    "a bound model": OpenAI(base_url="http://127.0.0.1:1/v1", api_key="k").bind(stop=["x"]),
}
made = pytest.mark.parametrize("what", MADE)


@made
@pytest.mark.parametrize("method", ["astream", "astream_events", "astream_records"])
def test_a_for_loop_over_an_async_stream_is_told_of_async_for(what: str, method: str) -> None:
    with pytest.raises(TypeError, match="write `async for chunk in model.astream"):
        for _ in getattr(MADE[what], method)("p"):
            pass


@made
def test_another_version_of_events_is_refused_awaited_or_read(what: str) -> None:
    def events() -> Any:
        return MADE[what].astream_events("p", version="v4")

    async def awaits() -> None:
        await events()

    async def reads() -> None:
        async for _ in events():
            pass

    for main in (awaits, reads):
        with pytest.raises(NotImplementedError, match='versions of stream events are "v1", "v2" and "v3"'):
            asyncio.run(main())
    with pytest.raises(NotImplementedError, match="not 'v4'"):
        MADE[what].stream_events("p", version="v4")


@made
def test_servers_can_tell_the_two_kinds_of_streams_apart(what: str) -> None:
    """Starlette takes what is ``AsyncIterable`` for async, and others await what can be awaited."""
    sync, of_async = MADE[what].stream("p"), MADE[what].astream("p")
    assert not isinstance(sync, AsyncIterable)
    assert isinstance(of_async, AsyncIterable)
    assert not isinstance(sync, Awaitable)
    assert not isinstance(of_async, Awaitable)
