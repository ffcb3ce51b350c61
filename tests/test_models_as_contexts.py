"""``close``, ``aclose``, ``with`` and ``async with`` of models: only idle connections are closed."""

import asyncio
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream.testing import VERSE, MockServer, Reply, Stall
from millstream.testing.memory import MemoryTransport

MODELS = pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
TRANSPORTS = pytest.mark.parametrize("transport", ["native", "httpx2"])


def text(chunks: list[Any]) -> str:
    return "".join(chunk if isinstance(chunk, str) else chunk.content for chunk in chunks)


@MODELS
@TRANSPORTS
def test_the_end_of_with_closes_the_idle_connection(cls: type[Any], transport: str, mock_server: MockServer) -> None:
    with cls(base_url=mock_server.url, api_key="k", transport=transport) as model:
        assert isinstance(model, cls)
        assert text(list(model.stream("p"))) == "".join(VERSE)
        assert mock_server.connections.closed == 0
    assert mock_server.wait_closed().closed_by == "client"
    # The model is still usable.
    model.invoke("p")
    assert mock_server.connections.opened == 2
    model.close()
    mock_server.wait_closed(2)
    model.close()


@MODELS
@TRANSPORTS
def test_the_end_of_async_with_closes_the_connections_of_the_loop(
    cls: type[Any], transport: str, mock_server: MockServer
) -> None:
    async def main() -> None:
        async with cls(base_url=mock_server.url, api_key="k", transport=transport) as model:
            await asyncio.gather(model.ainvoke("p"), model.ainvoke("q"))
            assert mock_server.connections.closed == 0
        await mock_server.await_until(lambda: mock_server.connections.closed == 2)
        assert text([chunk async for chunk in model.astream("p")]) == "".join(VERSE)
        await model.aclose()
        await mock_server.await_closed(3)

    asyncio.run(main())


@TRANSPORTS
def test_a_running_stream_is_not_affected(transport: str) -> None:
    with MockServer(Reply(fault=Stall(after=1))) as server:
        model = OpenAI(base_url=server.url, api_key="k", transport=transport)
        stream = model.stream("p")
        first = next(stream)
        model.close()
        server.release()
        assert first + "".join(stream) == "".join(VERSE)
        model.close()


def test_a_client_passed_as_an_argument_is_not_closed() -> None:
    class Noting(MemoryTransport):
        def close(self) -> None:
            raise AssertionError

    with OpenAI(api_key="k", base_url="http://host:1/v1", http_client=Noting([b"data: [DONE]\n\n"])) as model:
        assert model.http_client.opened == 0
