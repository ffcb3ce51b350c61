"""The calls of handlers for streams that their consumer leaves: for a chain that is an end, for a model an error."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import chained, function, model, parser, prompt
from endings import read_into
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI
from millstream.output_parsers import StrOutputParser
from millstream.outputs import GenerationChunk
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from millstream.runnables.fusion.chunks import Fused
from millstream.testing import VERSE, MockServer
from recording import AstreamBody, StreamBody, ahandlers, handlers
from user_code import Base, Shouting, run, settled

INPUT = {"text": "p"}
PROMPT = PromptTemplate.from_template("{text}")
SO_FAR = "".join(VERSE[:2])


class Waits(Base):
    """A user's model that waits behind its second chunk."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        yield GenerationChunk(VERSE[0])
        yield GenerationChunk(VERSE[1])
        await asyncio.Event().wait()

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
        for piece in VERSE:
            yield GenerationChunk(piece)


CHAINS: dict[str, Any] = {
    "ours": lambda url: PROMPT | OpenAI(base_url=url, api_key=KEY) | StrOutputParser(),
    "chat": lambda url: PROMPT | ChatOpenAI(base_url=url, api_key=KEY) | StrOutputParser(),
    "a user's parser": lambda url: PROMPT | OpenAI(base_url=url, api_key=KEY) | Shouting(),
    "a user's model": lambda url: PROMPT | Waits() | StrOutputParser() | Shouting(),
    "a chain in a chain": lambda url: PROMPT | (Waits() | StrOutputParser()).with_config(run_name="in") | Shouting(),
    "a function that returns a chain": lambda url: RunnableLambda(lambda _: PROMPT | Waits() | StrOutputParser()),
}
chains = pytest.mark.parametrize("chain", CHAINS)
kinds = pytest.mark.parametrize("kind", [handlers, ahandlers])


def ends_of(log: list[Any]) -> list[Any]:
    """Return how the runs ended that did not end well before the stream was left, in their order."""
    ends: list[Any] = []
    for _, event, args, kwargs in log:
        if event == "on_llm_error":
            ends.append((event, type(args[0]).__name__, kwargs["response"].generations[0][0].text))
        elif event == "on_chain_error":
            ends.append((event, type(args[0]).__name__))
        elif event == "on_chain_end" and isinstance(args[0], str):
            ends.append((event, args[0].lower()))
    return ends


def read_some(stream: Any) -> None:
    """Read until two pieces have come, and break."""
    text = ""
    for chunk in stream:
        text += chunk
        if text.lower() == SO_FAR.lower():
            break


async def aread_some(stream: Any) -> None:
    """Read until two pieces have come, and break."""
    text = ""
    async for chunk in stream:
        text += chunk
        if text.lower() == SO_FAR.lower():
            break


def each_has_one_end(log: list[Any]) -> bool:
    starts = [kwargs["run_id"] for _, event, _, kwargs in log if event.endswith("_start")]
    ends = [kwargs["run_id"] for _, event, _, kwargs in log if event.endswith(("_end", "_error"))]
    return bool(starts) and sorted(starts) == sorted(ends)


def is_left_well(log: list[Any], *, so_far: str = SO_FAR) -> bool:
    """Return whether the model's run ended first, with an error, and then the others, with what they had handed out."""
    first, *others = ends_of(log)
    ends = set(others) == {("on_chain_end", so_far.lower())}
    return each_has_one_end(log) and first == ("on_llm_error", "GeneratorExit", so_far) and ends


# By break and close.


@chains
@pytest.mark.parametrize("how", ["break", "close", "with"])
def test_a_sync_chain_that_is_left_ends_with_what_was_handed_out(chain: str, how: str, server: MockServer) -> None:
    log: list[Any] = []
    stream = CHAINS[chain](server.url).stream(INPUT, {"callbacks": [handlers(log)[1]]})
    if how == "with":
        with stream:
            read_some(stream)
    else:
        read_some(stream)
        if how == "close":
            stream.close()
        else:
            del stream
    assert is_left_well(log)


