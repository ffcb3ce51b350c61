"""Events of runs in runs: models called by users' models, beside LangChain's with callbacks passed by hand."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY, allow_v1, apeer
from marks import versions
from recording import AstreamBody, BrokenBody, CallBody, StreamBody, comparable_calls, handlers, make_model, make_models

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import AsyncCallbackManager as TheirAsyncManager
    from langchain_core.callbacks import CallbackManager as TheirManager
    from langchain_core.callbacks.manager import AsyncCallbackManagerForLLMRun as TheirAsyncRun

from millstream import OpenAI
from millstream.testing import MockServer


def below(run_manager: Any) -> Any:
    """Return the configuration that makes LangChain begin a run below; ours needs none."""
    if not type(run_manager).__module__.startswith("langchain"):
        return None
    manager = TheirAsyncManager if isinstance(run_manager, TheirAsyncRun) else TheirManager
    # What is a run's own does not go down: LangChain hands down the kind of model too, where this is left to it.
    metadata = {key: value for key, value in run_manager.inheritable_metadata.items() if not key.startswith("ls_")}
    return {
        "callbacks": manager(
            run_manager.inheritable_handlers,
            run_manager.inheritable_handlers,
            run_manager.run_id,
            tags=list(run_manager.inheritable_tags),
            inheritable_tags=list(run_manager.inheritable_tags),
            metadata=metadata,
            inheritable_metadata=metadata,
        ),
    }


class Outer(CallBody):
    """Calls ``inner`` in every way there is."""

    inner: Any = None
    way: str = "invoke"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        config = below(run_manager)
        if self.way == "stream":
            return "".join(self.inner.stream(prompt, config))
        if self.way == "batch":
            return "".join(self.inner.batch([prompt, "second"], config and [config, config]))
        return str(self.inner.invoke(prompt, config, stop=["s"]))

    async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        config = below(run_manager)
        if self.way == "stream":
            return "".join([chunk async for chunk in self.inner.astream(prompt, config)])
        if self.way == "batch":
            return "".join(await self.inner.abatch([prompt, "second"], config and [config, config]))
        return str(await self.inner.ainvoke(prompt, config, stop=["s"]))


class OuterSync(CallBody):
    """Has no async methods of its own."""

    inner: Any = None
    way: str = "invoke"
    _call = Outer._call


class OuterStream(Outer):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        config = below(run_manager)
        yield self.chunk("<")  # type: ignore[attr-defined]
        for text in self.inner.stream(prompt, config):
            yield self.chunk(text.upper())  # type: ignore[attr-defined]
        self.inner.invoke("between", config)
        yield self.chunk(">")  # type: ignore[attr-defined]

    async def _astream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        config = below(run_manager)
        yield self.chunk("<")  # type: ignore[attr-defined]
        async for text in self.inner.astream(prompt, config):
            yield self.chunk(text.upper())  # type: ignore[attr-defined]
        await self.inner.ainvoke("between", config)
        yield self.chunk(">")  # type: ignore[attr-defined]


def numbered(events: list[Any]) -> list[Any]:
    """Return events with key order, run ids numbered wherever they stand, chunks by their text and details."""
    numbers: dict[str, int] = {}

    def plain(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return [(name, plain(item, name)) for name, item in value.items() if name != "lc_versions"]
        if isinstance(value, list):
            return [plain(item, key) for item in value]
        if key in ("run_id", "parent_ids") and value is not None:
            return numbers.setdefault(str(value), len(numbers))
        if hasattr(value, "generation_info"):
            return (type(value).__name__, value.text, value.generation_info)
        return value

    return [plain(event) for event in events]


def by_run(events: list[Any]) -> list[Any]:
    """Return the events run by run: LangChain starts the runs of an async batch in an order that the loop decides."""
    runs: dict[str, list[Any]] = {}
    for event in events:
        runs.setdefault(event["run_id"], []).append(event)
    return [event for run in sorted(runs.values(), key=lambda run: str(run[0]["data"])) for event in run]


def both(outer: type, inner: type, way: str) -> tuple[Any, Any]:
    inners = make_models(inner, tags=["inner"])
    return make_models(outer, inner=inners, way=way, tags=["outer"])


CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "root"}
OUTERS = [Outer, OuterSync, OuterStream]
INNERS = [CallBody, StreamBody, AstreamBody]


@versions
@pytest.mark.parametrize("inner", INNERS)
@pytest.mark.parametrize(
    ("outer", "way"),
    [(OuterStream, "invoke"), *((outer, way) for outer in (Outer, OuterSync) for way in ("invoke", "stream", "batch"))],
)
def test_events_of_models_in_models_are_langchains(outer: type, inner: type, way: str, version: str) -> None:
    results = []
    for model in both(outer, inner, way):
        with allow_v1():
            events, raised = read_all(model.astream_events("hello", dict(CONFIG), version=version))
        assert raised is None
        results.append(numbered(by_run(events) if way == "batch" else events))
    assert results[1] == results[0]


@versions
@pytest.mark.parametrize("outer", OUTERS)
def test_a_failed_run_below_is_told_as_langchain_does(outer: type, version: str) -> None:
    results = []
    for model in both(outer, BrokenBody, "invoke"):
        with allow_v1():
            events, raised = read_all(model.astream_events("hello", version=version))
        assert str(raised) == "broken"
        results.append(numbered(events))
    assert results[1] == results[0]


FILTERS: list[dict[str, Any]] = [
    {"include_tags": ["inner"]},
    {"include_tags": ["outer"], "exclude_names": ["MyLLM"]},
    {"include_names": ["root"]},
    {"exclude_tags": ["inner"]},
    {"include_types": ["llm"], "exclude_tags": ["outer"]},
    {"include_types": ["chain"]},
]


@versions
@pytest.mark.parametrize("wanted", FILTERS)
def test_filters_choose_among_the_runs(wanted: dict[str, Any], version: str) -> None:
    theirs, ours = both(OuterStream, StreamBody, "invoke")
    with allow_v1():
        expected, _ = read_all(theirs.astream_events("hello", dict(CONFIG), version=version, **wanted))
    events, _ = read_all(ours.astream_events("hello", CONFIG, version=version, **wanted))
    everything, _ = read_all(ours.astream_events("hello", CONFIG, version=version))
    if version == "v2":
        # LangChain writes the root's input into the first event that passes, and takes it out of that run's end.
        expected = numbered([event for event in expected if event["event"] == "on_llm_stream"])
        results = [event for event in events if event["event"] == "on_llm_stream"]
        assert [entry[0] for entry in numbered(results)] == [entry[0] for entry in expected]
        assert len(results) == len(expected)
    else:
        assert numbered(events) == numbered(expected)
    # What a filter lets through is what would have come without it.
    kinds = [_unnumbered(event) for event in everything]
    assert all(_unnumbered(event) in kinds for event in events)


def _unnumbered(event: Any) -> Any:
    return [(key, str(value)) for key, value in event.items() if key not in ("run_id", "parent_ids")]


@versions
def test_the_first_event_that_passes_keeps_its_own_input(version: str) -> None:
    events, _ = read_all(
        both(Outer, CallBody, "invoke")[1].astream_events("hello", version=version, include_tags=["inner"])
    )
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_end"]
    assert events[0]["data"]["input"] == {"prompts": ["hello"]}
    assert events[1]["data"]["input"] == {"prompts": ["hello"]}


@versions
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_openai_in_a_users_model(mock_server: MockServer, version: str, way: str) -> None:
    async def theirs() -> list[Any]:
        async with apeer(mock_server.url) as inner:
            outer = make_models(Outer, inner=(inner, None), way=way)[0]
            return [event async for event in outer.astream_events("p", version=version)]

    with allow_v1():
        expected = numbered(asyncio.run(theirs()))
    outer = make_model(Outer, inner=OpenAI(base_url=mock_server.url, api_key=KEY), way=way)
    events, raised = read_all(outer.astream_events("p", version=version))
    assert raised is None
    if way == "stream":
        assert numbered(events) == expected
    else:
        assert [_shape(event) for event in events] == [_shape(dict(event)) for event in expected]


def _shape(event: Any) -> Any:
    return (event["event"], event["name"], event["tags"], len(event["parent_ids"]))


# Three deep, and side by side.


def test_parents_are_told_from_the_root_down() -> None:
    innermost = make_model(CallBody, name="innermost")
    middle = make_model(Outer, inner=innermost, name="middle")
    outer = make_model(OuterStream, inner=middle, name="outer")
    events, _ = read_all(outer.astream_events("p", version="v2"))
    ids = {event["name"]: event["run_id"] for event in events if event["event"] == "on_llm_start"}
    parents = {event["name"]: event["parent_ids"] for event in events}
    assert parents["outer"] == []
    assert parents["middle"] == [events[0]["run_id"]]
    assert len(parents["innermost"]) == 2
    assert parents["innermost"][0] == events[0]["run_id"]
    assert ids["innermost"] not in parents["innermost"]


def test_events_of_a_stream_of_events_in_a_model_tell_their_parents_too() -> None:
    class Watching(CallBody):
        inner: Any = None

        async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            seen.extend([event async for event in self.inner.astream_events(prompt)])
            return "done"

    seen: list[Any] = []
    middle = make_model(Outer, inner=make_model(CallBody))
    events, _ = read_all(make_model(Watching, inner=middle).astream_events("p"))
    root = events[0]["run_id"]
    assert seen[0]["parent_ids"] == [root]
    assert seen[1]["parent_ids"] == [root, seen[0]["run_id"]]
    # Both streams of events tell of the runs below.
    assert [event["event"] for event in events] == ["on_llm_start"] * 3 + ["on_llm_end"] * 3


def test_runs_side_by_side_keep_their_own_order() -> None:
    class Both(CallBody):
        inner: Any = None

        async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return "".join(await asyncio.gather(self.inner.ainvoke("a"), self.inner.ainvoke("b")))

    events, raised = read_all(make_model(Both, inner=make_model(StreamBody)).astream_events("p"))
    assert raised is None
    root = events[0]["run_id"]
    for run_id in {event["run_id"] for event in events} - {root}:
        kinds = [event["event"] for event in events if event["run_id"] == run_id]
        assert kinds == ["on_llm_start", "on_llm_end"]
    assert {tuple(event["parent_ids"]) for event in events[1:-1]} == {(root,)}


def test_callbacks_of_models_in_models_are_langchains() -> None:
    for outer in OUTERS:
        results = []
        for place in (0, 1):
            log: list[Any] = []
            model = both(outer, StreamBody, "stream")[place]
            config = {**CONFIG, "callbacks": [handlers(log, run_inline=True)[place]]}
            list(model.stream("hello", config))
            model.invoke("hello", config)
            results.append(comparable_calls(log))
        assert results[1] == results[0]


# Back-pressure.


def test_a_slow_consumer_of_events_holds_up_the_runs_below() -> None:
    class Many(CallBody):
        inner: Any = None

        async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            for number in range(500):
                await self.inner.ainvoke("x")
                done.append(number)
            return "done"

    class ManySync(CallBody):
        inner: Any = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            for number in range(500):
                self.inner.invoke("x")
                done.append(number)
            return "done"

    done: list[int] = []

    async def main(body: type) -> None:
        seen = 0
        done.clear()
        async for _ in make_model(body, inner=make_model(CallBody)).astream_events("p"):
            seen += 1
            await asyncio.sleep(0)
            assert 2 * len(done) <= seen + 132
        assert seen == 1002

    asyncio.run(main(Many))
    asyncio.run(main(ManySync))
