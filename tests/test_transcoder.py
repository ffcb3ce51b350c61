"""``Transcoder``: a model's stream in another format, and every kind of end."""

import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from cases import Case, choices_in, each, load, load_wire
from endings import read_all
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI, Transcoder, WireWriter
from millstream.errors import (
    EventTooLargeError,
    ProviderError,
    StreamDecodeError,
    StreamError,
    StreamTruncatedError,
)
from millstream.testing.memory import MemoryTransport
from millstream.wires.names import WireOptions
from streams import bytes_of, described, few_ways
from wire_answers import WIRES

STREAMS = load_wire("openai.chat", "openai.completions")
OWN = [{**case, "body": bytes_of(case)} for case in load("decode_errors")]
MODELS: dict[str, Any] = {"openai.chat": ChatOpenAI, "openai.completions": OpenAI}
RUN = UUID(int=7)
TARGETS = (*WIRES, "langchain.v1", "langchain.v2")
FIRST = b'data: {"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}\n\n'
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
BAD = b"data: {bad}\n\n"
ERROR = b'data: {"error":{"message":"secret","code":"x"}}\n\n'


def transcode(transcoder: Transcoder, pieces: Iterable[bytes]) -> tuple[bytes, Any]:
    """Return the bytes of a stream, and what its error says."""
    found = b""
    for piece in pieces:
        if transcoder.decoder.failure is None:
            found += transcoder.feed(piece)
    try:
        return found + transcoder.close(), None
    except StreamError as error:
        items: list[bytes] = error.items
        failure = described(error)
    assert len(items) <= 1
    return found + b"".join(items), failure


@each(STREAMS)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_are_those_of_a_model_that_reads_the_stream(half: ModuleType, case: Case, version: Any) -> None:
    n = choices_in(case)
    model = MODELS[case["format"]](api_key=KEY, http_client=MemoryTransport([case["body"]]), n=n)
    records, error = read_all(model.astream_records("p", {"run_id": RUN}, version=version))
    expected = b"".join(records), error and described(error)
    metadata = json.loads(expected[0].split(b"\n")[1].removeprefix(b"data: "))["metadata"]
    for pieces in few_ways(case["body"], 97):
        target: Any = f"langchain.{version}"
        transcoder = Transcoder(case["format"], target, id=str(RUN), n=n, input="p", metadata=metadata)
        assert transcode(transcoder, pieces) == expected


@pytest.mark.parametrize("target", WIRES)
def test_every_stream_is_what_a_decoder_and_a_writer_make_of_it(half: ModuleType, target: Any) -> None:
    for case in [*STREAMS, *OWN]:
        n = case.get("options", {}).get("n")
        decoder, writer = half.StreamDecoder(case["format"], n=n), half.WireWriter(target, "a1", 0)
        expected = writer.start() + decoder._feed_wire(case["body"], writer)
        try:
            expected += decoder._close_wire(writer)
            is_good = decoder.ended in ("[DONE]", "eof") and decoder._has_choices
            expected += writer.close() if is_good else b""
        except StreamError as error:
            expected, is_good = expected + b"".join(error.items), False
        for pieces in few_ways(case["body"], 97):
            transcoder = Transcoder(case["format"], WireOptions(target, id="a1", created=0), n=n)
            found, failure = transcode(transcoder, pieces)
            assert (found, failure is None) == (expected, is_good)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (FIRST, StreamTruncatedError, "the stream ended before its end mark"),
        (FIRST + ERROR, ProviderError, "secret"),
        (DONE, StreamTruncatedError, "the server sent no choices"),
        (b"", StreamTruncatedError, "the stream ended before its end mark"),
        (FIRST + BAD, StreamDecodeError, "invalid JSON in the frame at byte"),
        (FIRST + b"data: " + b"x" * (1 << 24) + b"x", EventTooLargeError, "grew past"),
        (b"<!doctype html>", StreamDecodeError, "HTML"),
    ],
)
def test_an_end_that_is_not_honest_is_raised(
    half: ModuleType, target: Any, body: bytes, error: type[StreamError], message: str
) -> None:
    transcoder = Transcoder("openai.chat", target)
    found = transcoder.feed(body)
    with pytest.raises(error, match=message) as caught:
        transcoder.close()
    with pytest.raises(error, match=message) as again:
        transcoder.close()
    assert again.value is caught.value
    assert (b"Hi" in found) == body.startswith(FIRST)
    end = transcoder.fail(caught.value)
    assert b"secret" not in end
    assert (end == b"") == (target == "text")
    assert b"[DONE]" not in end or target == "vercel.ui"
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        transcoder.feed(LAST)


def test_what_came_before_an_error_is_returned_and_the_next_call_raises_it(half: ModuleType) -> None:
    transcoder = Transcoder("openai.chat", "ndjson")
    assert transcoder.feed(FIRST + BAD + LAST) == b'{"text":"Hi"}\n'
    assert transcoder.done
    with pytest.raises(StreamDecodeError, match="invalid JSON"):
        transcoder.feed(LAST)


def test_a_stream_may_fail_at_any_time(half: ModuleType) -> None:
    transcoder = Transcoder("openai.chat", "ndjson")
    assert transcoder.feed(FIRST) == b'{"text":"Hi"}\n'
    end = transcoder.fail(TimeoutError("secret"))
    assert json.loads(end) == {
        "error": {"message": "the server failed to answer", "type": "server_error", "status": 500}
    }
    with pytest.raises(ValueError, match="after close"):
        transcoder.feed(LAST)
    assert transcoder.close() == b""


def test_the_decoder_says_what_it_knows(half: ModuleType) -> None:
    transcoder = Transcoder("openai.chat", "text")
    assert not transcoder.done
    assert transcoder.feed(FIRST + LAST + DONE + FIRST) == b"Hi"
    assert (transcoder.done, transcoder.decoder.finish_reason, transcoder.decoder.ended) == (True, "stop", "[DONE]")
    assert transcoder.close() == transcoder.close() == b""
    assert repr(transcoder) == "<millstream.Transcoder 'openai.chat' to 'text'>"


def test_options_of_the_target_are_its_writers(half: ModuleType) -> None:
    options = WireOptions("openai.chat", id="x1", created=5, all_choices=True)
    body = b'data: {"model":"m1","choices":[{"index":1,"delta":{"content":"B"}}]}\n\n'
    found = Transcoder("openai.chat", options).feed(body)
    assert b'"id":"chatcmpl-x1"' in found
    assert b'"created":5,"model":"m1","choices":[{"index":1' in found
    named = Transcoder("openai.chat", options, id="x2", model="mine").feed(body)
    assert b'"id":"chatcmpl-x2"' in named
    assert b'"model":"mine"' in named
    ids = {Transcoder("openai.chat", "vercel.ui").feed(FIRST).split(b'"messageId":')[1][:38] for _ in range(2)}
    assert len(ids) == 2


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="^source must be one of 'anthropic.messages', 'auto', .*, not 'x'$"):
        Transcoder("x", "text")
    target: Any = "x"
    with pytest.raises(ValueError, match="^wire must be one of "):
        Transcoder("openai.chat", target)
    with pytest.raises(TypeError, match=r"^feed\(\) takes bytes, not str$"):
        Transcoder("openai.chat", "text").feed(target)


def test_all_names_are_public() -> None:
    assert (Transcoder.__module__, WireWriter.__module__) == ("millstream", "millstream")
