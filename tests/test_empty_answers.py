"""Streamed answers in which nothing is said: one empty piece in all ways of calling, as of whole answers."""

import asyncio
import warnings
from typing import Any

import pytest

from endings import read_all

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel

from millstream import ChatOpenAI, OpenAI
from millstream.callbacks.base import BaseCallbackHandler
from millstream.errors import OutputParserException, TruncatedOutputError
from millstream.messages import AIMessageChunk
from millstream.testing.memory import MemoryTransport

USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}}\n\n'
DONE = b"data: [DONE]\n\n"
CHAT = [
    b'data: {"choices": [{"index": 0, "delta": {}}]}\n\n' + DONE,
    b'data: {"choices": [{"index": 0, "delta": {"role": "", "content": ""}, "finish_reason": null}]}\n\n' + DONE,
    b'data: {"choices": [{}]}\n\n' + USAGE + DONE,
]
COMPLETIONS = [
    b'data: {"choices": [{"index": 0, "text": ""}]}\n\n' + DONE,
    b'data: {"choices": [{}]}\n\n' + USAGE + DONE,
]
WHOLE_CALL = (
    b'{"choices": [{"message": {"tool_calls": [{"id": "c", "type": "function",'
    b' "function": {"name": "Order", "arguments": ""}}]}, "finish_reason": "length"}]}'
)
ways = pytest.mark.parametrize("way", ["stream", "astream"])
handled = pytest.mark.parametrize("handlers", [[], [BaseCallbackHandler()]], ids=["alone", "handled"])


class Order(BaseModel):
    """An order."""

    item: str


def over(kind: Any, body: bytes, **options: Any) -> Any:
    return kind(model="m", api_key="k", max_retries=0, http_client=MemoryTransport([body]), **options)


@ways
@handled
@pytest.mark.parametrize("body", CHAT)
def test_a_chat_that_says_nothing_is_an_empty_message(body: bytes, handlers: list[Any], way: str) -> None:
    chunks, error = read_all(getattr(over(ChatOpenAI, body), way)("p", {"callbacks": handlers}))
    assert error is None
    total = chunks[0] + chunks[1:]
    assert isinstance(total, AIMessageChunk)
    assert (total.content, total.tool_calls, total.chunk_position) == ("", [], "last")
    assert (total.usage_metadata is not None) is (USAGE in body)
    assert total.response_metadata["model_provider"] == "openai"


@ways
@handled
@pytest.mark.parametrize("body", COMPLETIONS)
def test_a_completion_that_says_nothing_is_an_empty_text(body: bytes, handlers: list[Any], way: str) -> None:
    assert read_all(getattr(over(OpenAI, body), way)("p", {"callbacks": handlers})) == ([""], None)


@handled
@pytest.mark.parametrize(("kind", "body"), [(ChatOpenAI, CHAT[0]), (OpenAI, COMPLETIONS[0])])
def test_it_is_one_for_a_call_that_streams_inside(kind: Any, body: bytes, handlers: list[Any]) -> None:
    config: Any = {"callbacks": handlers}
    answers = [over(kind, body, streaming=True).invoke("p", config)]
    answers.append(asyncio.run(over(kind, body, streaming=True).ainvoke("p", config)))
    assert [getattr(answer, "content", answer) for answer in answers] == ["", ""]


@handled
def test_a_choice_that_says_nothing_beside_another_one_is_an_empty_piece(handlers: list[Any]) -> None:
    chat = b'data: {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}\n\n' + DONE
    chunks, error = read_all(over(ChatOpenAI, chat, n=2).stream("p", {"callbacks": handlers}))
    assert (error, {chunk.content for chunk in chunks}) == (None, {""})
    text = b'data: {"choices": [{"index": 1, "text": "b", "finish_reason": "stop"}]}\n\n' + DONE
    assert read_all(over(OpenAI, text, n=2).stream("p", {"callbacks": handlers})) == ([""], None)


@ways
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_structured_output_of_it_is_the_error_of_invoke(method: str, way: str) -> None:
    model = over(ChatOpenAI, CHAT[0]).with_structured_output(Order, method=method)
    items, error = read_all(getattr(model, way)("p"))
    assert items == []
    assert isinstance(error, OutputParserException)


@ways
def test_the_end_of_a_whole_answer_is_judged_before_its_call_is_parsed(way: str) -> None:
    model = over(ChatOpenAI, WHOLE_CALL, streaming=False)
    structured = model.with_structured_output(Order, method="function_calling")
    items, error = read_all(getattr(structured, way)("p"))
    assert items == []
    assert isinstance(error, TruncatedOutputError)
