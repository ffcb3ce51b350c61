"""Idle connections do not count as leaks, and can be closed."""

import asyncio
from typing import Any

import pytest

from langchain_peer import KEY
from marks import over_both
from millstream import OpenAI
from millstream.testing import VERSE, MockServer, assert_no_leaks
from millstream.transport.idle import aclose_idle, close_idle


def model(server: MockServer, transport: str) -> OpenAI:
    return OpenAI(base_url=server.url, api_key=KEY, transport=transport)


pytestmark = pytest.mark.usefixtures("patient")


@over_both
def test_a_good_stream_leaves_nothing_behind(mock_server: MockServer, no_leaks: Any, transport: str) -> None:
    assert list(model(mock_server, transport).stream("p")) == list(VERSE)
    assert mock_server.connections.open == 1


@over_both
def test_a_good_async_stream_leaves_nothing_behind(mock_server: MockServer, transport: str) -> None:
    async def main() -> None:
        async with assert_no_leaks():
            assert [chunk async for chunk in model(mock_server, transport).astream("p")] == list(VERSE)

    asyncio.run(main())


@over_both
def test_a_connection_in_use_still_counts(mock_server: MockServer, transport: str) -> None:
    stream = model(mock_server, transport).stream("p")
    with pytest.raises(AssertionError, match=f"connection .* to 127.0.0.1:{mock_server.port}"), assert_no_leaks():
        next(stream)
    stream.close()


@over_both
def test_idle_connections_are_closed_by_origin(mock_server: MockServer, transport: str) -> None:
    with MockServer() as another:
        used = model(mock_server, transport).stream("p")
        next(used)
        list(model(mock_server, transport).stream("p"))
        list(model(another, transport).stream("p"))
        close_idle(mock_server.url)
        # The one that is in use is left alone.
        mock_server.wait_until(lambda: mock_server.connections.open == 1)
        assert another.connections.open == 1
        assert list(used) == list(VERSE)[1:]
        close_idle()
        mock_server.wait_until(lambda: mock_server.connections.open == 0)
        another.wait_closed()


@over_both
def test_idle_connections_of_a_loop_are_closed(mock_server: MockServer, transport: str) -> None:
    async def main() -> None:
        llm = model(mock_server, transport)
        used = llm.astream("p")
        await anext(used)
        [chunk async for chunk in llm.astream("p")]
        await aclose_idle("http://another:1")
        assert mock_server.connections.open == 2
        await aclose_idle(mock_server.url)
        await mock_server.await_until(lambda: mock_server.connections.open == 1)
        assert [chunk async for chunk in used] == list(VERSE)[1:]

    asyncio.run(main())