@chains
@kinds
@pytest.mark.parametrize("how", ["break", "aclose", "with"])
def test_an_async_chain_that_is_left_ends_with_what_was_handed_out(
    chain: str, kind: Any, how: str, server: MockServer
) -> None:
    log: list[Any] = []

    async def main() -> None:
        stream = CHAINS[chain](server.url).astream(INPUT, {"callbacks": [kind(log, run_inline=True)[1]]})
        if how == "with":
            async with stream:
                await aread_some(stream)
            return
        await aread_some(stream)
        if how == "aclose":
            await stream.aclose()
        else:
            del stream
            await settled(lambda: each_has_one_end(log) and asyncio.all_tasks() == {asyncio.current_task()})

    run(main)
    assert is_left_well(log)


@chains
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("records", [False, True])
def test_events_that_are_left_are_no_cancellation_to_the_chain(
    chain: str, version: str, records: bool, server: MockServer
) -> None:
    """What makes events runs ahead of them: here it waits for the third chunk when it is left."""
    log: list[Any] = []

    async def main() -> None:
        config: Any = {"callbacks": [handlers(log, run_inline=True)[1]]}
        made = CHAINS[chain](server.url)
        stream: Any = made.astream_records(INPUT, config, version=version)
        if not records:
            stream = made.astream_events(INPUT, config, version=version)
        async with stream:
            async for item in stream:
                if (b"on_chain_stream" in item) if records else (item["event"] == "on_chain_stream"):
                    break

    run(main)
    assert each_has_one_end(log)
    assert [end[:2] for end in ends_of(log) if "error" in end[0]] == [("on_llm_error", "GeneratorExit")]
    assert any(event == "on_chain_end" and args[0] for _, event, args, _ in log)


def test_a_function_that_runs_when_its_events_are_left_ends_with_nothing() -> None:
    log: list[Any] = []

    async def hangs(text: str) -> str:
        await asyncio.Event().wait()
        return text

    async def main() -> None:
        chain = RunnableLambda(lambda text: text, name="first") | RunnableLambda(hangs)
        async with chain.astream_events("p", {"callbacks": [handlers(log, run_inline=True)[1]]}) as events:
            async for event in events:
                if event["name"] == "hangs":
                    break

    run(main)
    assert each_has_one_end(log)
    assert [args[0] for _, event, args, _ in log if event == "on_chain_end"] == ["p", None, None]


def test_a_stream_within_a_stream_that_is_left_ends_in_the_events_of_the_outer_one() -> None:
    async def first_two(text: str) -> str:
        async with (Waits() | StrOutputParser()).astream(text) as stream:
            return "".join([await anext(stream), await anext(stream)])

    async def main() -> list[Any]:
        seen: list[Any] = []
        await read_into(seen, RunnableLambda(first_two).astream_events("p"))
        return seen

    ends = [(event["name"], event["data"]["output"]) for event in run(main) if event["event"].endswith("_end")]
    assert ends == [("StrOutputParser", SO_FAR), ("RunnableSequence", SO_FAR), ("first_two", SO_FAR)]


# By cancellation, which is an error.


@chains
def test_a_chain_that_is_cancelled_ends_with_an_error(chain: str, server: MockServer) -> None:
    log: list[Any] = []

    async def main() -> None:
        two = asyncio.Event()

        async def read() -> None:
            config: Any = {"callbacks": [handlers(log, run_inline=True)[1]]}
            text = ""
            async for chunk in CHAINS[chain](server.url).astream(INPUT, config):
                text += chunk
                if text.lower() == SO_FAR.lower():
                    two.set()

        task = asyncio.create_task(read())
        await two.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    assert each_has_one_end(log)
    first, *others = ends_of(log)
    # A user's parser may be left by the cancellation before its model is: that is closed then.
    assert first[:2] in (("on_llm_error", "CancelledError"), ("on_llm_error", "GeneratorExit"))
    assert set(others) == {("on_chain_error", "CancelledError")}


# After the end.


