"""Runs: what a run hands down to those that begin in users' code, and what stays its own."""

import asyncio
import contextvars
from typing import Any
from uuid import UUID

import pytest

from endings import read_into
from langchain_peer import KEY
from millstream import OpenAI
from millstream._context import var_child_runnable_config
from millstream.callbacks import CallbackManager
from millstream.runnables import ensure_config, patch_config
from millstream.runnables.config import merge_configs
from millstream.testing import MockServer
from recording import AstreamBody, CallBody, StreamBody, handlers, make_model


class Outer(CallBody):
    """Calls ``inner`` without a word about configurations."""

    inner: Any = None

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return str(self.inner.invoke(prompt))

    async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return str(await self.inner.ainvoke(prompt))


class OuterStream(Outer):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for text in self.inner.stream(prompt):
            yield self.chunk(text)  # type: ignore[attr-defined]

    async def _astream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        async for text in self.inner.astream(prompt):
            yield self.chunk(text)  # type: ignore[attr-defined]


WAYS: dict[str, Any] = {
    "invoke": lambda model, config: model.invoke("p", config),
    "ainvoke": lambda model, config: asyncio.run(model.ainvoke("p", config)),
    "batch": lambda model, config: model.batch(["p"], [config]),
    "abatch": lambda model, config: asyncio.run(model.abatch(["p"], [config])),
    "stream": lambda model, config: list(model.stream("p", config)),
    "astream": lambda model, config: asyncio.run(read_into([], model.astream("p", config))),
    "events": lambda model, config: list(model.stream_events("p", config)),
    "aevents": lambda model, config: asyncio.run(read_into([], model.astream_events("p", config))),
}
ways = pytest.mark.parametrize("way", WAYS)


def starts(log: list[Any]) -> list[dict[str, Any]]:
    return [{**kwargs, "label": label} for label, event, _, kwargs in log if event == "on_llm_start"]


@ways
@pytest.mark.parametrize("outer", [Outer, OuterStream])
def test_a_call_in_users_code_is_a_run_below(outer: type, way: str) -> None:
    log: list[Any] = []
    inner = make_model(StreamBody, callbacks=[handlers(log, "inner's")[1]], tags=["i"], metadata={"i": 1})
    model = make_model(
        outer, inner=inner, callbacks=[handlers(log, "outer's")[1]], tags=["o"], metadata={"o": 1}, name="outer"
    )
    config = {"callbacks": [handlers(log, "call's")[1]], "tags": ["t"], "metadata": {"k": 1}, "run_name": "r"}
    WAYS[way](model, {**config, "run_id": UUID(int=1), "configurable": {"model": "m"}})
    started = starts(log)
    root, below = started[0], started[-1]
    # The call's handlers hear of both runs, the models' own of their own.
    assert [start["label"] for start in started] == ["call's", "outer's", "call's", "inner's"]
    assert (root["run_id"], root["parent_run_id"], root["name"]) == (UUID(int=1), None, "r")
    assert (below["parent_run_id"], below["name"]) == (UUID(int=1), None)
    assert below["run_id"] != UUID(int=1)
    assert (root["tags"], below["tags"]) == (["t", "o"], ["t", "i"])
    own = {"ls_provider": "my", "ls_model_type": "llm"}
    assert root["metadata"] == {"k": 1, "model": "m", **own, "o": 1}
    assert below["metadata"] == {"k": 1, "model": "m", **own, "i": 1}


@ways
def test_a_handler_of_an_inner_model_alone_hears_of_its_parent(way: str) -> None:
    log: list[Any] = []
    inner = make_model(StreamBody, callbacks=[handlers(log)[1]])
    WAYS[way](make_model(OuterStream, inner=inner), {"tags": ["t"], "run_id": UUID(int=1)})
    (start,) = starts(log)
    assert (start["parent_run_id"], start["tags"]) == (UUID(int=1), ["t"])


@ways
def test_nothing_is_handed_down_once_the_call_is_over(way: str) -> None:
    def consume() -> None:
        WAYS[way](make_model(OuterStream, inner=make_model(AstreamBody)), {"tags": ["t"]})
        assert var_child_runnable_config.get() is None

    contextvars.copy_context().run(consume)


def test_between_the_chunks_of_a_stream_the_consumer_is_in_no_run() -> None:
    async def main() -> None:
        async for _ in make_model(OuterStream, inner=make_model(AstreamBody)).astream("abc"):
            assert var_child_runnable_config.get() is None
        async for _ in make_model(Outer, inner=make_model(CallBody)).astream_events("abc"):
            assert var_child_runnable_config.get() is None

    for _ in make_model(OuterStream, inner=make_model(StreamBody)).stream("abc"):
        assert var_child_runnable_config.get() is None
    asyncio.run(main())


