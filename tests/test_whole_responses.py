"""Responses without streaming follow the rules of streams: unusual, invalid and large ones."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream.errors import (
    EventTooLargeError,
    MillstreamError,
    ProviderError,
    StreamDecodeError,
    StreamError,
    StreamTruncatedError,
)
from millstream.testing import Cut, MockServer, Reply
from millstream.testing.memory import MemoryTransport

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def call_both(cls: type[Any], body: Any, **fields: Any) -> list[Any]:
    """Return the outcomes of ``invoke`` and ``ainvoke`` for ``body``: the output, or the error."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reads = [data[: len(data) // 2], data[len(data) // 2 :]]
    outcomes: list[Any] = []
    for call in ("invoke", "ainvoke"):
        model = cls(api_key="k", http_client=MemoryTransport(reads), **fields)
        try:
            output = getattr(model, call)("p")
            outcomes.append(asyncio.run(output) if call == "ainvoke" else output)
        except MillstreamError as error:
            outcomes.append(error)
    return outcomes


def chat_body(message: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **more}], "usage": USAGE}


# Deviations of servers that are accepted.


@pytest.mark.parametrize(
    "message", [{"content": "hi"}, {"role": None, "content": "hi"}, {"role": "model", "content": "hi"}]
)
def test_a_message_without_a_known_role_is_the_models(message: dict[str, Any]) -> None:
    for answer in call_both(ChatOpenAI, chat_body(message)):
        assert (answer.type, answer.content) == ("ai", "hi")
        assert answer.usage_metadata["total_tokens"] == 5
        assert answer.response_metadata["finish_reason"] == "stop"
        assert answer.response_metadata["token_usage"] == USAGE


@pytest.mark.parametrize("choice", [{"message": None}, {}, {"message": 5}, {"message": []}, {"message": {}}])
def test_a_message_that_is_missing_is_empty_and_the_usage_is_kept(choice: dict[str, Any]) -> None:
    for answer in call_both(ChatOpenAI, {"choices": [{**choice, "finish_reason": "length"}], "usage": USAGE}):
        assert (answer.type, answer.content) == ("ai", "")
        assert answer.usage_metadata["total_tokens"] == 5
        assert answer.response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("arguments", "args"),
    [({"command": "ls"}, {"command": "ls"}), ('{"a": 1}', {"a": 1}), ("", {}), ("null", {}), (None, {})],
)
def test_arguments_may_be_an_object(arguments: Any, args: dict[str, Any]) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": arguments}}
    for answer in call_both(ChatOpenAI, chat_body({"role": "assistant", "tool_calls": [call]})):
        assert answer.tool_calls == [{"name": "run", "args": args, "id": "call_1", "type": "tool_call"}]
        assert answer.invalid_tool_calls == []


def test_each_entry_of_a_whole_message_is_a_call() -> None:
    calls = [{"function": {"name": name, "arguments": '{"a": 1}'}} for name in ("f", "g")]
    for answer in call_both(ChatOpenAI, chat_body({"tool_calls": calls})):
        assert [call["name"] for call in answer.tool_calls] == ["f", "g"]


def test_the_first_choice_is_the_answer_whatever_its_index() -> None:
    body = {"choices": [{"index": 7, "message": {"content": "hi"}, "finish_reason": "stop"}]}
    assert [answer.content for answer in call_both(ChatOpenAI, body)] == ["hi", "hi"]
    body = {"choices": [{"index": 7, "text": "hi", "finish_reason": "stop"}]}
    assert call_both(OpenAI, body) == ["hi", "hi"]


def test_all_requested_choices_are_kept_in_the_order_of_their_indexes() -> None:
    choices = [{"index": index, "message": {"content": str(index)}, "finish_reason": "stop"} for index in (1, 0)]
    model = ChatOpenAI(api_key="k", n=2, http_client=MemoryTransport([json.dumps({"choices": choices}).encode()]))
    assert [one.text for one in model.generate([[("user", "p")]]).generations[0]] == ["0", "1"]
    texts = [{"index": index, "text": str(index), "logprobs": {"tokens": [index]}} for index in (2, 0, 3, 1)]
    llm = OpenAI(api_key="k", n=2, http_client=MemoryTransport([json.dumps({"choices": texts}).encode()]))
    result = llm.generate(["p", "q"])
    assert [[one.text for one in choices] for choices in result.generations] == [["0", "1"], ["2", "3"]]
    assert result.generations[1][1].generation_info == {"finish_reason": None, "logprobs": {"tokens": [3]}}