@chains
@pytest.mark.parametrize("for_async", [False, True])
def test_leaving_at_the_last_chunk_is_an_end_and_after_the_end_it_is_nothing(chain: str, for_async: bool) -> None:
    class Ends(Waits):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            for chunk in self._stream():
                yield chunk

    with MockServer() as server:
        made = CHAINS[chain](server.url) if "user's model" not in chain else PROMPT | Ends() | Shouting()
        if chain in ("a chain in a chain", "a function that returns a chain"):
            made = RunnableLambda(lambda _: PROMPT | Ends() | StrOutputParser())
        log: list[Any] = []
        config: Any = {"callbacks": [handlers(log, run_inline=True)[1]]}

        async def main() -> None:
            async with made.astream(INPUT, config) as stream:
                seen = ""
                async for chunk in stream:
                    seen += chunk
                    if seen.lower() == "".join(VERSE).lower():
                        break
            async with made.astream(INPUT, config) as stream:
                await read_into([], stream)

        if for_async:
            run(main)
        else:
            with made.stream(INPUT, config) as stream:
                seen = ""
                for chunk in stream:
                    seen += chunk
                    if seen.lower() == "".join(VERSE).lower():
                        break
            with made.stream(INPUT, config) as stream:
                list(stream)
        assert each_has_one_end(log)
        assert not [event for _, event, _, _ in log if event == "on_chain_error"]
        ends = {args[0].lower() for _, event, args, _ in log if event == "on_chain_end" and isinstance(args[0], str)}
        assert ends == {"".join(VERSE).lower()}


def test_a_stream_that_failed_is_not_left_a_second_time() -> None:
    log: list[Any] = []

    def fails(text: str) -> Iterator[str]:
        yield text
        raise LookupError

    async def afails(text: str) -> AsyncIterator[str]:
        yield text
        raise LookupError

    config: Any = {"callbacks": [handlers(log, run_inline=True)[1]]}

    async def main() -> None:
        for step in (RunnableLambda(fails), RunnableLambda(afails)):
            async with (step | Shouting()).astream("p", config) as stream:
                assert await anext(stream) == "P"
                with pytest.raises(LookupError):
                    await anext(stream)

    run(main)
    with (RunnableLambda(fails) | Shouting()).stream("p", config) as stream:
        assert next(stream) == "P"
        with pytest.raises(LookupError):
            next(stream)
    assert each_has_one_end(log)
    assert ends_of(log) == [("on_chain_error", "LookupError")] * 9


def test_a_step_that_fails_when_it_is_left_ends_with_its_error() -> None:
    log: list[Any] = []

    def fails(text: str) -> Iterator[str]:
        try:
            yield text
        finally:
            raise LookupError

    stream = RunnableLambda(fails).stream("p", {"callbacks": [handlers(log)[1]]})
    next(stream)
    with pytest.raises(LookupError):
        stream.close()
    assert ends_of(log) == [("on_chain_error", "LookupError")]


# Beside LangChain.

STEPS = (parser(), function(str), function(lambda text: text + "!", name="more"), function(repr, name="shown"))


@settings(max_examples=60, deadline=None)
@given(
    body=st.sampled_from([StreamBody, AstreamBody]),
    steps=st.lists(st.sampled_from(range(len(STEPS))), max_size=3),
    count=st.integers(1, 3),
)
def test_a_sync_chain_of_langchains_that_is_left_has_the_same_ends(body: type, steps: list[int], count: int) -> None:
    """Not in the same order, and without the last chunk: LangChain ends the outer run first, and reads to the end."""
    pairs = chained(prompt(), model(body, size=6), *(STEPS[place] for place in steps))
    ends: list[Any] = []
    for place, chain in enumerate(pairs):
        log: list[Any] = []
        stream = chain.stream({"text": "[1, 2]"}, {"callbacks": [handlers(log)[place]]})
        for _ in range(count):
            next(stream, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream.close()
            del stream
            gc.collect()
        assert each_has_one_end(log)
        ends.append([event for _, event, _, _ in log if event.startswith("on_chain") and event.endswith(("d", "r"))])
    assert ends[1] == ends[0]


@pytest.mark.usefixtures("without_the_collector")
@pytest.mark.parametrize("leaves_early", [False, True])
@pytest.mark.parametrize("events", [False, True])
def test_a_fused_stream_leaves_no_processor_to_the_collector(
    events: bool, leaves_early: bool, mock_server: MockServer
) -> None:
    chain: Any = PROMPT | OpenAI(base_url=mock_server.url, api_key=KEY) | StrOutputParser()

    async def main() -> None:
        stream = chain.astream_events(INPUT) if events else chain.astream(INPUT)
        async with stream:
            async for _ in stream:
                if leaves_early:
                    break
        del stream

    asyncio.run(main())
    assert [one for one in gc.get_objects() if isinstance(one, Fused)] == []
