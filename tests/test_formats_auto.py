"""``format="auto"``: the first payload that is recognisably one of a format decides."""

import json
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each, load_wire
from format_payloads import BODIES, EVENTS
from format_strategies import as_array, as_lines, as_messages, as_sse
from formats import FORMATS, expected_ops, ops_of, wire_cases
from millstream.errors import EventTooLargeError
from streams import few_ways, run, splits

NAMES = [name for name in FORMATS if name != "auto"]
STYLE = (True, False)


def decode(impl: ModuleType, pieces: list[bytes], **options: Any) -> tuple[list[Any], Any]:
    decoder = impl.StreamDecoder("auto", **options)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    return deltas + decoder.close(), decoder


@each([case for case in wire_cases() if case["final"]["choices"]])
def test_auto_finds_the_format_of_every_wire_case(impl: ModuleType, case: Case) -> None:
    for pieces in [*few_ways(case["body"], 100), *splits(case["body"])][:40]:
        deltas, decoder = decode(impl, pieces, **case["options"])
        assert decoder.format == case["format"]
        assert ops_of(deltas, decoder) == expected_ops(case)


@pytest.mark.parametrize("name", NAMES)
def test_auto_reads_streams_of_every_format_in_its_framing(impl: ModuleType, name: str) -> None:
    events = EVENTS[name]
    bodies = [as_messages(events, STYLE)] if name.startswith("bedrock") else [as_sse(events, STYLE, b"\n", True, b" ")]
    bodies += [as_lines(events, STYLE, b"\n")] if name.startswith("ollama") else []
    bodies += [as_array(events, STYLE, b",")] if name in ("gemini.generate", "tgi.generate") else []
    for body in bodies:
        for pieces in few_ways(body, 100):
            expected = run(impl.StreamDecoder(name), pieces)
            decoder = impl.StreamDecoder("auto")
            assert run(decoder, pieces) == expected
            assert decoder.format == name


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bedrock.anthropic"])
@pytest.mark.parametrize("indent", [None, 1])
def test_auto_reads_whole_answers_of_every_format(impl: ModuleType, name: str, indent: int | None) -> None:
    if name.startswith("ollama") and indent:
        pytest.skip("an object of several lines is no line of JSON")
    for payload in BODIES[name]:
        if (name == "gemini.generate" and not {"candidates", "promptFeedback"} & payload.keys()) or "error" in payload:
            continue
        body = json.dumps(payload, indent=indent).encode()
        if name == "llamacpp.completion" and "stop" not in payload:
            continue
        for pieces in few_ways(body, 100):
            expected = run(impl.StreamDecoder(name), pieces)
            decoder = impl.StreamDecoder("auto")
            assert (run(decoder, pieces).items, decoder.format) == (expected.items, name)


def test_the_format_is_auto_until_it_is_found(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("auto")
    assert (decoder.format, repr(decoder)) == ("auto", "<millstream.StreamDecoder 'auto'>")
    decoder.feed(b'data: {"news":1}\n\n')
    assert decoder.format == "auto"
    decoder.feed(b'data: {"choices":[{"text":"a"}]}\n\n')
    assert (decoder.format, repr(decoder)) == ("openai.completions", "<millstream.StreamDecoder 'openai.completions'>")
    assert impl.StreamDecoder("openai.chat").format == "openai.chat"


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        (b"", "truncated"),
        (b": ping\n\n", "truncated"),
        (b'data: {"news":1}\n\n', "truncated"),
        (b'data: {"news":1}\n\ndata: [DONE]\n\n', "[DONE]"),
        (b'{"news":1}', "truncated"),
        (b'{"news":1}\n{"more":2}\n', "truncated"),
        (b"[]", "array-end"),
        (b'[{"news":1}', "truncated"),
        (b'{"error":{"message":"m"}}', "error"),
        (b'{"error":\n{"message":"m"}}', "error"),
        (b'event: error\ndata: {"message":"m"}\n\n', "error"),
        (b'data: {"type":"error","message":"m"}\n\n', "error"),
        (b'[{"error":{"message":"m"}}]', "error"),
    ],
)
def test_a_body_of_no_format_is_truncated_or_the_error_that_it_is(impl: ModuleType, body: bytes, ended: str) -> None:
    for pieces in splits(body):
        decoder = impl.StreamDecoder("auto")
        outcome = run(decoder, pieces)
        assert (decoder.ended, decoder.format, outcome.failure) == (ended, "auto", None)
        assert decoder.error is None or decoder.error["message"] == "m"


def test_what_was_seen_names_no_format_that_was_not_found(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("auto")
    decoder.feed(b'data: {"news":1}\n\n')
    decoder.close()
    assert decoder.seen == "1 frame, the first with the keys 'news'"


@each(load_wire("anthropic.messages", "ollama.chat", "gemini.generate", "openai.chat")[:12])
def test_auto_hands_out_text_and_payloads_too(impl: ModuleType, case: Case) -> None:
    for feed, close in (("feed_text", "close_text"), ("feed_payloads", "close_payloads")):
        found = []
        for name in ("auto", case["format"]):
            decoder = impl.StreamDecoder(name, **case["options"])
            found.append(getattr(decoder, feed)(case["body"]) + getattr(decoder, close)())
        assert found[0] == found[1]


def test_the_end_of_the_first_line_does_not_count_for_the_limit(half: ModuleType) -> None:
    line = b'{"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}'
    for end in ([b"\n" + line], [b"\n", line], [b"\r\n" + line], [b"\r", b"\n", line]):
        pieces = [line + end[0], *end[1:]] if end[0] != b"\r" else [line, *end]
        decoder = half.StreamDecoder("auto", max_event_size=len(line))
        texts = [text for piece in pieces for text in decoder.feed_text(piece)]
        assert [*texts, *decoder.close_text()] == ["a", "a"]
        assert decoder.format == "openai.completions"


@pytest.mark.parametrize("end", [b"\r", b"\r\r", b"\rx", b"\r\r\n", b"x\n"])
def test_more_than_the_end_of_the_first_line_counts_for_the_limit(half: ModuleType, end: bytes) -> None:
    line = b'{"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}'
    for pieces in splits(line + end):
        decoder = half.StreamDecoder("auto", max_event_size=len(line))
        for piece in (*pieces, b"", b""):
            if decoder.failure is None:
                decoder.feed(piece)
        with pytest.raises(EventTooLargeError) as caught:
            decoder.close()
        assert (caught.value.offset, caught.value.frame) == (0, line + end[:1])


@pytest.mark.parametrize("data", [b"{bad", b"5", b'"x"', b"[DONE]", b'{"a":1} x', b"[{}]"])
def test_the_name_of_an_event_without_an_object_decides_nothing(impl: ModuleType, data: bytes) -> None:
    decoder = impl.StreamDecoder("auto")
    decoder.feed(b"event: message_start\ndata: " + data + b"\n\n")
    assert decoder.format == "auto"


def test_the_name_of_an_event_with_an_empty_object_decides(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("auto")
    decoder.feed(b"event: message_start\ndata: {}\n\n")
    assert decoder.format == "anthropic.messages"
