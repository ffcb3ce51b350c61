"""``Transcoder`` from every provider's format to every wire, and to LangChain's events."""

import json
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each
from format_payloads import BODIES, EVENTS
from format_strategies import as_messages, as_sse
from formats import FORMATS, wire_cases
from millstream import Transcoder
from millstream.errors import ProviderError, StreamError
from millstream.providers.source_messages import describe_source
from millstream.wires.names import WireOptions
from streams import few_ways
from test_transcoder import transcode
from wire_answers import WIRES

CASES = [case for case in wire_cases() if not case["format"].startswith("openai.c")]
STYLE = (True, False)


def stream_of(name: str) -> bytes:
    """Return a stream of a format, without its errors."""
    events = [
        event for event in EVENTS[name] if "error" not in json.dumps(event[1]) and event[1].get("type") != "error"
    ]
    return as_messages(events, STYLE) if name.startswith("bedrock") else as_sse(events, STYLE, b"\n", True, b" ")


def events_of(records: bytes) -> list[dict[str, Any]]:
    """Return the data of event records."""
    return [json.loads(line[6:]) for line in records.splitlines() if line.startswith(b"data: ")]


@pytest.mark.parametrize("target", WIRES)
def test_every_source_is_what_a_decoder_and_a_writer_make_of_it(half: ModuleType, target: Any) -> None:
    streams = [(name, stream_of(name)) for name in FORMATS if name != "auto"]
    streams += [(case["format"], case["body"]) for case in CASES]
    streams += [(name, json.dumps(body).encode()) for name, bodies in BODIES.items() for body in bodies]
    for name, body in streams:
        decoder, writer = half.StreamDecoder(name), half.WireWriter(target, "a1", 0)
        expected = writer.start() + decoder._feed_wire(body, writer)
        try:
            expected += decoder._close_wire(writer)
            if (name, decoder.finish_reason) == ("ollama.chat", "stop"):
                # Its word for an answer that calls tools too; OpenAI has another one.
                expected += writer.write(half.Delta(0, finish_reason="end_turn"))
            is_good = decoder.ended not in ("error", "truncated") and decoder._has_choices
            expected += writer.close() if is_good else b""
        except StreamError as error:
            expected, is_good = expected + b"".join(error.items), False
        for pieces in few_ways(body, 97):
            transcoder = Transcoder(name, WireOptions(target, id="a1", created=0))
            found, failure = transcode(transcoder, pieces)
            assert (found, failure is None) == (expected, is_good)


@each([case for case in CASES if case["final"]["ended"] not in ("error", "truncated")])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_have_the_text_the_calls_and_the_usage(half: ModuleType, case: Case, version: Any) -> None:
    target: Any = f"langchain.{version}"
    source, final = describe_source(case["format"]), case["final"]["choices"]["0"]
    for name in (case["format"], "auto"):
        for pieces in few_ways(case["body"], 50):
            transcoder = Transcoder(name, target)
            found, failure = transcode(transcoder, pieces)
            assert failure is None
            events = events_of(found)
            if name != "auto":
                assert events[0]["name"] == source.name
            key = "llm" if source.run_type == "llm" and name != "auto" else "chat_model"
            assert {event["event"] for event in events} == {f"on_{key}_{kind}" for kind in ("start", "stream", "end")}
            chunks = [event["data"]["chunk"] for event in events if event["event"].endswith("stream")]
            texts = [chunk if isinstance(chunk, str) else chunk["content"] for chunk in chunks]
            assert "".join(texts) == final["text"]
            if key == "chat_model":
                calls = [call for chunk in chunks for call in chunk["tool_call_chunks"]]
                assert "".join(call["args"] or "" for call in calls) == "".join(
                    call["args"] for call in final["tool_calls"].values()
                )
                origins = {chunk["response_metadata"].get("model_provider") for chunk in chunks}
                assert origins <= ({source.provider, None} if name != "auto" else {None})


