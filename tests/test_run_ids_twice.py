"""A run id that a user gives to two runs, or the one of a parent run, never stops anything."""

import asyncio
from typing import Any

import pytest

from millstream.language_models import FakeListChatModel, FakeListLLM
from millstream.runnables import RunnableLambda
from recorded_runs import RunNotes

llm = FakeListLLM(responses=["ab"])
INNER: dict[str, Any] = {
    "llm": llm,
    "chat model": FakeListChatModel(responses=["ab"]),
    "function": RunnableLambda(str.upper),
    "sequence": llm | RunnableLambda(str.upper),
    "retried": llm.with_retry(),
    "fallbacks": RunnableLambda(len).with_fallbacks([llm]),
    "parallel": RunnableLambda(str.upper) | {"a": llm, "b": RunnableLambda(len)},
    "bound": llm.with_config(tags=["t"]),
    "listened to": llm.with_listeners(on_end=lambda run: None),
}
OUTER: dict[str, Any] = {
    "alone": lambda step: step,
    "in a sequence": lambda step: RunnableLambda(str.lower) | step,
    "retried": lambda step: step.with_retry(),
    "with fallbacks": lambda step: step.with_fallbacks([step]),
    "in a dict": lambda step: {"key": step} | RunnableLambda(str),
}


def calling(inner: Any, how: str, ids: list[Any]) -> Any:
    """Return a step that calls ``inner`` with the id of its own run."""

    async def call(text: str, config: Any) -> Any:
        same = {**config, "run_id": config["callbacks"].parent_run_id}
        ids.append(same["run_id"])
        if how == "ainvoke":
            return str(await inner.ainvoke(text, same))
        if how == "invoke":
            return str(inner.invoke(text, same))
        if how == "astream":
            return str([chunk async for chunk in inner.astream(text, same)])
        if how == "abatch":
            return str(await inner.abatch([text, text], [same, same]))
        return str([event["event"] async for event in inner.astream_events(text, same, version="v2")])

    return RunnableLambda(call)


@pytest.mark.parametrize("how", ["ainvoke", "invoke", "astream", "abatch", "astream_events"])
@pytest.mark.parametrize("inner", INNER)
def test_a_child_run_may_have_its_parent_s_id(inner: str, how: str) -> None:
    async def events_of(chain: Any, version: Any) -> list[Any]:
        return [event async for event in chain.astream_events("p", version=version)]

    for wrap in OUTER.values():
        ids: list[Any] = []
        chain = wrap(calling(INNER[inner], how, ids))
        for version in ("v1", "v2"):
            events = asyncio.run(events_of(chain, version))
            assert events[0]["event"] == "on_chain_start"
            assert events[-1]["event"] == "on_chain_end"
            assert events[0]["run_id"] == events[-1]["run_id"]
            for event in events:
                assert len(event["parent_ids"]) == len(set(event["parent_ids"]))
        notes = RunNotes()
        asyncio.run(chain.ainvoke("p", {"callbacks": [notes]}))
        assert notes.open == []
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("inner", INNER)
def test_two_runs_may_have_one_id(inner: str) -> None:
    from uuid import uuid4

    config: Any = {"run_id": uuid4(), "callbacks": [notes := RunNotes()]}
    step = INNER[inner]
    first, second = step.batch(["p", "p"], [config, config])
    assert first == second
    assert step.invoke("p", config) == first
    assert list(step.stream("p", config))
    assert notes.open == []
