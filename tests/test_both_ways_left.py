"""Streams of converted Runnables that are left early: the connection is closed at once, in every way of leaving."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, nullcontext, suppress
from typing import Any

import pytest

from both_libraries import ours, theirs
from endings import assert_closed_by_us
from langchain_peer import chat_of, llm_of
from millstream.errors import StreamTruncatedError
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.testing import Cut, MockServer, Reply, Stall, assert_no_leaks
from recording import chat_handlers
from run_ends import alone, has_ended

SHAPES: dict[str, Callable[[Any], Any]] = {
    "model": lambda model: to_langchain(model),
    "chain of text": lambda model: to_langchain(
        ours.ChatPromptTemplate.from_template("{text}") | model | ours.StrOutputParser()
    ),
    "chain of messages": lambda model: to_langchain(ours.ChatPromptTemplate.from_template("{text}") | model),
    "in LangChain's chain": lambda model: (
        theirs.ChatPromptTemplate.from_template("{text}") | to_langchain(model) | theirs.StrOutputParser()
    ),
    "back in ours": lambda model: (
        ours.RunnablePassthrough()
        | from_langchain(theirs.ChatPromptTemplate.from_template("{text}") | to_langchain(model))
        | ours.StrOutputParser()
    ),
}
shapes = pytest.mark.parametrize("shape", SHAPES)
listening = pytest.mark.parametrize("listening", [False, True], ids=["unobserved", "observed"])


class Log(list[Any]):
    """Keeps the names of events alone: an exception would keep the frames that raised it."""

    def append(self, call: Any) -> None:
        super().append((*call[:2], (), {}))


def input_of(shape: str) -> Any:
    return "p" if shape == "model" else {"text": "p"}


# A sync chain of LangChain's own reads on to the end of its input when it is left, whichever model it has.
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "in LangChain's chain"])
@listening
@pytest.mark.parametrize("how", ["close", "drop", "raise"])
def test_a_sync_stream_that_is_left_closes_its_connection(shape: str, how: str, listening: bool) -> None:
    log = Log()
    with MockServer(Reply(fault=Stall(after=3))) as server, chat_of(server, model="m") as model, assert_no_leaks():
        chain, config = SHAPES[shape](model), config_of(log, listening=listening)
        stream = chain.stream(input_of(shape), config)
        with suppress(LookupError):
            for _ in stream:
                if how == "raise":
                    raise LookupError
                break
        if how == "close":
            stream.close()
        del stream
        assert_closed_by_us(server)
    assert has_ended(log)


def config_of(log: list[Any], *, listening: bool) -> Any:
    return {"callbacks": [chat_handlers(log)[0]]} if listening else None


@shapes
@listening
@pytest.mark.parametrize("how", ["aclose", "drop", "raise", "cancel", "cancel while reading"])
def test_an_async_stream_that_is_left_closes_its_connection(shape: str, how: str, listening: bool) -> None:
    log = Log()

    async def read(chain: Any, config: Any, has_begun: asyncio.Event) -> None:
        stream = chain.astream(input_of(shape), config)
        with suppress(LookupError):
            async with aclosing(stream) if how in ("aclose", "cancel") else nullcontext():
                async for _ in stream:
                    has_begun.set()
                    if how == "raise":
                        raise LookupError
                    if how == "cancel":
                        await asyncio.Event().wait()
                    if how != "cancel while reading":
                        break

    async def main() -> None:
        async with (
            MockServer(Reply(fault=Stall(after=3))) as server,
            chat_of(server, model="m") as model,
            assert_no_leaks(),
        ):
            chain, config, has_begun = SHAPES[shape](model), config_of(log, listening=listening), asyncio.Event()
            task = asyncio.create_task(read(chain, config, has_begun))
            await has_begun.wait()
            if how.startswith("cancel"):
                task.cancel()
            await asyncio.wait([task])
            del task
            closed = await server.await_closed(timeout=5)
            assert closed.closed_by == "client"
            await alone(log)

    asyncio.run(main())
    assert has_ended(log)


@shapes
@listening
def test_a_stream_that_is_cut_raises_our_error_and_leaves_nothing(shape: str, listening: bool) -> None:
    log = Log()

    async def main() -> None:
        async with (
            MockServer(Reply(fault=Cut(after=2))) as server,
            chat_of(server, model="m") as model,
            assert_no_leaks(),
        ):
            chain, config = SHAPES[shape](model), config_of(log, listening=listening)
            with pytest.raises(StreamTruncatedError):
                list(chain.stream(input_of(shape), config))
            with pytest.raises(StreamTruncatedError):
                async for _ in chain.astream(input_of(shape), config):
                    pass

    asyncio.run(main())
    assert has_ended(log)


@shapes
def test_a_stream_that_was_read_to_its_end_leaves_nothing(shape: str) -> None:
    async def main() -> None:
        async with MockServer() as server, chat_of(server, model="m") as model:
            chain = SHAPES[shape](model)
            async with assert_no_leaks():
                assert len(list(chain.stream(input_of(shape)))) > 1
                assert len([chunk async for chunk in chain.astream(input_of(shape))]) > 1

    asyncio.run(main())


def test_a_completion_model_that_is_left_closes_its_connection() -> None:
    async def main() -> None:
        async with MockServer(Reply(fault=Stall(after=3))) as server, llm_of(server) as model, assert_no_leaks():
            stream: Any = to_langchain(model).astream("p")
            async for _ in stream:
                break
            await stream.aclose()
            await server.await_closed(timeout=10)

    asyncio.run(main())
