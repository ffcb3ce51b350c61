"""Handlers of all runs: those of ``millstream.globals.add_handler``, and those of hooks."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda as TheirLambda

from langchain_peer import llm_of
from millstream import OpenAI, _context
from millstream.callbacks import BaseCallbackHandler
from millstream.callbacks.manager import register_configure_hook
from millstream.globals import add_handler, get_handlers, remove_handler
from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, MockServer
from millstream.tools import tool


class Notes(BaseCallbackHandler):
    """Notes the starts and the ends of runs."""

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.ends = 0
        self.tokens: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **info: Any) -> None:
        self.starts.append(info["name"])

    def on_chat_model_start(self, serialized: Any, messages: Any, **info: Any) -> None:
        self.starts.append("model")

    def on_llm_start(self, serialized: Any, prompts: Any, **info: Any) -> None:
        self.starts.append("model")

    def on_tool_start(self, serialized: Any, input_str: Any, **info: Any) -> None:
        self.starts.append("tool")

    def on_llm_new_token(self, token: str, **info: Any) -> None:
        self.tokens.append(token)

    def _count(self, *args: Any, **info: Any) -> None:
        self.ends += 1

    on_chain_end = on_llm_end = on_tool_end = _count


@pytest.fixture
def notes() -> Iterator[Notes]:
    """Return a handler of all runs."""
    handler = Notes()
    add_handler(handler)
    try:
        yield handler
    finally:
        remove_handler(handler)


def make_chain() -> Any:
    return ChatPromptTemplate.from_template("{x}") | FakeListChatModel(responses=["Hi"]) | StrOutputParser()


CHAIN = ["RunnableSequence", "ChatPromptTemplate", "model", "StrOutputParser"]


async def collect(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


WAYS: dict[str, Any] = {
    "invoke": lambda chain, config: chain.invoke({"x": "p"}, config),
    "ainvoke": lambda chain, config: asyncio.run(chain.ainvoke({"x": "p"}, config)),
    "batch": lambda chain, config: chain.batch([{"x": "p"}], config),
    "stream": lambda chain, config: list(chain.stream({"x": "p"}, config)),
    "astream": lambda chain, config: asyncio.run(collect(chain.astream({"x": "p"}, config))),
    "astream_events": lambda chain, config: asyncio.run(collect(chain.astream_events({"x": "p"}, config))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passed", [False, True], ids=["alone", "passed to the call too"])
def test_a_global_handler_is_called_once_for_each_run(way: str, passed: bool, notes: Notes) -> None:
    WAYS[way](make_chain(), {"callbacks": [notes]} if passed else None)
    assert sorted(notes.starts) == sorted(CHAIN)
    assert notes.ends == 4


def test_it_is_called_in_every_thread_and_task(notes: Notes) -> None:
    thread = threading.Thread(target=make_chain().invoke, args=({"x": "p"},))
    thread.start()
    thread.join()
    assert sorted(notes.starts) == sorted(CHAIN)
    make_chain().batch([{"x": str(number)} for number in range(5)])
    assert len(notes.starts) == 24


@pytest.mark.parametrize("way", ["invoke", "stream", "astream"])
def test_it_is_notified_of_the_tokens_of_a_model_of_ours(way: str, notes: Notes) -> None:
    with MockServer() as server:
        chain = RunnableLambda(lambda value: value["x"]) | llm_of(server, streaming=True)
        WAYS[way](chain, None)
    assert "".join(notes.tokens) == "".join(VERSE)
    assert len(notes.starts) == notes.ends == 3


def test_tools_and_what_they_call_are_runs_too(notes: Notes) -> None:
    @tool
    def look_up(word: str) -> str:
        """Look a word up."""
        return str(FakeListChatModel(responses=["found"]).invoke(word).content)

    assert look_up.invoke({"word": "w"}) == "found"
    assert notes.starts == ["tool", "model"]


def test_a_run_inside_a_run_of_langchain_calls_it_once(notes: Notes) -> None:
    TheirLambda(lambda value: make_chain().invoke(value)).invoke({"x": "p"})
    assert sorted(notes.starts) == sorted(CHAIN)


def test_runs_inside_the_handler_do_not_call_it_but_others() -> None:
    class Asking(Notes):
        def on_chain_start(self, serialized: Any, inputs: Any, **info: Any) -> None:
            super().on_chain_start(serialized, inputs, **info)
            RunnableLambda(lambda value: value, name="inner").invoke(1)

    asking, other = Asking(), Notes()
    add_handler(asking)
    add_handler(other)
    try:
        RunnableLambda(lambda value: value, name="outer").invoke(1)
    finally:
        remove_handler(asking)
        remove_handler(other)
    assert asking.starts == ["outer"]
    assert sorted(other.starts) == ["inner", "outer"]


def test_handlers_are_listed_in_order_and_removed() -> None:
    first, second = Notes(), Notes()
    for handler in (first, second, first):
        add_handler(handler)
    assert get_handlers() == (first, second)
    remove_handler(first)
    remove_handler(first)
    assert get_handlers() == (second,)
    remove_handler(second)
    make_chain().invoke({"x": "p"})
    assert first.starts == second.starts == []


def test_an_object_that_is_not_a_handler_is_refused() -> None:
    with pytest.raises(TypeError, match=r"callbacks must hold handlers, not a class: write Notes\(\)"):
        add_handler(Notes)
    with pytest.raises(TypeError, match="callbacks must hold handlers, with methods such as on_llm_end"):
        add_handler(print)
    assert get_handlers() == ()


# Hooks.


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_context, "_hooks", [])


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("inheritable", [False, True])
def test_a_hook_adds_the_handler_of_its_variable(inheritable: bool) -> None:
    variable: ContextVar[Notes | None] = ContextVar("notes", default=None)
    register_configure_hook(variable, inheritable)
    make_chain().invoke({"x": "p"})
    notes = Notes()
    token = variable.set(notes)
    try:
        make_chain().invoke({"x": "p"})
    finally:
        variable.reset(token)
    assert sorted(notes.starts) == sorted(CHAIN)


@pytest.mark.usefixtures("hooks")
def test_a_hook_makes_one_handler_for_a_call_where_the_environment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Notes] = []

    class Made(Notes):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    register_configure_hook(ContextVar("none", default=None), True, Made, "MILLSTREAM_TEST_HOOK")
    make_chain().invoke({"x": "p"})
    assert not made
    monkeypatch.setenv("MILLSTREAM_TEST_HOOK", "true")
    make_chain().invoke({"x": "p"})
    (notes,) = made
    assert sorted(notes.starts) == sorted(CHAIN)


def test_a_switch_without_a_class_is_refused() -> None:
    with pytest.raises(ValueError, match="handle_class must also be set"):
        register_configure_hook(ContextVar("none", default=None), True, env_var="SWITCH")


def test_a_model_without_handlers_keeps_its_direct_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.language_models.streams.ModelRun", None)
    with MockServer() as server:
        model: OpenAI = llm_of(server)
        assert "".join(model.stream("p")) == "".join(VERSE)
