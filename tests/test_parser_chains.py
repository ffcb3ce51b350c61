"""Chains that end in a parser, in both libraries: chunks, events, and the end of a chain left early."""

import asyncio
from types import SimpleNamespace
from typing import Any

import langchain_core.language_models as their_models
import langchain_core.messages as their_messages
import langchain_core.output_parsers as their_parsers
import langchain_core.output_parsers.openai_functions as their_functions
import langchain_core.prompts as their_prompts
import pydantic
import pytest

import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.output_parsers as our_parsers
import millstream.output_parsers.openai_functions as our_functions
import millstream.prompts as our_prompts
from chains import events_of
from langchain_peer import allow_v1
from marks import versions
from millstream.callbacks import BaseCallbackHandler

OURS: Any = SimpleNamespace(
    functions=our_functions,
    messages=our_messages,
    models=our_models,
    parsers=our_parsers,
    prompts=our_prompts,
)
THEIRS: Any = SimpleNamespace(
    functions=their_functions,
    messages=their_messages,
    models=their_models,
    parsers=their_parsers,
    prompts=their_prompts,
)
FUNCTION = {"function_call": {"name": "f", "arguments": '{"a": [1, 2]}'}}


class Point(pydantic.BaseModel):
    a: list[int]


CHAINS: dict[str, tuple[Any, Any]] = {
    "text": ("Hi there", lambda lib: lib.parsers.StrOutputParser()),
    "json": ('{"a": 1, "b": [1, 2]}', lambda lib: lib.parsers.JsonOutputParser()),
    "changes": ('{"a": 1, "b": [1, 2]}', lambda lib: lib.parsers.JsonOutputParser(diff=True)),
    "commas": ("a, b, c", lambda lib: lib.parsers.CommaSeparatedListOutputParser()),
    "numbers": ("1. a\n2. b", lambda lib: lib.parsers.NumberedListOutputParser()),
    "markdown": ("- a\n- b", lambda lib: lib.parsers.MarkdownListOutputParser()),
    "xml": ("<a> <b>x y</b> <c>z</c> </a>", lambda lib: lib.parsers.XMLOutputParser(parser="xml")),
    "object": ('{"a": [1, 2]}', lambda lib: lib.parsers.PydanticOutputParser(pydantic_object=Point)),
    "function": (FUNCTION, lambda lib: lib.functions.JsonOutputFunctionsParser()),
    "argument": (FUNCTION, lambda lib: lib.functions.JsonKeyOutputFunctionsParser(key_name="a")),
    "call": (FUNCTION, lambda lib: lib.functions.OutputFunctionsParser(args_only=False)),
}


def make_chain(lib: Any, name: str) -> Any:
    answer, make_parser = CHAINS[name]
    extra = answer if isinstance(answer, dict) else {}
    message = lib.messages.AIMessage("" if extra else answer, additional_kwargs=extra)
    model = lib.models.GenericFakeChatModel(messages=iter([message, message]))
    return lib.prompts.PromptTemplate.from_template("{x}") | model | make_parser(lib)


async def _collect(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


def sort_patches(chunks: list[Any]) -> list[Any]:
    return [sorted(chunk, key=str) if isinstance(chunk, list) else chunk for chunk in chunks]


@pytest.mark.parametrize("name", CHAINS)
def test_the_chunks_of_a_chain_are_langchains(name: str) -> None:
    ours, theirs = list(make_chain(OURS, name).stream({"x": 1})), list(make_chain(THEIRS, name).stream({"x": 1}))
    assert sort_patches(ours) == sort_patches(theirs)
    assert asyncio.run(_collect(make_chain(OURS, name).astream({"x": 1}))) == ours
    if name != "changes":
        assert make_chain(OURS, name).invoke({"x": 1}) == make_chain(THEIRS, name).invoke({"x": 1})


@versions
@pytest.mark.parametrize("name", CHAINS)
def test_the_events_of_a_chain_are_langchains(name: str, version: Any) -> None:
    with allow_v1():
        ours = events_of(make_chain(OURS, name).astream_events({"x": 1}, version=version))
        theirs = events_of(make_chain(THEIRS, name).astream_events({"x": 1}, version=version))
    assert ours == theirs


class _Handler(BaseCallbackHandler):
    def __init__(self) -> None:
        self.ended: list[str] = []

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.ended.append("chain end")

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.ended.append("chain error")

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.ended.append("llm error")


@pytest.mark.parametrize("name", ["commas", "xml", "json"])
def test_every_run_of_a_chain_that_is_left_early_ends(name: str) -> None:
    handler = _Handler()
    stream = make_chain(OURS, name).stream({"x": 1}, {"callbacks": [handler]})
    next(stream)
    stream.close()
    assert handler.ended == ["chain end", "llm error", "chain end", "chain end"]
