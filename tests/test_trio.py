"""Models and chains of our own parts run under trio, over httpx2."""

from typing import Any

import pytest
import trio

from endings import aread
from langchain_peer import KEY
from millstream import OpenAI
from millstream.callbacks import AsyncCallbackHandler
from millstream.errors import APITimeoutError, StreamStalledError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableGenerator, RunnableLambda, RunnableParallel
from millstream.testing import VERSE, ErrorStatus, MockServer, Reply, Stall

pytestmark = pytest.mark.usefixtures("patient")
over_both = pytest.mark.parametrize("transport", ["auto", "httpx2"])


def model(server: MockServer, transport: str, **arguments: Any) -> OpenAI:
    return OpenAI(base_url=server.url, api_key=KEY, transport=transport, **arguments)


@over_both
def test_streams_share_a_connection_that_ends_with_the_run(mock_server: MockServer, transport: str) -> None:
    async def main() -> None:
        for _ in range(3):
            assert await aread(model(mock_server, transport).astream("p")) == list(VERSE)
        assert await model(mock_server, transport).ainvoke("p") == "".join(VERSE)

    for runs in (1, 2):
        trio.run(main)
        mock_server.wait_until(lambda: mock_server.connections.open == 0)
        assert mock_server.connections.opened == runs


@over_both
def test_chains_events_records_and_async_handlers_run(mock_server: MockServer, transport: str) -> None:
    tokens: list[str] = []

    class Handler(AsyncCallbackHandler):
        async def on_llm_new_token(self, token: str, **_: Any) -> None:
            tokens.append(token)

    async def main() -> None:
        llm = model(mock_server, transport)
        chain = PromptTemplate.from_template("{a}") | llm | StrOutputParser()
        assert await aread(chain.astream({"a": "p"}, config={"callbacks": [Handler()]})) == list(VERSE)
        events = await aread(chain.astream_events({"a": "p"}, version="v2"))
        assert events[-1]["event"] == "on_chain_end"
        assert b"".join(await aread(llm.astream_records("p"))).endswith(b"event: end\n\n")
        assert await llm.abatch(["p"]) == ["".join(VERSE)]

    trio.run(main)
    assert tokens == list(VERSE)


@over_both
def test_a_stream_that_is_left_or_cancelled_closes_its_connection(mock_server: MockServer, transport: str) -> None:
    mock_server.reply = Reply(fault=Stall(after=3))

    async def main() -> None:
        stream = model(mock_server, transport).astream("p")
        assert await anext(stream) == VERSE[0]
        await stream.aclose()
        with trio.move_on_after(0.2):
            await aread(model(mock_server, transport).astream("p"))
        while mock_server.connections.open:  # noqa: ASYNC110
            await trio.sleep(0.001)

    trio.run(main)


@over_both
def test_timeouts_and_retries_are_kept(mock_server: MockServer, transport: str) -> None:
    async def main() -> None:
        with pytest.raises(StreamStalledError):
            await aread(model(mock_server, transport, stream_chunk_timeout=0.1).astream("p"))
        mock_server.reply = Reply(fault=Stall(after=-1))
        with pytest.raises(APITimeoutError):
            await aread(model(mock_server, transport, timeout=0.1, max_retries=0).astream("p"))
        mock_server.reply = Reply()
        mock_server.script.append(Reply(fault=ErrorStatus(503)))
        assert await aread(model(mock_server, transport).astream("p")) == list(VERSE)

    mock_server.reply = Reply(fault=Stall(after=3))
    trio.run(main)


async def atwice(chunks: Any) -> Any:
    async for chunk in chunks:
        yield chunk * 2


FUNCTION: Any = RunnableLambda(lambda value: value)
GENERATOR: Any = RunnableGenerator(atwice)
CALLS: dict[str, Any] = {
    "a function": lambda: FUNCTION.ainvoke(1),
    "branches": lambda: RunnableParallel(a=FUNCTION, b=FUNCTION).ainvoke(1),
    "a generator": lambda: aread(GENERATOR.astream(1)),
    "a stream of branches": lambda: aread(RunnableParallel(a=GENERATOR).astream(1)),
    "events": lambda: aread(FUNCTION.astream_events(1, version="v2")),
    "a log": lambda: aread(FUNCTION.astream_log(1)),
}


@pytest.mark.parametrize("name", CALLS)
def test_steps_that_need_asyncio_say_so(name: str) -> None:
    with pytest.raises(RuntimeError, match="needs a running asyncio event loop"):
        trio.run(CALLS[name])
