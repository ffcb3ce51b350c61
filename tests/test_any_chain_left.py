"""Any chain, left at any place in any way: each run has one end, from the inside out, and no chain has an error."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leaving import leave, logs_of_cancelled_stream, logs_of_left_stream
from millstream.output_parsers import StrOutputParser
from millstream.outputs import GenerationChunk
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from recording import ahandlers, handlers
from run_ends import check
from user_code import Base, Shouting

PROMPT = PromptTemplate.from_template("{text}")
TEXT = "abcdef"


class Sync(Base):
    """Streams for sync code, and by a thread for async code."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
        for letter in TEXT:
            yield GenerationChunk(letter)


class Async(Sync):
    """Streams for both, in many turns of the loop."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        for letter in TEXT:
            await asyncio.sleep(0)
            yield GenerationChunk(letter)


def letters(text: str) -> Iterator[str]:
    yield from text


async def aletters(text: str) -> AsyncIterator[str]:
    for letter in text:
        await asyncio.sleep(0)
        yield letter


STEPS: dict[str, Any] = {
    "parser": StrOutputParser,
    "a user's parser": Shouting,
    "function": lambda: RunnableLambda(str.lower),
    "generator": lambda: RunnableLambda(letters, aletters),
    "bound": lambda: StrOutputParser().with_config(tags=["b"]),
    "chain": lambda: StrOutputParser() | RunnableLambda(letters),
    "returned": lambda: RunnableLambda(lambda _: StrOutputParser() | Shouting()),
}

chains = st.tuples(st.sampled_from([Sync, Async]), st.lists(st.sampled_from(list(STEPS)), max_size=3))
places = st.integers(1, 7)
many_handlers = st.lists(st.sampled_from([handlers, ahandlers]), min_size=1, max_size=2)


def made(chain: Any, log: list[Any], kinds: list[Any], second: list[Any]) -> tuple[Any, Any]:
    """Return the chain, and a configuration with handlers of these kinds, each with its log."""
    model, steps = chain
    built = PROMPT | model()
    for step in steps:
        built = built | STEPS[step]()
    callbacks = [kind(second if place else log, run_inline=True)[1] for place, kind in enumerate(kinds)]
    return built, {"callbacks": callbacks}


@settings(max_examples=80, deadline=None)
@given(chain=chains, kinds=many_handlers, place=places, how=st.sampled_from(["break", "close", "raise"]))
def test_a_sync_stream(chain: Any, kinds: list[Any], place: int, how: str) -> None:
    log: list[Any] = []
    second: list[Any] = []
    built, config = made(chain, log, kinds, second)
    leave(built, config, place, how)
    assert log
    check(log)
    check(second)


@settings(max_examples=80, deadline=None)
@given(
    chain=chains,
    kinds=many_handlers,
    place=places,
    how=st.sampled_from(["break", "aclose", "raise"]),
    events=st.sampled_from([None, "v1", "v2", "records"]),
)
def test_an_async_stream(chain: Any, kinds: list[Any], place: int, how: str, events: str | None) -> None:
    def make(log: list[Any], second: list[Any]) -> tuple[Any, Any]:
        return made(chain, log, kinds, second)

    log, second = logs_of_left_stream(make, place, how, events, in_thread=chain[0] is Sync)
    assert log
    check(log, waits=chain[0] is Async)
    check(second, waits=chain[0] is Async)


@settings(max_examples=80, deadline=None)
@given(chain=chains, kinds=many_handlers, turns=st.integers(0, 60), times=st.integers(1, 2), events=st.booleans())
def test_a_stream_that_is_cancelled(chain: Any, kinds: list[Any], turns: int, times: int, events: bool) -> None:
    def make(log: list[Any], second: list[Any]) -> tuple[Any, Any]:
        return made(chain, log, kinds, second)

    for one in logs_of_cancelled_stream(make, turns, times, events=events):
        check(one, cancelled=times, waits=chain[0] is Async and times == 1)
