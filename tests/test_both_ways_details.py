"""Details of conversions: versions of events, logs, configurations, listeners, context variables, copies, secrets."""

import asyncio
import copy
import pickle
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from typing import Any
from uuid import UUID

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd
from langchain_core.runnables import ConfigurableField as TheirField
from langchain_core.tracers import RunLogPatch

from both_libraries import INPUT, ours, theirs
from endings import aread
from langchain_peer import KEY, achat_peer, chat_of, dump_messages
from marks import both_ways
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.runnables import ConfigurableField
from millstream.testing import MockServer
from recording import chat_handlers

RUN_ID = UUID(int=7)
STORED: ContextVar[str] = ContextVar("stored", default="outside")
OUTSIDE: dict[str, tuple[Any, Any, Any, int]] = {
    "LangChain's": (theirs, ours, to_langchain, 0),
    "Millstream's": (ours, theirs, from_langchain, 1),
}
"""The library outside, the one inside, the conversion, and the place of the handlers of the library outside."""
outsides = pytest.mark.parametrize("outside", OUTSIDE)


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.mark.filterwarnings("ignore:The method .* is in beta")
def test_events_of_version_3_are_those_of_langchain_openai(server: MockServer) -> None:
    async def main() -> Any:
        found = []
        async with achat_peer(server.url, model="m") as theirs, chat_of(server, model="m") as ours:
            for model in (theirs, to_langchain(ours)):
                stream = await model.astream_events("p", version="v3")
                found.append([event["event"] async for event in stream])
        return found

    expected, found = asyncio.run(main())
    assert found == expected
    assert found


def test_a_chain_has_no_events_of_version_3() -> None:
    async def main() -> None:
        with pytest.raises(NotImplementedError, match="v3"):
            await to_langchain(ours.RunnableLambda(str) | ours.RunnableLambda(str)).astream_events("p", version="v3")

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:astream_log is deprecated")
def test_a_converted_chain_has_a_log() -> None:
    chain = to_langchain(ours.ChatPromptTemplate.from_template("{text}") | ours.FakeListChatModel(responses=["hi"]))
    patches = asyncio.run(aread(chain.astream_log(INPUT)))
    assert all(type(patch) is RunLogPatch for patch in patches)
    paths = [op["path"] for patch in patches for op in patch.ops]
    assert "/logs/FakeListChatModel" in paths
    assert paths.count("/streamed_output/-") == 2


@both_ways
@outsides
def test_a_run_has_the_id_and_the_name_of_the_call(outside: str, asynchronous: bool) -> None:
    _, inner, convert, place = OUTSIDE[outside]
    log: list[Any] = []
    config: Any = {"run_id": RUN_ID, "run_name": "mine", "callbacks": [chat_handlers(log)[place]]}
    step = convert(inner.RunnablePassthrough() | inner.FakeListChatModel(responses=["hi"]))
    if asynchronous:
        asyncio.run(step.ainvoke("a", config))
    else:
        step.invoke("a", config)
    starts = [kwargs for _, event, _, kwargs in log if event.endswith("_start")]
    assert [(start["run_id"] == RUN_ID, start["name"] == "mine") for start in starts] == [
        (True, True),
        *[(False, False)] * 2,
    ]


@outsides
def test_listeners_are_called(outside: str) -> None:
    _, inner, convert, _ = OUTSIDE[outside]
    seen: list[Any] = []
    step = convert(inner.RunnableLambda(str.upper)).with_listeners(
        on_start=lambda run: seen.append(run.inputs), on_end=lambda run: seen.append(run.outputs)
    )
    assert step.invoke("a") == "A"
    assert seen == [{"input": "a"}, {"output": "A"}]


@outsides
def test_a_configurable_field_is_set_by_the_configuration(outside: str) -> None:
    _, inner, convert, _ = OUTSIDE[outside]
    field = {"LangChain's": ConfigurableField, "Millstream's": TheirField}[outside](id="answers")
    step = convert(inner.FakeListChatModel(responses=["a"]).configurable_fields(responses=field))
    assert step.invoke("p", {"configurable": {"answers": ["b"]}}).content == "b"
    assert [spec.id for spec in step.config_specs] == ["answers"]
    assert step.invoke("p").content == "a"


@outsides
def test_code_inside_reads_the_context_outside_and_does_not_change_it(outside: str) -> None:
    _, inner, convert, _ = OUTSIDE[outside]

    def letters(text: str) -> Iterator[str]:
        for letter in text:
            STORED.set(STORED.get() + letter)
            yield STORED.get()

    async def aletters(text: str) -> Any:
        for letter in text:
            STORED.set(STORED.get() + letter)
            yield STORED.get()

    step = convert(inner.RunnableLambda(letters, aletters))

    async def aread_in_context() -> None:
        STORED.set("set:")
        items = []
        async for item in step.astream("ab"):
            items.append(item)
            assert STORED.get() == "set:"
        assert items == ["set:a", "set:ab"]

    def read_in_context() -> None:
        STORED.set("set:")
        for item in step.stream("ab"):
            assert item.startswith("set:a")

    asyncio.run(aread_in_context())
    copy_context().run(read_in_context)
    assert STORED.get() == "outside"


@outsides
def test_copies_are_equal(outside: str) -> None:
    _, inner, convert, _ = OUTSIDE[outside]
    step = convert(inner.ChatPromptTemplate.from_template("{text}") | inner.StrOutputParser())
    for made in (copy.copy(step), copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert made == step
        assert made.get_name() == step.get_name()


def test_a_secret_is_not_shown(server: MockServer) -> None:
    model = to_langchain(chat_of(server, model="m"))
    chain = theirs.ChatPromptTemplate.from_template("{text}") | model
    shown = [
        repr(model),
        str(dumpd(model)),
        str(dumpd(chain)),
        repr(chain),
        str(model.asdict()),
        str(model._serialized),
    ]
    assert not [text for text in shown if KEY in text]


def test_a_model_of_a_user_is_converted_with_its_runs() -> None:
    child = ours.RunnableLambda(str.upper, name="child")

    class Mine(ours.FakeListChatModel):  # type: ignore[misc]
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            assert type(messages[0]).__module__.startswith("millstream.")
            child.invoke("a")
            run_manager.on_text("said")
            return super()._generate(messages, stop, run_manager, **kwargs)

    log: list[Any] = []
    model = to_langchain(Mine(responses=["hi"]))
    assert issubclass(type(model), BaseChatModel)
    made = model.invoke("p", {"callbacks": [chat_handlers(log)[0]]})
    assert dump_messages(made)["content"] == "hi"
    runs = {kwargs["run_id"]: kwargs for _, event, _, kwargs in log if event.endswith("_start")}
    (inner,) = [run for run in runs.values() if run["name"] == "child"]
    assert inner["parent_run_id"] in runs
    assert "on_text" in [event for _, event, _, _ in log]
