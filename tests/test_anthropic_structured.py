"""Structured output of ``ChatAnthropic``: whole answers, streams, and answers that are none."""

import asyncio
import json
import warnings
from typing import Any, TypedDict

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel

from anthropic_peer import both_models, read_warnings
from anthropic_samples import TEXT, answer, start, stop, stream_reply, text_block, tool_block, whole_reply
from millstream import errors
from millstream.testing import MockServer

THINKING = {"type": "adaptive"}


class Point(BaseModel):
    """A point."""

    x: int
    name: str


class Pair(TypedDict):
    """A pair."""

    x: int
    name: str


VALUE: dict[str, Any] = {"x": 1, "name": "origin"}
SCHEMA = {"title": "Point", "type": "object", "properties": {"x": {"type": "integer"}, "name": {"type": "string"}}}
SCHEMAS: list[Any] = [Point, Pair, SCHEMA]


def named(schema: Any) -> str:
    """Return the name of the tool."""
    return "Point" if isinstance(schema, dict) else str(schema.__name__)


def whole(schema: Any, method: str) -> Any:
    """Return the reply of a whole answer."""
    if method == "json_schema":
        return whole_reply(answer({**TEXT, "text": json.dumps(VALUE)}))
    call = {"type": "tool_use", "id": "toolu_1", "name": named(schema), "input": VALUE}
    return whole_reply(answer(call, stop_reason="tool_use"))


def streamed(schema: Any, method: str, *, reason: str | None = None, parts: Any = None) -> Any:
    """Return the reply of a stream, whose JSON arrives in ``parts``."""
    parts = parts or ('{"x": 1', ', "name": "ori', 'gin"}')
    if method == "json_schema":
        return stream_reply([start(), *text_block(0, *parts), *stop(reason or "end_turn")])
    return stream_reply([start(), *tool_block(0, named(schema), *parts), *stop(reason or "tool_use")])


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("place", range(len(SCHEMAS)))
def test_the_object_is_langchains(place: int, method: str, include_raw: bool) -> None:
    schema = SCHEMAS[place]
    with MockServer(whole(schema, method)) as server:
        mine, theirs = (
            model.with_structured_output(schema, method=method, include_raw=include_raw)
            for model in both_models(server.origin)
        )
        found, expected = mine.invoke("p"), theirs.invoke("p")
        if include_raw:
            assert found["raw"].content == expected["raw"].content
            found, expected = found["parsed"], expected["parsed"]
        assert found == expected == (Point(**VALUE) if schema is Point else VALUE)
        assert server.requests[0].body == server.requests[1].body
        assert asyncio.run(mine.ainvoke("p")) is not None


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("place", range(len(SCHEMAS)))
def test_a_stream_yields_the_object_as_it_grows(place: int, method: str) -> None:
    schema = SCHEMAS[place]
    with MockServer(streamed(schema, method)) as server:
        mine, _ = both_models(server.origin)
        objects = list(mine.with_structured_output(schema, method=method).stream("p"))
    assert objects[-1] == (Point(**VALUE) if schema is Point else VALUE)
    if schema is not Point:
        assert {"x": 1, "name": "ori"} in objects


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_an_answer_that_was_cut_off_raises(method: str) -> None:
    parts = ('{"x": 1', ', "name": "ori')
    with MockServer(streamed(Point, method, reason="max_tokens", parts=parts)) as server:
        mine, _ = both_models(server.origin)
        bound = mine.with_structured_output(Point, method=method)
        with pytest.raises(errors.TruncatedOutputError):
            list(bound.stream("p"))
        streaming = both_models(server.origin, streaming=True)[0].with_structured_output(Point, method=method)
        with pytest.raises(errors.TruncatedOutputError):
            streaming.invoke("p")


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_a_refusal_raises(method: str) -> None:
    refused = answer({**TEXT, "text": "no"}, stop_reason="refusal", stop_details={"type": "refusal", "category": "bio"})
    with MockServer(whole_reply(refused)) as server:
        mine, _ = both_models(server.origin)
        with pytest.raises(errors.RefusalError):
            mine.with_structured_output(Point, method=method).invoke("p")


def test_thinking_needs_a_call_of_the_models_own() -> None:
    with MockServer(whole_reply(answer(TEXT))) as server, read_warnings() as warned:
        mine, theirs = both_models(server.origin, thinking=THINKING)
        for model in (mine, theirs):
            with pytest.raises(Exception, match="structured output via forced tool calling") as caught:
                model.with_structured_output(Point).invoke("p")
            assert type(caught.value).__name__ == "OutputParserException"
        assert server.requests[0].body == server.requests[1].body
        assert "tool_choice" not in server.requests[0].body
    assert len(set(warned)) == 1


def test_other_arguments_are_refused() -> None:
    mine, _ = both_models()
    with pytest.raises(ValueError, match="unsupported arguments"):
        mine.with_structured_output(Point, tools=[])
    tools = mine.with_structured_output(Point, strict=True).first.kwargs["tools"]
    assert tools[0]["strict"] is True
