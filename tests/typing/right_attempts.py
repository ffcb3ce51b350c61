"""Lines of users' code about retries, fallbacks, bindings and histories: a type checker accepts them all."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from millstream import OpenAI
from millstream.chat_history import InMemoryChatMessageHistory
from millstream.messages import BaseMessage
from millstream.runnables import (
    ConfigurableField,
    Runnable,
    RunnableLambda,
    RunnableSerializable,
    RunnableWithMessageHistory,
    Stream,
)
from millstream.runnables.listeners import Run
from millstream.runnables.retry import ExponentialJitterParams

llm = OpenAI()


def length(text: str) -> int:
    return len(text)


counted = RunnableLambda(length)
params: ExponentialJitterParams = {"initial": 0.5, "max": 10}
retried = counted.with_retry(
    retry_if_exception_type=(ValueError,), exponential_jitter_params=params, stop_after_attempt=5
)
assert_type(retried, Runnable[str, int])
assert_type(counted.with_retry(retry_if_exception_type=lambda error: True), Runnable[str, int])
assert_type(retried.invoke("x"), int)
assert_type(retried.stream("x"), Stream[int])
fallbacks = counted.with_fallbacks([retried], exceptions_to_handle=(KeyError, OSError))
counted.with_fallbacks([str.strip, {"a": retried}])
assert_type(fallbacks, Runnable[str, int])
assert_type(llm.with_fallbacks([OpenAI(model="b")]).invoke("x"), str)


def note(run: Run) -> None:
    assert_type(run.name, str)
    assert_type(run.error, str | None)
    assert_type(run.inputs, dict[str, Any])


async def anote(run: Run) -> None:
    note(run)


assert_type(counted.with_listeners(on_start=note, on_error=note), Runnable[str, int])
assert_type(counted.with_alisteners(on_end=anote), Runnable[str, int])
assert_type(counted.with_types(input_type=str), Runnable[str, int])

assert_type(counted.batch_as_completed(["x"]), Iterator[tuple[int, int]])
assert_type(counted.batch_as_completed(["x"], return_exceptions=True), Iterator[tuple[int, int | Exception]])
assert_type(counted.abatch_as_completed(["x"]), AsyncIterator[tuple[int, int]])
assert_type(counted.abatch_as_completed(["x"], return_exceptions=True), AsyncIterator[tuple[int, int | Exception]])

configurable = llm.configurable_fields(temperature=ConfigurableField(id="heat", name="Heat"))
assert_type(configurable.invoke("x", {"configurable": {"heat": 0.5}}), str)
alternatives = llm.configurable_alternatives(ConfigurableField(id="llm"), other=OpenAI(model="b"), made=OpenAI)
assert_type(alternatives.invoke("x"), str)
serializable: RunnableSerializable[Any, str] = alternatives

histories: dict[str, InMemoryChatMessageHistory] = {}
chain = RunnableWithMessageHistory(llm, lambda session_id: histories[session_id], input_messages_key="question")
chain.invoke({"question": "x"}, {"configurable": {"session_id": "1"}})
assert_type(histories["1"].messages, list[BaseMessage])