def test_a_stream_that_was_not_requested_is_read_too() -> None:
    frames = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{"content":"b"},'
    frames += b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    assert [answer.content for answer in call_both(ChatOpenAI, frames)] == ["ab", "ab"]
    for error in call_both(ChatOpenAI, frames.partition(b'data: {"choices":[{"delta":{"content":"b"')[0]):
        assert type(error) is StreamTruncatedError
        assert error.text == "a"


# Invalid responses raise our errors, with the server's message.


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "no credit", "code": 429}}, "no credit"),
        ({"error": "no credit"}, "no credit"),
        ({"object": "error", "message": "no credit"}, "no credit"),
        ({"code": 429, "message": "no credit"}, "no credit"),
        ({"choices": None, "error_type": "quota", "error_message": "no credit"}, "no credit"),
        ({"detail": [{"msg": "field required"}, {"msg": "too long"}]}, "field required; too long"),
        ({"choices": [{"error": {"code": 502, "message": "no credit"}, "finish_reason": "error"}]}, "no credit"),
        (b'data: {"error": {"message": "no credit"}}\n\n', "no credit"),
    ],
)
def test_an_error_with_status_200_is_the_providers(cls: type[Any], body: Any, words: str) -> None:
    for error in call_both(cls, body):
        assert type(error) is ProviderError
        assert str(error) == words


@pytest.mark.parametrize(
    "body", [b"data: [DONE]\n\n", b"[DONE]", {"choices": []}, {}, {"choices": None, "usage": USAGE}]
)
def test_an_empty_body_is_an_error(body: Any) -> None:
    for error in (*call_both(ChatOpenAI, body), *call_both(OpenAI, body)):
        assert isinstance(error, StreamError)
    if body != b"[DONE]":
        errors = (*call_both(ChatOpenAI, body), *call_both(OpenAI, body))
        assert {str(error) for error in errors} == {"the server sent no choices"}


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"hello", b"<html>", b"{", b'{"choices": [', b"[" * 200_000])
def test_a_body_that_is_not_a_document_is_a_decode_error(body: bytes) -> None:
    for error in (*call_both(ChatOpenAI, body), *call_both(OpenAI, body)):
        assert type(error) is StreamDecodeError


ODD: list[Any] = [
    None,
    5,
    1.5,
    True,
    "text",
    [],
    {},
    [None],
    [[]],
    {"a": [1]},
    [{"function": 3}],
    [{"function": {"arguments": 5}}],
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "field", ["tool_calls", "content", "function_call", "refusal", "reasoning_content", "role", "audio"]
)
def test_a_field_of_another_type_is_ignored(field: str, odd: Any) -> None:
    for answer in call_both(ChatOpenAI, chat_body({"role": "assistant", "content": "hi", field: odd})):
        assert answer.type == "ai"
        if field != "content":
            assert answer.content == "hi"


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "field", ["usage", "model", "id", "system_fingerprint", "service_tier", "choices", "error", "object"]
)
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_a_field_of_another_type_raises_no_unrelated_exception(cls: type[Any], field: str, odd: Any) -> None:
    answer = (
        chat_body({"content": "hi"}) if cls is ChatOpenAI else {"choices": [{"text": "hi", "finish_reason": "stop"}]}
    )
    for outcome in call_both(cls, {**answer, field: odd}):
        assert isinstance(outcome, StreamError) or field == "choices" or getattr(outcome, "content", outcome) == "hi"
    for name in ("finish_reason", "logprobs", "index", "message" if cls is ChatOpenAI else "text"):
        changed = {**answer, "choices": [{**answer["choices"][0], name: odd}]}
        for outcome in call_both(cls, changed):
            assert isinstance(outcome, StreamError) or hasattr(outcome, "content") or isinstance(outcome, str)


def test_usage_is_the_same_streamed_and_whole() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 1, "video_tokens": 4, "image": None, "odd": "x", "none": 0}}
    usage = {**USAGE, **details, "completion_tokens_details": {"reasoning_tokens": 1, "accepted_prediction_tokens": 2}}
    frames = (
        f'data: {{"choices":[{{"delta":{{"content":"hi"}},"finish_reason":"stop"}}],"usage":{json.dumps(usage)}}}\n\n'
        "data: [DONE]\n\n"
    ).encode()
    streamed = None
    for chunk in ChatOpenAI(api_key="k", http_client=MemoryTransport([frames])).stream("p"):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed is not None
    for answer in call_both(ChatOpenAI, {**chat_body({"content": "hi"}), "usage": usage}):
        assert answer.usage_metadata == streamed.usage_metadata
        assert answer.usage_metadata["input_token_details"] == {"cache_read": 1, "video_tokens": 4}
        assert answer.usage_metadata["output_token_details"] == {"reasoning": 1, "accepted_prediction_tokens": 2}


