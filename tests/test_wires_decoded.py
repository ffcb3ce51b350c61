"""A decoder that writes into a wire: the records are those of its deltas, for every way the bytes can arrive."""

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest

from cases import Case, load, load_wire
from millstream.errors import StreamError
from streams import bytes_of, described, few_ways, splits
from wire_answers import CHOICE_WIRES, WIRES, make_writer

STREAMS = load_wire("openai.chat", "openai.completions")
OWN = [{**case, "body": bytes_of(case)} for name in ("decode", "decode_errors") for case in load(name)]
FIRST = b'data: {"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\n\n'
SECOND = b'data: {"model":"m2","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
BAD = b"data: {bad}\n\n"

each_wire = pytest.mark.parametrize("wire", WIRES)


def make_decoder(impl: ModuleType, case: Case) -> Any:
    return impl.StreamDecoder(case["format"], **case.get("options", {}))


def feed_wire(decoder: Any, writer: Any, pieces: Iterable[bytes], **options: Any) -> tuple[bytes, Any]:
    """Return the records of a stream, and what its error says."""
    found = writer.start()
    for piece in pieces:
        if decoder.failure is None:
            found += decoder._feed_wire(piece, writer, **options)
    try:
        return found + decoder._close_wire(writer, **options), None
    except StreamError as error:
        items: list[bytes] = error.items
        failure = described(error)
    assert len(items) <= 1
    return found + b"".join(items), failure


def write_deltas(decoder: Any, writer: Any, body: bytes) -> tuple[bytes, Any]:
    """Return the records of the deltas that a decoder returns, and what the stream's error says."""
    deltas, failure = list(decoder.feed(body)), None
    try:
        deltas += decoder.close()
    except StreamError as error:
        deltas, failure = deltas + error.items, described(error)
    return writer.start() + b"".join(map(writer.write, deltas)), failure


def check(impl: ModuleType, case: Case, wire: str, ways: Iterable[list[bytes]]) -> None:
    options = {"all_choices": wire in CHOICE_WIRES}
    writer = make_writer(impl, wire, **options)
    expected, failure = write_deltas(make_decoder(impl, case), writer, case["body"])
    end = writer.close()
    for pieces in ways:
        writer = make_writer(impl, wire, **options)
        assert feed_wire(make_decoder(impl, case), writer, pieces) == (expected, failure)
        assert writer.close() == end


@each_wire
def test_a_stream_is_written_as_its_deltas_are(impl: ModuleType, wire: str) -> None:
    for number, case in enumerate(STREAMS):
        # Each stream at every position with one of the wires, and a few ways with the others.
        is_chosen = number % len(WIRES) == WIRES.index(wire)
        check(impl, case, wire, splits(case["body"]) if is_chosen else few_ways(case["body"], 50))


@each_wire
def test_our_own_cases_are_written_as_their_deltas_are(impl: ModuleType, wire: str) -> None:
    for case in OWN:
        check(impl, case, wire, few_ways(case["body"], 50))


@each_wire
def test_the_text_alone_is_written_where_nothing_else_is_wanted(impl: ModuleType, wire: str) -> None:
    for case in STREAMS:
        writer = make_writer(impl, wire)
        texts = make_decoder(impl, case).feed_text(case["body"])
        expected = writer.start() + b"".join(map(writer.write_text, texts))
        for pieces in few_ways(case["body"], 50):
            writer = make_writer(impl, wire)
            found, _ = feed_wire(make_decoder(impl, case), writer, pieces, text_only=True)
            assert found.startswith(expected)
            assert b"okens" not in writer.close()


@pytest.mark.parametrize("wire", ["openai.chat", "openai.completions", "openai.responses"])
def test_the_model_is_the_first_name_that_the_provider_sends(impl: ModuleType, wire: str) -> None:
    late = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
    for body, model in ((FIRST + SECOND, "m1"), (late + SECOND, "")):
        for pieces in few_ways(body, 50):
            writer = make_writer(impl, wire, model="")
            found, _ = feed_wire(impl.StreamDecoder("openai.chat"), writer, pieces)
            assert f'"model":"{model}"'.encode() in found
            assert found.count(b'"model":') == found.count(f'"model":"{model}"'.encode())
    named = make_writer(impl, wire, model="mine")
    assert b'"model":"mine"' in impl.StreamDecoder("openai.chat")._feed_wire(FIRST, named)
    alone = make_writer(impl, wire, model="")
    assert b'"model":""' in impl.StreamDecoder("openai.chat")._feed_wire(FIRST, alone, text_only=True)


