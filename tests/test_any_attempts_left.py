"""Retries, fallbacks, bindings and choices in any chain, left at any place in any way: each run has one end."""

import asyncio
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leaving import leave, logs_of_cancelled_stream, logs_of_left_stream
from millstream.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from recording import handlers
from run_ends import check, has_ended
from test_any_chain_left import PROMPT, Async, Sync, aletters, letters, many_handlers, places


class NotYet(Exception):
    """The failure of an attempt."""


def refuse(text: str) -> Any:
    raise NotYet(text)
    yield text


async def arefuse(text: str) -> Any:
    raise NotYet(text)
    yield text


def flaky() -> Any:
    """Return a step that fails in every other call."""
    calls: list[str] = []

    def again(text: str) -> Any:
        calls.append(text)
        return (refuse if len(calls) % 2 else letters)(text)

    async def aagain(text: str) -> Any:
        calls.append(text)
        async for letter in (arefuse if len(calls) % 2 else aletters)(text):
            yield letter

    def whole(text: str) -> Any:
        yield from again(text)

    return RunnableLambda(whole, aagain)


def listened_to(step: Any) -> Any:
    async def alisten(run: Any) -> None:
        await asyncio.sleep(0)

    return step.with_listeners(on_start=lambda run: None, on_end=lambda run: None).with_alisteners(on_end=alisten)


def chosen(step: Any) -> Any:
    lower: Any = RunnablePassthrough() | RunnableLambda(str.lower)
    which = ConfigurableField(id="step")
    both = lower.configurable_alternatives(which, default_key="lower", other=step)
    return both.with_config(configurable={"step": "other"})


QUICK: dict[str, Any] = {"wait_exponential_jitter": False}
STEPS: dict[str, Any] = {
    "retried": lambda: flaky().with_retry(**QUICK),
    "with fallbacks": lambda: RunnableLambda(refuse, arefuse).with_fallbacks([RunnableLambda(letters, aletters)]),
    "both": lambda: RunnableLambda(refuse, arefuse).with_retry(**QUICK).with_fallbacks([flaky().with_retry(**QUICK)]),
    "a chain": lambda: (RunnableLambda(str.lower) | flaky()).with_retry(**QUICK).with_fallbacks([str.upper]),
    "bound": lambda: RunnableLambda(letters, aletters).bind().with_config(run_name="letters", tags=["t"]),
    "listened to": lambda: listened_to(RunnableLambda(letters, aletters)),
    "listened to and retried": lambda: listened_to(flaky()).with_retry(**QUICK),
    "chosen": lambda: chosen(flaky().with_retry(**QUICK)),
}
MODELS: dict[str, Any] = {
    "plain": lambda kind: kind(),
    "retried": lambda kind: kind().with_retry(**QUICK),
    "with fallbacks": lambda kind: kind().with_fallbacks([kind()]),
    "bound": lambda kind: kind().with_retry(**QUICK).with_config(tags=["t"]).with_fallbacks([kind().bind()]),
}

chains = st.tuples(
    st.sampled_from([Sync, Async]),
    st.sampled_from(list(MODELS)),
    st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=3),
)


def made(chain: Any, log: list[Any], kinds: list[Any], second: list[Any]) -> tuple[Any, Any]:
    """Return the chain, and a configuration with handlers of these kinds, each with its log."""
    kind, model, steps = chain
    built = PROMPT | MODELS[model](kind)
    for step in steps:
        built = built | STEPS[step]()
    callbacks = [each(second if place else log, run_inline=True)[1] for place, each in enumerate(kinds)]
    return built, {"callbacks": callbacks}


def without_attempts(log: list[Any]) -> list[Any]:
    """Return the log with the failures of attempts, and of the steps in them, as ends."""

    def end(entry: Any) -> Any:
        name, event, args, kwargs = entry
        is_attempt = event == "on_chain_error" and type(args[0]) is NotYet
        return (name, "on_chain_end", args, kwargs) if is_attempt else entry

    return [end(entry) for entry in log]


@settings(max_examples=60, deadline=None)
@given(chain=chains, place=places, how=st.sampled_from(["break", "close", "raise"]))
def test_a_sync_stream(chain: Any, place: int, how: str) -> None:
    log: list[Any] = []
    built, config = made(chain, log, [handlers], [])
    leave(built, config, place, how)
    while not has_ended(log):
        time.sleep(0.001)
    check(without_attempts(log), waits=False)


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
    check(without_attempts(log), waits=False)
    check(without_attempts(second), waits=False)


@settings(max_examples=60, deadline=None)
@given(chain=chains, kinds=many_handlers, turns=st.integers(0, 60), times=st.integers(1, 2), events=st.booleans())
def test_a_stream_that_is_cancelled(chain: Any, kinds: list[Any], turns: int, times: int, events: bool) -> None:
    def make(log: list[Any], second: list[Any]) -> tuple[Any, Any]:
        return made(chain, log, kinds, second)

    for one in logs_of_cancelled_stream(make, turns, times, events=events):
        check(without_attempts(one), cancelled=times, waits=False)