def test_deeply_nested_arguments_are_an_invalid_call_and_not_a_recursion_error() -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": "[" * 100_000}}
    for answer in call_both(ChatOpenAI, chat_body({"tool_calls": [call]})):
        assert answer.tool_calls == []
        assert answer.invalid_tool_calls[0]["name"] == "f"
    for answer in call_both(
        ChatOpenAI, {**chat_body({"content": "hi"}), "usage": {"a": json.loads("[" * 100 + "]" * 100)}}
    ):
        assert answer.content == "hi"


# Size limits.


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_response_beyond_the_limit_raises_an_error_that_names_the_limit(
    cls: type[Any], transport: str, zipped: bool
) -> None:
    text = "x" * 5000
    body = json.dumps(chat_body({"content": text}) if cls is ChatOpenAI else {"choices": [{"text": text}]}).encode()
    headers = {"content-encoding": "gzip"} if zipped else {}
    reply = Reply(body=gzip.compress(body) if zipped else body, content_type="application/json", headers=headers)
    with MockServer(reply) as server:
        small = cls(base_url=server.url, api_key="k", transport=transport, max_response_size=4000)
        calls: list[Any] = [
            lambda: small.invoke("p"),
            lambda: asyncio.run(small.ainvoke("p")),
            lambda: small.batch(["p", "q"]),
        ]
        for call in calls:
            with pytest.raises(EventTooLargeError, match=r"max_response_size \(4000 bytes\)"):
                call()
        large = cls(base_url=server.url, api_key="k", transport=transport, max_response_size=len(body))
        assert getattr(large.invoke("p"), "content", text) == text
    with pytest.raises((TypeError, ValueError), match="max_response_size"):
        cls(api_key="k", max_response_size=0)


def test_the_limit_is_16_mib_by_default() -> None:
    assert ChatOpenAI(api_key="k").max_response_size == OpenAI(api_key="k").max_response_size == 16 * 1024 * 1024
    body = json.dumps(chat_body({"content": "x" * 100})).encode()
    padded = body + b" " * (16 * 1024 * 1024 - len(body))
    assert [answer.content for answer in call_both(ChatOpenAI, padded)] == ["x" * 100] * 2
    assert {type(error) for error in call_both(ChatOpenAI, padded + b" ")} == {EventTooLargeError}


@pytest.mark.usefixtures("native")
def test_a_large_response_needs_a_small_multiple_of_its_size() -> None:
    import tracemalloc

    # The worst ratio of JSON: an empty list is 3 bytes there and 64 in Python.
    filler = b",".join([b"[]"] * 500_000)
    body = b'{"filler":[' + filler + b'],"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}'
    transport = MemoryTransport([body[start : start + 65536] for start in range(0, len(body), 65536)])
    model = ChatOpenAI(api_key="k", http_client=transport)
    model.invoke("warm up")
    transport.reads = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    tracemalloc.start()
    try:
        assert model.invoke("p").content == "hi"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(body)


# A connection that is lost.


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("transport", ["native", "httpx2"])
def test_a_response_that_breaks_off_is_requested_again(
    cls: type[Any], transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", 0.001)
    cut = Reply(fault=Cut(after=0, how="reset"))
    calls: list[Any] = [lambda model: model.invoke("p"), lambda model: asyncio.run(model.ainvoke("p"))]
    for call in calls:
        with MockServer(script=[cut]) as server:
            assert call(cls(base_url=server.url, api_key="k", transport=transport))
            assert len(server.requests) == 2
        with MockServer(cut) as server:
            with pytest.raises(StreamTruncatedError, match="the connection broke"):
                call(cls(base_url=server.url, api_key="k", transport=transport, max_retries=1))
            assert len(server.requests) == 2


def test_audio_is_kept_streamed_and_whole() -> None:
    audio = {"id": "audio_1", "transcript": "hello", "data": "AAAA", "expires_at": 5}
    pieces = [
        {"id": "audio_1", "transcript": "hel"},
        {"transcript": "lo"},
        {"data": "AA"},
        {"data": "AA", "expires_at": 5},
    ]
    frames: list[Any] = [{"choices": [{"delta": {"audio": piece}}]} for piece in pieces]
    frames.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    data = b"".join(b"data: %b\n\n" % json.dumps(frame).encode() for frame in frames) + b"data: [DONE]\n\n"
    streamed: Any = None
    for chunk in ChatOpenAI(api_key="k", http_client=MemoryTransport([data])).stream("p"):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed.additional_kwargs["audio"] == audio
    for answer in call_both(ChatOpenAI, chat_body({"role": "assistant", "content": None, "audio": audio})):
        assert answer.additional_kwargs["audio"] == audio
