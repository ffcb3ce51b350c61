"""Compositions that exist in both libraries, and what tests of conversions compare of their calls."""

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import langchain_core.documents
import langchain_core.language_models
import langchain_core.output_parsers
import langchain_core.prompts
import langchain_core.retrievers
import langchain_core.runnables
import langchain_core.tools

import millstream.documents
import millstream.language_models
import millstream.output_parsers
import millstream.prompts
import millstream.retrievers
import millstream.runnables
import millstream.tools
from endings import aread
from recording import achat_handlers, chat_handlers, comparable_calls
from schema_shapes import without_descriptions

__all__ = ("COMPOSITIONS", "INPUT", "WAYS", "assert_alike", "assert_same_face", "calls_of", "ours", "theirs")


def _names_of(package: Any) -> Any:
    parts = ("documents", "language_models", "output_parsers", "prompts", "retrievers", "runnables", "tools")
    names: dict[str, Any] = {}
    for part in parts:
        module = getattr(package, part)
        names |= {name: getattr(module, name) for name in getattr(module, "__all__", dir(module))}
    return SimpleNamespace(**names)


theirs = _names_of(langchain_core)
"""The names of LangChain."""
ours = _names_of(millstream)
"""The same names of Millstream."""

INPUT = {"text": "hey you"}


def letters(chunks: Iterator[Any]) -> Iterator[str]:
    for chunk in chunks:
        yield from str(chunk)


async def aletters(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in str(chunk):
            yield letter


def shout(value: Any) -> str:
    return str(getattr(value, "content", value)).upper()


def read_text(value: Any) -> str:
    text: str = value["text"]
    return text


def find(lib: Any) -> Any:
    """Return a retriever."""

    class Words(lib.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
            return [lib.Document(page_content=word, metadata={"query": query}) for word in query.split()]

    return Words()


def add(lib: Any) -> Any:
    """Return a tool."""

    def repeat(text: str, times: int = 2) -> str:
        """Repeat a text."""
        return text * times

    return lib.StructuredTool.from_function(repeat)


COMPOSITIONS: dict[str, Callable[[Any], Any]] = {
    "function": lambda lib: lib.RunnableLambda(shout),
    "prompt": lambda lib: lib.ChatPromptTemplate.from_template("{text}"),
    "text prompt": lambda lib: lib.PromptTemplate.from_template("{text}"),
    "generator": lambda lib: lib.RunnableLambda(read_text) | lib.RunnableGenerator(letters, aletters),
    "chat": lambda lib: lib.ChatPromptTemplate.from_template("{text}") | lib.FakeListChatModel(responses=["hi!"]),
    "chat and parser": lambda lib: (
        lib.ChatPromptTemplate.from_template("{text}")
        | lib.FakeListChatModel(responses=["hi!"])
        | lib.StrOutputParser()
    ),
    "json": lambda lib: (
        lib.ChatPromptTemplate.from_template("{text}")
        | lib.FakeListChatModel(responses=['{"a": [1, 2]}'])
        | lib.JsonOutputParser()
    ),
    "text model": lambda lib: (
        lib.PromptTemplate.from_template("{text}") | lib.FakeStreamingListLLM(responses=["some words"])
    ),
    # One branch: LangChain runs several at the same time, in no order.
    "parallel": lambda lib: lib.RunnableParallel(
        a=lib.ChatPromptTemplate.from_template("{text}") | lib.FakeListChatModel(responses=["hi!"])
    ),
    "assign": lambda lib: lib.RunnablePassthrough.assign(loud=lib.RunnableLambda(read_text) | shout),
    "branch": lambda lib: lib.RunnableBranch(
        (lambda value: "x" in value["text"], lib.RunnableLambda(shout)), lib.RunnableLambda(read_text)
    ),
    "retriever": lambda lib: lib.RunnableLambda(read_text) | find(lib),
    "tool": lambda lib: add(lib),
    "retrying": lambda lib: lib.RunnableLambda(read_text).with_retry(),
    "fallback": lambda lib: lib.RunnableLambda(lambda value: 1 / 0).with_fallbacks([lib.RunnableLambda(shout)]),
    "configured": lambda lib: lib.RunnableLambda(shout).with_config(tags=["x"], run_name="configured"),
}
"""Compositions by their names, each a function of one library's names."""

WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, config: step.invoke(INPUT, config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke(INPUT, config)),
    "stream": lambda step, config: list(step.stream(INPUT, config)),
    "astream": lambda step, config: asyncio.run(aread(step.astream(INPUT, config))),
    "transform": lambda step, config: list(step.transform(iter([INPUT]), config)),
    "atransform": lambda step, config: asyncio.run(aread(step.atransform(_ainput(), config))),
    "batch": lambda step, config: step.batch([INPUT], config),
    "abatch": lambda step, config: asyncio.run(step.abatch([INPUT], config)),
    "batch as completed": lambda step, config: list(step.batch_as_completed([INPUT], config)),
    "abatch as completed": lambda step, config: asyncio.run(aread(step.abatch_as_completed([INPUT], config))),
}
"""Ways to call a Runnable with :data:`INPUT`, each a function of it and of a configuration."""


async def _ainput() -> Any:
    yield INPUT


def calls_of(way: str, step: Any, *, place: int = 0) -> tuple[Any, list[Any]]:
    """Return the output of a call, and the calls of a handler of LangChain's, or at place 1 of Millstream's."""
    log: list[Any] = []
    make = achat_handlers if way.startswith("a") else chat_handlers
    config = {"tags": ["t"], "metadata": {"k": 1}, "callbacks": [make(log, run_inline=True)[place]], "run_name": "it"}
    output = WAYS[way](step, config)
    return output, comparable_calls(log)


def assert_alike(made: Any, expected: Any) -> None:
    """Check that two values are equal, of one class, and shown equally."""
    assert type(made) is type(expected)
    assert made == expected
    assert repr(made) == repr(expected)


def assert_same_face(made: Any, expected: Any) -> None:
    """Check that two Runnables have equal names, types, schemas, configurable fields and graphs."""
    assert made.get_name() == expected.get_name()
    assert made.get_name("Input") == expected.get_name("Input")
    assert (made.InputType, made.OutputType) == (expected.InputType, expected.OutputType)
    for kind in ("get_input_jsonschema", "get_output_jsonschema"):
        schemas = [getattr(one, kind)() for one in (made, expected)]
        assert without_descriptions(schemas[0]) == without_descriptions(schemas[1])
    assert made.config_specs == expected.config_specs
    assert made.get_graph().draw_mermaid() == expected.get_graph().draw_mermaid()