def test_what_a_call_says_itself_wins_over_what_is_handed_down() -> None:
    class Telling(CallBody):
        inner: Any = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            self.inner.invoke("p", {"tags": ["own"], "metadata": {"k": 2}, "run_name": "mine"})
            self.inner.invoke("p", {"callbacks": []})
            return "done"

    log: list[Any] = []
    config = {"callbacks": [handlers(log)[1]], "tags": ["t"], "metadata": {"k": 1}}
    make_model(Telling, inner=make_model(CallBody)).invoke("p", config)
    _, below = starts(log)
    assert (below["name"], below["tags"], below["metadata"]["k"]) == ("mine", ["t", "own"], 2)


def test_threads_and_tasks_that_users_code_begins_are_in_its_run() -> None:
    class Spreading(CallBody):
        inner: Any = None

        async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            await asyncio.gather(self.inner.ainvoke("a"), asyncio.to_thread(self.inner.invoke, "b"))
            return "done"

    log: list[Any] = []
    config: Any = {"callbacks": [handlers(log)[1]], "run_id": UUID(int=1)}
    asyncio.run(make_model(Spreading, inner=make_model(CallBody)).ainvoke("p", config))
    assert [start["parent_run_id"] for start in starts(log)] == [None, UUID(int=1), UUID(int=1)]


def test_openai_in_a_users_model_is_a_run_below(mock_server: MockServer) -> None:
    log: list[Any] = []
    inner = OpenAI(base_url=mock_server.url, api_key=KEY)
    for way, call in WAYS.items():
        log.clear()
        call(make_model(OuterStream, inner=inner), {"callbacks": [handlers(log)[1]], "run_id": UUID(int=1)})
        assert [start["parent_run_id"] for start in starts(log)] == [None, UUID(int=1)], way
        ends = [event for _, event, _, _ in log if event in ("on_llm_end", "on_llm_error")]
        assert ends == ["on_llm_end"] * 2


def test_generate_called_by_itself_in_users_code_is_a_run_below_too() -> None:
    class GenerateCall(CallBody):
        inner: Any = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return str(self.inner.generate([prompt]).generations[0][0].text)

    log: list[Any] = []
    make_model(GenerateCall, inner=make_model(CallBody)).invoke(
        "p", {"callbacks": [handlers(log)[1]], "run_id": UUID(int=1)}
    )
    assert [start["parent_run_id"] for start in starts(log)] == [None, UUID(int=1)]


def test_run_managers_tell_what_runs_below_inherit() -> None:
    class Asking(CallBody):
        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            asked.append((run_manager, ensure_config()))
            return prompt

    asked: list[Any] = []
    make_model(Asking, tags=["m"]).invoke("p", {"tags": ["t"], "configurable": {"c": 1}, "recursion_limit": 7})
    manager, config = asked[0]
    child = manager.get_child("below")
    assert isinstance(child, CallbackManager)
    assert (child.tags, child.inheritable_tags) == (["t", "below"], ["t"])
    assert (child.parent_run_id, child.parent_ids) == (manager.run_id, [str(manager.run_id)])
    assert config["callbacks"].parent_run_id == manager.run_id


# Configurations.


def test_configurations_are_merged_with_their_callbacks() -> None:
    log: list[Any] = []
    one, two = handlers(log, "1")[1], handlers(log, "2")[1]
    manager = CallbackManager([one], [one], UUID(int=1))
    assert merge_configs({"callbacks": [one]}, {"callbacks": [two]})["callbacks"] == [one, two]
    for merged in (
        merge_configs({"callbacks": manager}, {"callbacks": [two]}),
        merge_configs({"callbacks": [two]}, {"callbacks": manager}),
        merge_configs({"callbacks": manager}, {"callbacks": CallbackManager([two], [two])}),
    ):
        assert merged["callbacks"].handlers == [one, two]
        assert merged["callbacks"].parent_run_id == UUID(int=1)
    assert manager.handlers == [one]


def test_a_configuration_for_a_run_below_leaves_out_name_and_id() -> None:
    patched = patch_config({"run_name": "r", "run_id": UUID(int=1), "tags": ["t"]}, callbacks=CallbackManager([]))
    assert "run_name" not in patched
    assert "run_id" not in patched
    assert patched["tags"] == ["t"]


def test_a_binding_made_in_a_run_does_not_keep_that_run() -> None:
    class Binding(CallBody):
        inner: Any = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            bound.append(self.inner.with_config(tags=["b"]))
            return prompt

    bound: list[Any] = []
    log: list[Any] = []
    inner = make_model(CallBody, callbacks=[handlers(log)[1]])
    make_model(Binding, inner=inner).invoke("p", {"tags": ["t"]})
    bound[0].invoke("p")
    (start,) = starts(log)
    assert (start["parent_run_id"], start["tags"]) == (None, ["b"])
