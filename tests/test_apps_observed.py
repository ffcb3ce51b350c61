"""Handlers are called in the same order and with the same arguments with langchain-openai's models and Millstream's."""

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest
from langchain_core.callbacks import StdOutCallbackHandler, StreamingStdOutCallbackHandler
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import ConsoleCallbackHandler
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph

from app_kits import KITS, App, Kit, pairs_of, shown, shown_by_langchain
from endings import aread
from millstream.testing import ErrorFrame, ErrorStatus, Reply
from recording import achat_handlers, ahandlers, chat_handlers, handlers
from test_apps_chains import AT_THE_SAME_TIME, CHAINS, FILL, JSON_CHAINS, by_prompt, json_chunks

REPEATABLE = {name: make for name, make in (CHAINS | JSON_CHAINS).items() if name not in AT_THE_SAME_TIME}


def stream(chain: Any, handler: Any) -> Any:
    return list(chain.stream(FILL, {"callbacks": [handler]}))


async def astream(chain: Any, handler: Any) -> Any:
    return await aread(chain.astream(FILL, {"callbacks": [handler]}))


async def ainvoke(chain: Any, handler: Any) -> Any:
    return await chain.ainvoke(FILL, {"callbacks": [handler]})


WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "stream": (stream, chat_handlers),
    "astream": (astream, achat_handlers),
    "astream, sync handler": (astream, chat_handlers),
    "ainvoke": (ainvoke, achat_handlers),
}


def observed(name: str, way: str) -> App:
    use, make_handlers = WAYS[way]

    def prepare(kit: Kit, log: list[Any]) -> tuple[Any, Any]:
        kit.server.reply = by_prompt if name in CHAINS else json_chunks
        return REPEATABLE[name](kit), make_handlers(log)[0]

    def app(kit: Kit) -> Any:
        log: list[Any] = []
        yield use(*prepare(kit, log))
        yield from log

    async def aapp(kit: Kit) -> Any:
        log: list[Any] = []
        return [await use(*prepare(kit, log)), *log]

    return app if use is stream else aapp


def without_chat_models(kit: Kit) -> Iterator[Any]:
    """A handler that has no ``on_chat_model_start`` gets the messages as text."""
    log: list[Any] = []
    model = kit.model()
    yield list(model.stream("hello", {"callbacks": [handlers(log)[0]]}))
    yield model.invoke("hello", {"callbacks": [handlers(log)[0]]})
    yield from log


async def awithout_chat_models(kit: Kit) -> Any:
    log: list[Any] = []
    return [await aread(kit.model().astream("hello", {"callbacks": [ahandlers(log)[0]]})), log]


def failing(reply: Reply) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        log: list[Any] = []
        for handler in (chat_handlers(log, run_inline=True)[0], chat_handlers(log, raise_error=True)[0]):
            kit.script(reply)
            with pytest.raises(Exception) as raised:
                list(kit.model(max_retries=0).stream("hello", {"callbacks": [handler]}))
            yield raised.value
        yield from log

    return app


def printing(make: Callable[[], Any]) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        with redirect_stdout(StringIO()) as text:
            for _ in kit.model(callbacks=[make()]).stream("hello"):
                pass
            kit.model().invoke("hello", {"callbacks": [make()]})
        yield from [line for line in text.getvalue().splitlines() if "s]" not in line]

    return app


def streaming_model(kit: Kit) -> Iterator[Any]:
    """A model that streams its answers to ``invoke`` calls the handlers with each token."""
    log: list[Any] = []
    yield kit.model(streaming=True).invoke("hello", {"callbacks": [chat_handlers(log)[0]]})
    yield kit.llm(streaming=True).invoke("hello", {"callbacks": [handlers(log)[0]]})
    yield from log


async def tasks(kit: Kit) -> Any:
    """The functional interface of LangGraph, with a model in a task."""
    model = kit.model()

    @task
    async def ask(question: str) -> Any:
        return await model.ainvoke(question)

    @entrypoint()
    async def run(question: str) -> Any:
        return (await ask(question)).content

    return await aread(run.astream("hello", stream_mode=["messages", "updates"]))


async def nested_graphs(kit: Kit) -> Any:
    """A graph in a graph, whose inner model is a step of a chain."""
    chain = RunnableLambda(lambda state: state["messages"]) | kit.model()

    async def reply(state: MessagesState) -> Any:
        return {"messages": [await chain.ainvoke(state)]}

    inner = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").compile()
    outer = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile()
    asked: Any = {"messages": [("human", "hello")]}
    return await aread(outer.astream(asked, stream_mode=["messages", "updates"], subgraphs=True))


APPS: dict[str, App] = {
    **{f"{name}, {way}": observed(name, way) for name in REPEATABLE for way in WAYS},
    "no on_chat_model_start": without_chat_models,
    "no on_chat_model_start, async": awithout_chat_models,
    "a refusal": failing(Reply(fault=ErrorStatus(429))),
    "an error in the stream": failing(Reply(fault=ErrorFrame(after=2))),
    "StdOut": printing(StdOutCallbackHandler),
    "StreamingStdOut": printing(StreamingStdOutCallbackHandler),
    "Console": printing(ConsoleCallbackHandler),
    "streaming": streaming_model,
    "tasks": tasks,
    "nested graphs": nested_graphs,
}


@pytest.mark.parametrize(("kit", "app"), pairs_of(APPS, ("stream", "astream")))
def test_handlers_see_what_they_see_with_langchains_models(kit: str, app: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])
