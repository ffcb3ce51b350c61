"""Payloads of providers with a member of the wrong type, anywhere: a stream and an answer are read nevertheless."""

import copy
import json
import warnings
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest

import anthropic_samples
import google_answers
import responses_samples
from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI
from millstream.errors import StreamError
from millstream.language_models.model_type import ModelCall
from millstream.messages import HumanMessage
from ollama_peers import END, calling, line

Payloads = list[Any]

ODD: tuple[Any, ...] = (None, -1, 1.5, "x", [[]], {"type": {}}, "\ud83d")
ITEMS = responses_samples.ITEMS
CALL = ModelCall([HumanMessage("x")], None, {})


def anthropic() -> tuple[Any, list[Payloads], Payloads]:
    model = ChatAnthropic(model="claude-sonnet-4-6", api_key="k", thinking={"type": "enabled", "budget_tokens": 1024})
    streams = [payloads for payloads, _ in anthropic_samples.STREAMS.values()]
    return model, streams, [answer for answer, _ in anthropic_samples.ANSWERS.values()]


def responses() -> tuple[Any, list[Payloads], Payloads]:
    model = ChatOpenAI(model="gpt-4o", api_key="k", use_responses_api=True)
    names = ("cited", "reasoning", "call", "custom call", "web search", "file search")
    streams = [responses_samples.events_of(ITEMS[name]) for name in names]
    return model, streams, [responses_samples.response(*ITEMS.values())]


def google() -> tuple[Any, list[Payloads], Payloads]:
    streams = list(google_answers.STREAMS.values())
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="k")
    return model, streams, [payloads[0] for payloads in streams if payloads]


def ollama() -> tuple[Any, list[Payloads], Payloads]:
    called = calling(("f", {"a": 1, "b": '{"c": [1]}'}), ("g", {}))
    return ChatOllama(model="m", reasoning=True), [[line("", thinking="hm"), line("Hel"), called, END]], []


PROVIDERS = {"anthropic": anthropic, "responses": responses, "google": google, "ollama": ollama}


def written(payloads: Iterable[Any], *, as_lines: bool) -> bytes:
    before, behind = ("", "\n") if as_lines else ("data: ", "\n\n")
    return "".join(f"{before}{json.dumps(payload)}{behind}" for payload in payloads).encode()


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each member of ``value``, at any depth."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places_in(value[key], (*path, key))


def variants_of(payload: Any, *, start: int) -> Iterator[Any]:
    """Yield ``payload`` with one member less, and with one of another type, for each of its members."""
    for number, path in enumerate(places_in(payload), start):
        for odd in (ODD[number % len(ODD)], ODD[(number + 3) % len(ODD)], None):
            copied = copy.deepcopy(payload)
            container = reduce(lambda inner, key: inner[key], path[:-1], copied)
            if odd is None:
                del container[path[-1]]
            else:
                container[path[-1]] = odd
            yield copied


def read_stream(model: Any, body: bytes) -> list[Any]:
    """Return the chunks of a stream, up to its error."""
    stream = model._read_messages(model._build_pending(CALL, stream=True), "run-1", collect_result=True)
    outputs = [*stream.feed(body), *stream.close()]
    assert stream.error is None or isinstance(stream.error, StreamError)
    if stream.error is None:
        assert stream.result().generations
    return outputs


def read_answer(model: Any, body: bytes) -> list[Any]:
    """Return the messages of a whole answer; none of one that is an error."""
    pending = model._build_pending(CALL, stream=False)
    answer = model._read_whole(pending)
    answer.feed(body)
    answer.close()
    assert answer.error is None or isinstance(answer.error, StreamError)
    return (
        [] if answer.error else [generation.message for generation in model._create_result(pending, answer).generations]
    )


def check_messages(messages: list[Any]) -> None:
    """Check that messages, and what they add up to, are whole: content blocks, calls, text."""
    for message in [*messages, *([reduce(add, messages)] if len(messages) > 1 else [])]:
        assert isinstance(str(message.text), str)
        assert all("type" in block for block in message.content_blocks)
        assert repr(message)
        assert all(isinstance(call["args"], dict) for call in message.tool_calls)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_with_a_member_of_the_wrong_type_is_read(provider: str) -> None:
    model, streams, _ = PROVIDERS[provider]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for payloads in streams:
            for position, payload in enumerate(payloads):
                for odd in variants_of(payload, start=position):
                    odd_payloads = [*payloads[:position], odd, *payloads[position + 1 :]]
                    check_messages(read_stream(model, written(odd_payloads, as_lines=provider == "ollama")))


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "ollama"])
def test_an_answer_with_a_member_of_the_wrong_type_is_read(provider: str) -> None:
    model, _, answers = PROVIDERS[provider]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for answer in answers:
            for odd in variants_of(answer, start=0):
                messages = read_answer(model, json.dumps(odd).encode())
                for message in messages:
                    check_messages([message])


def test_the_call_of_an_answer_whose_input_is_not_an_object_is_invalid() -> None:
    model, _, _ = anthropic()
    block = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": [1]}
    body = json.dumps(anthropic_samples.answer(block, stop_reason="tool_use")).encode()
    (message,) = read_answer(model, body)
    assert message.tool_calls == []
    invalid = {"type": "invalid_tool_call", "id": "toolu_1", "name": "add", "args": "[1]", "error": None}
    assert message.invalid_tool_calls == [invalid]


def test_a_block_without_an_index_is_the_next_one() -> None:
    model, _, _ = anthropic()
    begin = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": "", "signature": ""}}
    payloads = [
        anthropic_samples.start(),
        begin,
        {"type": "content_block_delta", "index": [], "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_start", "index": {}, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Yes"}},
        *anthropic_samples.stop(),
    ]
    merged = reduce(add, read_stream(model, written(payloads, as_lines=False)))
    assert merged.content == [
        {"type": "thinking", "thinking": "Hm", "index": 0},
        {"type": "text", "text": "Yes", "index": 1},
    ]


def test_half_of_a_character_at_the_end_of_a_text_is_replaced() -> None:
    model, _, _ = anthropic()
    payloads = [
        anthropic_samples.start(),
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a\ud83d"}},
        *anthropic_samples.stop(),
    ]
    merged = reduce(add, read_stream(model, written(payloads, as_lines=False)))
    assert merged.text == "a\ufffd"
    assert merged.response_metadata["stop_reason"] == "end_turn"
