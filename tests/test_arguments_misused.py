"""Arguments of calls in another shape: the error names the argument and shows the right call."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.language_models.schemas import SchemaMethod
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import Runnable, RunnableLambda
from millstream.testing import MockServer


class Handler(BaseCallbackHandler):
    """A handler."""


class OwnHandler:
    """A handler by its methods alone."""

    def __init__(self) -> None:
        self.ended = 0

    ignore_llm = ignore_chat_model = ignore_chain = raise_error = run_inline = False

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        """Count the ends."""
        self.ended += 1


class Order(BaseModel):
    """An order."""

    item: str


def weather(city: str) -> str:
    """Return the weather."""
    return city


def list_calls(runnable: Any) -> Iterator[Callable[..., Any]]:
    """Yield the ways to call ``runnable`` with a configuration."""

    async def streamed(config: Any) -> None:
        async for _ in runnable.astream("p", config):
            pass

    async def events(config: Any) -> None:
        async for _ in runnable.astream_events("p", config, version="v2"):
            pass

    yield lambda config: runnable.invoke("p", config)
    yield lambda config: list(runnable.stream("p", config))
    yield lambda config: asyncio.run(runnable.ainvoke("p", config))
    yield lambda config: asyncio.run(streamed(config))
    yield lambda config: asyncio.run(events(config))
    yield lambda config: runnable.batch(["p", "q"], config)


@pytest.mark.parametrize(
    ("callbacks", "says"),
    [
        (Handler(), "callbacks must be a list of handlers, or a manager of them, not Handler"),
        (Handler, "callbacks must be a list of handlers, or a manager of them, not the class Handler"),
        ("stdout", "callbacks must be a list of handlers, or a manager of them, not str"),
        ({"handler": Handler()}, "callbacks must be a list of handlers, or a manager of them, not dict"),
        ([Handler], r"callbacks must hold handlers, not a class: write Handler\(\)"),
        ([print], "callbacks must hold handlers, with methods such as on_llm_end, not builtin_function_or_method"),
    ],
)
def test_callbacks_that_cannot_be_called_are_rejected(callbacks: Any, says: str, mock_server: MockServer) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key="k")
    chat = ChatOpenAI(base_url=mock_server.url, api_key="k")
    for runnable in (llm, chat, PromptTemplate.from_template("{p}") | chat, RunnableLambda(len), StrOutputParser()):
        for call in list_calls(runnable):
            with pytest.raises(TypeError, match=says):
                call({"callbacks": callbacks})
    with pytest.raises(TypeError, match=says):
        ChatOpenAI(base_url=mock_server.url, api_key="k", callbacks=callbacks).invoke("p")
    assert not mock_server.requests


def test_handlers_are_handlers_by_their_methods(mock_server: MockServer) -> None:
    handler = OwnHandler()
    ChatOpenAI(base_url=mock_server.url, api_key="k").invoke("p", {"callbacks": [handler]})
    assert handler.ended == 1


@pytest.mark.parametrize("inputs", ["two texts", b"bytes", {"topic": "water"}, (text for text in "ab"), None, 3])
def test_a_batch_accepts_a_list_but_not_one_input(inputs: Any, mock_server: MockServer) -> None:
    llm, chat = (cls(base_url=mock_server.url, api_key="k") for cls in (OpenAI, ChatOpenAI))
    chain = PromptTemplate.from_template("{topic}") | llm
    for runnable in (llm, chat, chain, llm.bind(stop=["x"]), RunnableLambda(len)):
        with pytest.raises(TypeError, match=r"a batch takes a list of inputs, not .*: for one input write \[input\]"):
            runnable.batch(inputs)
        with pytest.raises(TypeError, match="a batch takes a list of inputs"):
            asyncio.run(runnable.abatch(inputs))
    assert not mock_server.requests


@pytest.mark.parametrize("at_once", [-1, "3", 1.5, True])
def test_an_invalid_max_concurrency_is_rejected(at_once: Any, mock_server: MockServer) -> None:
    for cls in (OpenAI, ChatOpenAI):
        llm = cls(base_url=mock_server.url, api_key="k")
        chain: Runnable[Any, Any] = PromptTemplate.from_template("{p}") | llm
        for runnable in (llm, chain, llm.with_config(max_concurrency=at_once)):
            with pytest.raises(ValueError, match="max_concurrency must be a whole number of at least 1, or None"):
                runnable.batch(["a", "b"], {"max_concurrency": at_once})
            with pytest.raises(ValueError, match="max_concurrency must be a whole number of at least 1, or None"):
                asyncio.run(runnable.abatch(["a", "b"], {"max_concurrency": at_once}))
    assert not mock_server.requests


@pytest.mark.parametrize("tools", [weather, Order, {"name": "weather"}, "weather", None])
def test_one_tool_alone_is_not_a_list_of_tools(tools: Any) -> None:
    with pytest.raises(TypeError, match=r"tools must be a list, not .* alone: write bind_tools\(\[…\]\)"):
        ChatOpenAI(base_url="http://127.0.0.1:1/v1", api_key="k").bind_tools(tools)


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("schema", [int, list, list[Order], Order | None, "Order", Order(item="nuts")])
def test_a_schema_that_does_not_describe_an_object_is_rejected(schema: Any, method: SchemaMethod) -> None:
    with pytest.raises(ValueError, match="schema must be a pydantic class, a TypedDict or a JSON schema with a title"):
        ChatOpenAI(base_url="http://127.0.0.1:1/v1", api_key="k").with_structured_output(schema, method=method)
