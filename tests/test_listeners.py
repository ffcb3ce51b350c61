"""Listeners of runs, beside LangChain's: who is called, when, and with which run."""

import asyncio
from typing import Any

import langchain_core.language_models as their_models
import langchain_core.runnables as theirs
import pytest

import millstream.language_models as our_models
import millstream.runnables as ours
from millstream.runnables.listeners import Run

Calls = list[tuple[Any, ...]]


def describe(run: Any) -> tuple[Any, ...]:
    """Return what both libraries say of a run."""
    error = run.error and run.error.splitlines()[0]
    children = [describe(child) for child in run.child_runs]
    ended = run.end_time is not None and run.end_time >= run.start_time
    return run.name, run.run_type, run.inputs, run.outputs, error, run.tags, run.metadata, ended, children


def listeners(calls: Calls, *, is_async: bool) -> dict[str, Any]:
    def note(place: str) -> Any:
        def sync_listener(run: Any, config: Any) -> None:
            calls.append((place, describe(run), sorted(config.get("tags", ()))))

        async def async_listener(run: Any, config: Any) -> None:
            await asyncio.sleep(0)
            sync_listener(run, config)

        return async_listener if is_async else sync_listener

    return {place: note(place) for place in ("on_start", "on_end", "on_error")}


def fail(text: str) -> str:
    raise ValueError(text)


def compose(library: Any, models: Any, shape: str, calls: Calls, *, is_async: bool) -> Any:
    parts = {
        "function": lambda: library.RunnableLambda(str.upper),
        "failure": lambda: library.RunnableLambda(fail),
        "sequence": lambda: library.RunnableLambda(str.upper) | library.RunnableLambda(len),
        "failing sequence": lambda: library.RunnableLambda(str.upper) | library.RunnableLambda(fail),
        "dict": lambda: library.RunnableLambda(lambda text: {"text": text}),
        "model": lambda: models.FakeListLLM(responses=["a"]),
    }
    bind = "with_alisteners" if is_async else "with_listeners"
    listening = getattr(parts[shape](), bind)(**listeners(calls, is_async=is_async))
    return listening.with_config({"tags": ["bound"], "metadata": {"key": 1}})


def call(chain: Any, how: str) -> None:
    config = {"tags": ["call"]}
    try:
        if how == "invoke":
            chain.invoke("x", config)
        elif how == "ainvoke":
            asyncio.run(chain.ainvoke("x", config))
        elif how == "stream":
            list(chain.stream("x", config))
        elif how == "batch":
            chain.batch(["x", "y"], {**config, "max_concurrency": 1}, return_exceptions=True)
        else:

            async def read() -> None:
                _ = [chunk async for chunk in chain.astream("x", config)]

            asyncio.run(read())
    except ValueError:
        pass


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream", "batch"])
@pytest.mark.parametrize("shape", ["function", "failure", "sequence", "failing sequence", "dict"])
def test_listeners_receive_the_runs_that_langchain_s_do(shape: str, how: str, is_async: bool) -> None:
    found: list[Calls] = []
    for library, models in ((ours, our_models), (theirs, their_models)):
        calls: Calls = []
        call(compose(library, models, shape, calls, is_async=is_async), how)
        found.append(calls)
    if is_async and how in ("invoke", "stream", "batch"):
        # LangChain starts the coroutines of a sync run in a thread.
        found = [sorted(calls, key=str) for calls in found]
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize("library", [ours, theirs])
def test_a_run_has_its_place_in_the_trace(library: Any) -> None:
    ends: list[Any] = []
    chain = library.RunnableLambda(str.strip) | library.RunnableLambda(str.upper)
    chain.with_listeners(on_end=lambda run: ends.append(run)).invoke(" x ")
    (run,) = ends
    assert run.trace_id == run.id
    assert run.dotted_order == f"{run.start_time:%Y%m%dT%H%M%S%fZ}{run.id}"
    for child in run.child_runs:
        assert child.trace_id == run.id
        assert child.dotted_order == f"{run.dotted_order}.{child.start_time:%Y%m%dT%H%M%S%fZ}{child.id}"
        assert child.parent_run_id == run.id


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
def test_the_run_of_a_model_has_its_prompts_and_its_generations(how: str) -> None:
    calls: Calls = []
    call(compose(ours, our_models, "model", calls, is_async=False), how)
    (start, begun, _), (end, ended, _) = calls
    assert (start, begun[0], begun[1], begun[2]) == ("on_start", "FakeListLLM", "llm", {"prompts": ["x"]})
    assert (end, ended[3]["generations"][0][0]["text"]) == ("on_end", "a")


def test_a_listener_of_a_binding_is_kept_when_more_is_bound() -> None:
    names: list[str] = []
    listening = ours.RunnableLambda(str.upper).with_listeners(on_start=lambda run: names.append(run.name))
    for chain in (
        listening,
        listening.bind(),
        listening.with_config(tags=["t"]),
        listening.with_types(input_type=str),
        listening.with_listeners(on_end=lambda run: None),
    ):
        names.clear()
        assert chain.invoke("x") == "X"
        assert names == ["upper"]


def test_an_exception_of_a_listener_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: Run) -> None:
        raise ValueError(run.name)

    assert ours.RunnableLambda(str.upper).with_listeners(on_start=refuse).invoke("x") == "X"
    assert "RootListener.on_chain_start callback: ValueError('upper')" in caplog.text


def test_a_child_run_with_its_parent_s_id_does_not_end_the_parent() -> None:
    ends: list[Run] = []

    def call_with_same_id(text: str, config: Any) -> str:
        inner: Any = ours.RunnableLambda(str.upper)
        return str(inner.invoke(text, {**config, "run_id": config["callbacks"].parent_run_id}))

    outer = ours.RunnableLambda(call_with_same_id)
    assert outer.with_listeners(on_end=ends.append).invoke("x") == "X"
    (run,) = ends
    assert run.name == "call_with_same_id"
    assert [child.name for child in run.child_runs] == ["upper"]
