"""Several pieces of one call in one payload, as servers that batch tokens send them, make one call."""

import asyncio
import json
from typing import Any

import pytest

from endings import read_all
from millstream import ChatOpenAI
from millstream.callbacks.base import BaseCallbackHandler
from millstream.output_parsers.openai_tools import JsonOutputToolsParser
from millstream.testing.memory import MemoryTransport

PIECES = [
    {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a"'}},
    {"index": 0, "function": {"arguments": ":1"}},
    {"index": 1, "id": "d", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    {"index": 0, "function": {"arguments": "}"}},
]
CALLS = [("f", {"a": 1}, "c"), ("g", {}, "d")]
handled = pytest.mark.parametrize("handlers", [[], [BaseCallbackHandler()]], ids=["alone", "handled"])


def model(**options: Any) -> Any:
    payload = {"choices": [{"index": 0, "delta": {"tool_calls": PIECES}}]}
    body = b"data: " + json.dumps(payload).encode() + b"\n\ndata: [DONE]\n\n"
    return ChatOpenAI(model="m", api_key="k", http_client=MemoryTransport([body]), **options)


def calls_of(message: Any) -> list[tuple[Any, ...]]:
    return [(call["name"], call["args"], call["id"]) for call in message.tool_calls]


@handled
def test_the_chunk_and_the_answer_have_each_call_once(handlers: list[Any]) -> None:
    config: Any = {"callbacks": handlers}
    for way in ("stream", "astream"):
        chunks, error = read_all(getattr(model(), way)("p", config))
        assert (error, calls_of(chunks[0])) == (None, CALLS)
        assert [piece["args"] for piece in chunks[0].tool_call_chunks] == ['{"a":1}', "{}"]
    answers = [model(streaming=True).invoke("p", config), asyncio.run(model(streaming=True).ainvoke("p", config))]
    assert [calls_of(answer) for answer in answers] == [CALLS, CALLS]


def test_parsers_read_each_call_once() -> None:
    outputs, error = read_all((model() | JsonOutputToolsParser()).stream("p"))
    assert error is None
    assert [(call["type"], call["args"]) for call in outputs[-1]] == [("f", {"a": 1}), ("g", {})]
