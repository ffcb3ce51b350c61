"""The runs of chains that are left: each has one end, from the inside out, and nothing of them reaches the consumer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chains import chain_of
from endings import read_into
from leaving import cancel_after
from millstream._context import var_child_runnable_config
from millstream.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from millstream.output_parsers import StrOutputParser
from millstream.outputs import GenerationChunk
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import MockServer
from recording import ahandlers, handlers
from user_code import Base, Shouting, consume, run, settled

pytestmark = pytest.mark.usefixtures("without_the_collector")

INPUT = {"text": "p"}
PROMPT = PromptTemplate.from_template("{text}")


class Waits(Base):
    """A user's model that waits behind its second chunk."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        try:
            yield GenerationChunk("a")
            yield GenerationChunk("b")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.log.append("closed")


def ends(log: list[Any]) -> dict[Any, list[str]]:
    """Return the calls for each run beside its start, by their names."""
    calls: dict[Any, list[str]] = {}
    for _, event, _, kwargs in log:
        if event.endswith("_start"):
            calls[kwargs["run_id"]] = []
        elif event.endswith(("_end", "_error")):
            calls[kwargs["run_id"]].append(event)
    return calls


def users_chain(log: list[Any], notified: list[Any], kind: Any) -> Any:
    chain = PROMPT | Waits(log=log) | StrOutputParser() | Shouting()
    return chain.with_config(callbacks=[kind(notified, run_inline=True)[1]])


@pytest.mark.parametrize("kind", [handlers, ahandlers])
@pytest.mark.parametrize("turns", range(0, 40, 3))
@pytest.mark.parametrize("times", [1, 3])
def test_every_run_has_one_end_wherever_it_is_cancelled(kind: Any, turns: int, times: int) -> None:
    log: list[Any] = []
    notified: list[Any] = []

    async def main() -> None:
        assert await cancel_after(read_into([], users_chain(log, notified, kind).astream(INPUT)), turns, times)
        await settled(lambda: all(ends(notified).values()))

    run(main)
    assert all(len(calls) == 1 for calls in ends(notified).values())


@pytest.mark.parametrize("events", [False, True])
def test_runs_end_from_the_inside_out(events: bool) -> None:
    log: list[Any] = []
    notified: list[Any] = []

    async def main() -> None:
        chain = users_chain(log, notified, handlers)
        stream: Any = chain.astream_events(INPUT) if events else chain.astream(INPUT)
        async with stream:
            async for item in stream:
                if item == "B" or (events and item["data"].get("chunk") == "B"):
                    break
        assert log == ["closed"]

    run(main)
    starts = [kwargs["run_id"] for _, event, _, kwargs in notified if event.endswith("_start")]
    ended = [kwargs["run_id"] for _, event, _, kwargs in notified if event.endswith(("_end", "_error"))]
    # The prompt has ended; then the model, the two parsers, the sequence.
    assert ended == [starts[1], starts[2], starts[3], starts[4], starts[0]]
    assert all(len(calls) == 1 for calls in ends(notified).values())


def test_sync_runs_end_from_the_inside_out() -> None:
    class Streams(Base):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            try:
                for text in "abc":
                    yield GenerationChunk(text)
            finally:
                self.log.append("closed")

    log: list[Any] = []
    notified: list[Any] = []
    chain = PROMPT | Streams(log=log) | StrOutputParser()
    for _ in chain.stream(INPUT, {"callbacks": [handlers(notified)[1]]}):
        break
    assert log == ["closed"]
    starts = [kwargs["run_id"] for _, event, _, kwargs in notified if event.endswith("_start")]
    ended = [kwargs["run_id"] for _, event, _, kwargs in notified if event.endswith(("_end", "_error"))]
    assert ended == [starts[1], starts[2], starts[3], starts[0]]


class Raising(BaseCallbackHandler):
    """Raises in one of its methods."""

    raise_error = True
    run_inline = True

    def __init__(self, event: str) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise LookupError(event)

        setattr(self, event, fail)


@pytest.mark.parametrize("event", ["on_chain_start", "on_llm_start", "on_chain_end", "on_llm_end"])
@pytest.mark.parametrize("for_async", [False, True])
def test_a_handlers_error_ends_every_run_and_closes(event: str, for_async: bool) -> None:
    notified: list[Any] = []
    with MockServer() as server:
        chain = chain_of(server).with_config(callbacks=[handlers(notified, run_inline=True)[1], Raising(event)])

        async def main() -> None:
            await read_into([], chain.astream(INPUT))

        with pytest.raises(LookupError, match=event):
            run(main) if for_async else list(chain.stream(INPUT))
        assert all(len(calls) == 1 for calls in ends(notified).values())
        assert ends(notified)


def test_variables_of_a_step_do_not_reach_the_consumer() -> None:
    def noting(text: str) -> str:
        assert var_child_runnable_config.get() is not None
        return text

    async def main() -> None:
        chain = PROMPT | Base() | StrOutputParser() | RunnableLambda(noting)
        async for _ in chain.astream(INPUT):
            assert var_child_runnable_config.get() is None
        async for _ in chain.astream_events(INPUT):
            assert var_child_runnable_config.get() is None
        for _ in chain.stream(INPUT):
            assert var_child_runnable_config.get() is None

    run(main)


def test_what_a_function_leaves_open_across_its_yields_does_not_reach_the_consumer() -> None:
    async def holding(text: str) -> AsyncIterator[str]:
        async with asyncio.timeout(0.01):
            yield text
            await asyncio.Event().wait()

    async def inputs() -> AsyncIterator[str]:
        yield "a"

    step = RunnableLambda(holding)
    config: Any = {"callbacks": [handlers([])[1]]}
    streams: list[Any] = [
        lambda: step.astream("a"),
        lambda: step.atransform(inputs()),
        lambda: (step | step).astream("a", config),
        lambda: (step | StrOutputParser()).astream("a"),
        lambda: (step | Shouting()).atransform(inputs()),
        lambda: step.with_config(tags=["t"]).astream_events("a"),
        lambda: (step | StrOutputParser()).astream_events("a"),
        lambda: RunnableLambda(lambda text: step).astream("a"),
    ]

    async def main() -> None:
        for make in streams:
            with pytest.raises(TimeoutError):
                await consume(make(), [], 0.02)

    run(main)


def test_a_timeout_left_open_that_ends_while_the_next_step_starts_reaches_the_function() -> None:
    class Waiting(AsyncCallbackHandler):
        """Waits in the start of the second step for as long as nothing cancels it."""

        async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            if "seq:step:2" in kwargs["tags"]:
                await asyncio.Event().wait()

    caught: list[str] = []

    async def holding(text: str) -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(0.01):
                yield text
        except TimeoutError as error:
            caught.append(type(error).__name__)
            raise

    async def main() -> None:
        step = RunnableLambda(holding)
        with pytest.raises(TimeoutError):
            await consume((step | step).astream("a", {"callbacks": [Waiting()]}), [], 0)

    run(main)
    assert caught == ["TimeoutError"]
