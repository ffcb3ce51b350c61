"""Any composition of branches, left at any place in any way: each run has one end, and no chain has an error."""

import asyncio
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leaving import leave, logs_of_cancelled_stream, logs_of_left_stream
from millstream.output_parsers import StrOutputParser
from millstream.runnables import RunnableBranch, RunnableLambda, RunnableParallel, RunnablePassthrough, RunnablePick
from recording import handlers
from run_ends import check, has_ended
from test_any_chain_left import PROMPT, Async, Sync, aletters, letters, many_handlers, places
from user_code import Shouting


def letterwise(chunks: Any) -> Any:
    for chunk in chunks:
        yield from chunk


async def aletterwise(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in chunk:
            await asyncio.sleep(0)
            yield letter


def _model(kind: Any) -> Any:
    return RunnableLambda(lambda value: {"text": str(value)}) | PROMPT | kind()


STEPS: dict[str, Any] = {
    "parser": lambda kind: StrOutputParser(),
    "our own branches": lambda kind: RunnableParallel(a=StrOutputParser(), b=RunnablePassthrough()).pick("a"),
    "one branch": lambda kind: RunnableParallel(a=RunnableLambda(letters, aletters)).pick("a"),
    "functions": lambda kind: RunnableParallel(a=str.lower, b=RunnableLambda(letters, aletters)).pick("b"),
    "models": lambda kind: RunnableParallel(a=_model(kind), b=_model(kind), c=Shouting()).pick("a"),
    "assign": lambda kind: {"a": StrOutputParser()} | RunnablePassthrough.assign(b=str) | RunnablePick("b"),
    "assign our own": lambda kind: (
        {"a": StrOutputParser()} | RunnablePassthrough.assign(b=RunnablePick("a")) | RunnablePick("b")
    ),
    "branch": lambda kind: RunnableBranch((lambda text: len(text) > 3, RunnableLambda(letters, aletters)), str.lower),
    "branch to a model": lambda kind: RunnableBranch((bool, _model(kind)), str.lower),
}

chains = st.tuples(st.sampled_from([Sync, Async]), st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=3))


def made(chain: Any, log: list[Any], kinds: list[Any], second: list[Any]) -> tuple[Any, Any]:
    """Return the chain, and a configuration with handlers of these kinds, each with its log."""
    kind, steps = chain
    built = PROMPT | kind()
    for step in steps:
        built = built | STEPS[step](kind)
    callbacks = [each(second if place else log, run_inline=True)[1] for place, each in enumerate(kinds)]
    return built, {"callbacks": callbacks}


@settings(max_examples=60, deadline=None)
@given(chain=chains, place=places, how=st.sampled_from(["break", "close", "raise"]))
def test_a_sync_stream(chain: Any, place: int, how: str) -> None:
    log: list[Any] = []
    built, config = made(chain, log, [handlers], [])
    leave(built, config, place, how)
    # A thread whose step runs ends after that step.
    while not has_ended(log):
        time.sleep(0.001)
    check(log, waits=False)


@settings(max_examples=60, deadline=None)
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
    check(log, waits=False)
    check(second, waits=False)


@settings(max_examples=60, deadline=None)
@given(chain=chains, kinds=many_handlers, turns=st.integers(0, 60), times=st.integers(1, 2), events=st.booleans())
def test_a_stream_that_is_cancelled(chain: Any, kinds: list[Any], turns: int, times: int, events: bool) -> None:
    def make(log: list[Any], second: list[Any]) -> tuple[Any, Any]:
        return made(chain, log, kinds, second)

    for one in logs_of_cancelled_stream(make, turns, times, events=events):
        check(one, cancelled=times, waits=False)
