"""Structured output of ``ChatOllama``: the requests and outputs, compared with LangChain's."""

import asyncio
import warnings
from typing import Annotated, Any, TypedDict

import pytest

from endings import read_all
from langchain_peer import dump_messages

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel, v1

from millstream.errors import OutputParserException, TruncatedOutputError
from millstream.language_models.schemas import SchemaMethod
from millstream.providers.ollama import ChatOllama
from millstream.testing import MockServer, Reply
from ollama_peers import END, calling, end, line, ollama_of, peer, served, texts


class Joke(BaseModel):
    """A joke."""

    setup: str
    rating: int = 0


class First(v1.BaseModel):
    """A joke."""

    setup: str
    rating: int = 0


class JokeDict(TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "The setup."]
    rating: int


SCHEMA = {"title": "JokeDict", "type": "object", "properties": {"setup": {"type": "string"}}}
BY_TEXT = served(*texts('{"set', 'up": "why', " not", '", "rat', 'ing": 7}'))
BY_TOOL = served(calling(("Joke", {"setup": "why not", "rating": 7})), END)
BY_FIRST = served(calling(("First", {"setup": "why not", "rating": 7})), END)
BY_DICT = served(calling(("JokeDict", {"setup": "why not", "rating": 7})), END)
CASES: dict[str, tuple[Any, SchemaMethod, Reply]] = {
    "class": (Joke, "json_schema", BY_TEXT),
    "class of the first version": (First, "json_schema", BY_TEXT),
    "class by tool": (Joke, "function_calling", BY_TOOL),
    "class of the first version by tool": (First, "function_calling", BY_FIRST),
    "class by json": (Joke, "json_mode", BY_TEXT),
    "typed dict": (JokeDict, "json_schema", BY_TEXT),
    "typed dict by tool": (JokeDict, "function_calling", BY_DICT),
    "schema": (SCHEMA, "json_schema", BY_TEXT),
    "schema by tool": (SCHEMA, "function_calling", BY_DICT),
    "no schema": (None, "json_mode", BY_TEXT),
}
cases = pytest.mark.parametrize("name", CASES)


@cases
def test_requests_and_outputs_are_langchains(name: str) -> None:
    schema, method, reply = CASES[name]
    with MockServer(reply) as server, peer(server) as theirs:
        expected = theirs.with_structured_output(schema, method=method).invoke("p")
        structured = ollama_of(server).with_structured_output(schema, method=method, strict=True)
        outputs = [structured.invoke("p"), asyncio.run(structured.ainvoke("p")), *structured.batch(["p"])]
        bodies = [request.body for request in server.requests]
    assert outputs == [expected] * 3
    assert bodies == bodies[:1] * 4


@cases
def test_the_raw_message_is_returned_too(name: str) -> None:
    schema, method, reply = CASES[name]
    with MockServer(reply) as server, peer(server) as theirs:
        outputs = [
            dump_messages(model.with_structured_output(schema, method=method, include_raw=True).invoke("p"))
            for model in (ollama_of(server), theirs)
        ]
    for output in outputs:
        for call in output["raw"]["tool_calls"]:
            call["id"] = None
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])
@cases
def test_the_object_grows_in_a_stream(name: str, asynchronous: bool) -> None:
    schema, method, reply = CASES[name]
    with MockServer(reply) as server:
        structured = ollama_of(server).with_structured_output(schema, method=method)
        objects, error = read_all(structured.astream("p") if asynchronous else structured.stream("p"))
    assert error is None
    last = objects[-1]
    assert (last if isinstance(last, dict) else last.dict() if isinstance(last, First) else last.model_dump()) == {
        "setup": "why not",
        "rating": 7,
    }
    assert len(objects) >= (3 if reply is BY_TEXT else 1)


def test_the_default_method_sends_the_schema_as_format() -> None:
    with MockServer(BY_TEXT) as server:
        ollama_of(server).with_structured_output(Joke).invoke("p")
    assert server.requests[-1].body["format"] == Joke.model_json_schema()


def test_an_answer_that_was_cut_off_is_an_error() -> None:
    with MockServer(served(line('{"setup": "wh'), end(done_reason="length"))) as server:
        structured = ollama_of(server).with_structured_output(Joke)
        with pytest.raises(TruncatedOutputError, match="length"):
            structured.invoke("p")


def test_an_answer_that_does_not_fit_is_an_error() -> None:
    with MockServer(served(*texts('{"rating": 5}'))) as server:
        with pytest.raises(OutputParserException, match="Failed to parse Joke"):
            ollama_of(server).with_structured_output(Joke).invoke("p")
        output = ollama_of(server).with_structured_output(Joke, include_raw=True).invoke("p")
    assert output["parsed"] is None
    assert isinstance(output["parsing_error"], OutputParserException)


@pytest.mark.parametrize(
    ("schema", "options", "message"),
    [
        (None, {"method": "json_schema"}, "schema must be specified"),
        (None, {"method": "function_calling"}, "schema must be specified"),
        (SCHEMA, {"method": "x"}, "Unrecognized method argument. Expected one of"),
        (SCHEMA, {"other": 1}, "Received unsupported arguments {'other': 1}"),
    ],
)
def test_arguments_that_langchain_refuses_are_refused(schema: Any, options: dict[str, Any], message: str) -> None:
    with MockServer(BY_TEXT) as server, peer(server) as theirs:
        for model in (ollama_of(server), theirs):
            with pytest.raises(ValueError, match=message):
                model.with_structured_output(schema, **options)


def test_tools_and_schemas_are_bound_to_one_model() -> None:
    model: Any = ChatOllama(model="m").bind_tools([SCHEMA], think=False)
    assert model.kwargs["tools"][0]["function"]["name"] == "JokeDict"
    assert model.kwargs["think"] is False