def test_records_before_an_error_are_returned_and_the_answer_can_fail(impl: ModuleType) -> None:
    writer = make_writer(impl, "ndjson")
    decoder = impl.StreamDecoder("openai.chat")
    assert decoder._feed_wire(FIRST + BAD + SECOND, writer) == b'{"text":"a"}\n'
    assert decoder.failure is not None
    with pytest.raises(StreamError, match="invalid JSON in the frame at byte"):
        decoder._feed_wire(SECOND, writer)
    with pytest.raises(StreamError) as caught:
        decoder._close_wire(writer)
    assert caught.value.items == []
    assert writer.fail("no") == b'{"error":{"message":"no","type":"server_error","status":500}}\n'


def test_closing_returns_what_was_held_back(impl: ModuleType) -> None:
    half = b'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n'
    for tail, failure in ((b"", None), (b"data: {bad}", None)):
        writer = make_writer(impl, "ndjson")
        decoder = impl.StreamDecoder("openai.chat")
        assert decoder._feed_wire(half + tail, writer) == b'{"text":"a"}\n'
        assert decoder._close_wire(writer).decode() == '{"text":"\ufffd"}\n'
        assert decoder._close_wire(writer) == b""
        assert decoder.failure is failure
    decoder = impl.StreamDecoder("openai.chat", max_event_size=100)
    writer = make_writer(impl, "ndjson")
    assert decoder._feed_wire(half, writer) == b'{"text":"a"}\n'
    assert decoder._feed_wire(b"data: " + b"x" * 101, writer).decode() == '{"text":"\ufffd"}\n'


def test_a_writer_whose_answer_has_ended_is_refused_before_anything_is_read(impl: ModuleType) -> None:
    writer = make_writer(impl, "ndjson")
    writer.close()
    decoder = impl.StreamDecoder("openai.chat")
    with pytest.raises(ValueError, match=r"^_feed_wire\(\) after the end of the answer$"):
        decoder._feed_wire(FIRST, writer)
    with pytest.raises(ValueError, match=r"^_close_wire\(\) after the end of the answer$"):
        decoder._close_wire(writer)
    assert decoder.deltas_seen == 0
    assert len(decoder._feed_wire(FIRST, make_writer(impl, "ndjson"))) > 0


def test_a_decoder_that_writes_does_nothing_else(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    decoder._feed_wire(FIRST, make_writer(impl, "text"))
    with pytest.raises(ValueError, match="^this StreamDecoder hands out wire records: deltas need one of their own$"):
        decoder.feed(SECOND)
    other = impl.StreamDecoder("openai.chat")
    other.feed(FIRST)
    with pytest.raises(ValueError, match="^this StreamDecoder hands out deltas: wire records need one of their own$"):
        other._feed_wire(SECOND, make_writer(impl, "text"))


def test_only_a_writer_is_written_into(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    with pytest.raises(TypeError, match=r"^_feed_wire\(\) takes a WireWriter, not str$"):
        decoder._feed_wire(FIRST, "x")
    with pytest.raises(TypeError, match=r"^_close_wire\(\) takes a WireWriter, not NoneType$"):
        decoder._close_wire(None)
    with pytest.raises(TypeError, match=r"^_feed_wire\(\) takes bytes, not str$"):
        decoder._feed_wire("x", make_writer(impl, "text"))


def test_one_choice_is_written_unless_all_are_wanted(impl: ModuleType) -> None:
    body = next(case["body"] for case in STREAMS if case["name"] == "openai-chat-n2.sse")
    for is_all in (False, True):
        writer = make_writer(impl, "ndjson", all_choices=is_all)
        found, _ = feed_wire(impl.StreamDecoder("openai.chat"), writer, [body])
        assert (b'"index":1' in found, b'"index":1' in writer.close()) == (is_all, is_all)


@pytest.mark.parametrize("kind", ["text", "tool call", "logprobs"])
@each_wire
def test_no_object_is_made_for_a_delta(native: ModuleType, wire: str, kind: str, without_the_collector: None) -> None:
    deltas = {
        "text": b'{"delta":{"content":" a"}}',
        "tool call": b'{"delta":{"tool_calls":[{"index":0,"function":{"arguments":" "}}]}}',
        "logprobs": b'{"delta":{"content":" a"},"logprobs":{"content":[{"token":"a","logprob":-0.5}]}}',
    }
    first = b'{"delta":{"content":"a","tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{"}}]}}'
    frame = b'data: {"model":"m","choices":[%b]}\n\n'

    def made(count: int) -> int:
        writer, decoder = make_writer(native, wire), native.StreamDecoder("openai.chat")
        decoder._feed_wire(frame % first, writer)
        body = frame % deltas[kind] * count
        before = sys.getallocatedblocks()
        records = decoder._feed_wire(body, writer)
        blocks = sys.getallocatedblocks() - before
        assert bool(records) or wire in ("text", "openai.completions")
        return blocks

    made(1)
    assert min(made(1000) for _ in range(3)) == min(made(10) for _ in range(3)) <= 2