@pytest.mark.parametrize(
    ("name", "usage", "counts"),
    [
        ("anthropic.messages", [{"input_tokens": 5, "cache_read_input_tokens": 3}, {"output_tokens": 2}], (8, 2, 10)),
        ("openai.responses", [{"input_tokens": 5, "input_tokens_details": {}, "output_tokens": 2}], (5, 2, 7)),
        ("cohere.v2", [{"billed_units": {}, "tokens": {"input_tokens": 5, "output_tokens": 2}}], (5, 2, 7)),
    ],
)
def test_counts_have_langchains_names(half: ModuleType, name: str, usage: list[Any], counts: tuple[int, ...]) -> None:
    ends: dict[str, list[Any]] = {
        "anthropic.messages": [
            {"type": "message_start", "message": {"role": "assistant", "usage": usage[0]}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage[-1]},
            {"type": "message_stop"},
        ],
        "openai.responses": [
            {"type": "response.output_text.delta", "delta": "Hi"},
            {"type": "response.completed", "response": {"usage": usage[0]}},
        ],
        "cohere.v2": [
            {"type": "content-delta", "delta": {"message": {"content": {"text": "Hi"}}}},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage[0]}},
        ],
    }
    body = as_sse([("", payload) for payload in ends[name]], STYLE, b"\n", False, b" ")
    for pieces in few_ways(body, 50):
        found, _ = transcode(Transcoder(name, "langchain.v2"), pieces)
        output = events_of(found)[-1]["data"]["output"]["usage_metadata"]
        assert tuple(output[key] for key in ("input_tokens", "output_tokens", "total_tokens")) == counts


def test_an_error_of_any_provider_is_raised(half: ModuleType) -> None:
    body = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    for name in ("anthropic.messages", "openai.responses", "cohere.v2", "auto"):
        transcoder = Transcoder(name, "vercel.ui")
        transcoder.feed(body)
        with pytest.raises(ProviderError, match="^Overloaded"):
            transcoder.close()


def test_every_format_is_the_stream_of_some_model() -> None:
    for name in FORMATS:
        assert describe_source(name).run_type in ("chat_model", "llm")
    assert describe_source("acme.chat") == ("chat_model", "ChatModel", "acme")


ENDS = [
    ("anthropic.messages", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, "stop"),
    ("anthropic.messages", {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, "tool_calls"),
    ("anthropic.messages", {"type": "message_delta", "delta": {"stop_reason": "pause_turn"}}, "pause_turn"),
    ("gemini.generate", {"candidates": [{"finishReason": "MAX_TOKENS"}]}, "length"),
    ("gemini.generate", {"promptFeedback": {"blockReason": "OTHER"}}, "content_filter"),
    ("openai.responses", {"type": "response.completed", "response": {}}, "stop"),
    ("cohere.v2", {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}, "stop"),
]


@pytest.mark.parametrize(("name", "payload", "word"), ENDS, ids=[f"{name}-{word}" for name, _, word in ENDS])
def test_finish_reasons_come_in_openais_words(half: ModuleType, name: str, payload: Any, word: str) -> None:
    transcoder = Transcoder(name, "openai.chat")
    transcoder.feed(b"data: " + json.dumps(payload).encode() + b"\n\n")
    end = events_of(transcoder.close().replace(b"data: [DONE]", b""))
    assert end[0]["choices"][0]["finish_reason"] == word


def test_a_model_that_stopped_to_call_tools_waits_for_them(half: ModuleType) -> None:
    call = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}
    transcoder = Transcoder("gemini.generate", "openai.chat")
    transcoder.feed(b"data: " + json.dumps(call).encode() + b"\n\n")
    assert b'"finish_reason":"tool_calls"' in transcoder.close()


USAGES = [
    ({"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2}, (8, 2, 10, 3)),
    (
        {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 4, "totalTokenCount": 11},
        (5, 6, 11, None),
    ),
    ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, "cacheReadInputTokens": 0}, (5, 2, 7, None)),
    ({"tokens": {"input_tokens": 5, "output_tokens": 2}}, (5, 2, 7, None)),
    ({"prompt_eval_count": 5, "eval_count": 2}, (5, 2, 7, None)),
    ({"prompt_tokens": 5, "cache_read_input_tokens": 3, "completion_tokens": 2}, (5, 2, 7, 3)),
]


@pytest.mark.parametrize(("usage", "counts"), USAGES)
def test_counts_of_every_provider_have_openais_names(half: ModuleType, usage: Any, counts: tuple[Any, ...]) -> None:
    writer = half.WireWriter("openai.chat", "a1", 0)
    writer.write(half.Delta(0, None, "a", usage=usage))
    found = events_of(writer.close().replace(b"data: [DONE]", b""))[-1]["usage"]
    cached = found.get("prompt_tokens_details", {}).get("cached_tokens")
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"], cached) == counts


@pytest.mark.parametrize("name", ["openai.completions", "ollama.generate", "llamacpp.completion", "tgi.generate"])
def test_a_format_of_an_llm_has_no_events_of_version_3(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"those of chat models: {name} is a format of an LLM"):
        Transcoder(name, "langchain.v3")
