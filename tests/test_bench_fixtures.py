"""The streams that the benchmarks read say what they claim, however they are read."""

import json
import statistics
import sys
from types import ModuleType
from typing import Any

import pytest
from benches.contenders import left_out, peer
from benches.fixtures import PROSE, READ_SIZES, WORLD, Fixture, arguments, events, fixture, split_reads, tool_calls
from benches.groups import Group, Target
from benches.loops import fed, naive_split, spec_split
from benches.readers import sse_readers
from benches.report import tabulate

from millstream.cli.bench.harness import Effort, WrongOutputError, measure
from millstream.cli.bench.tables import format_table

STREAMS = [
    fixture("completions", 1000),
    fixture("completions", 1000, "world"),
    fixture("completions", 20_000),
    fixture("chat", 1000),
    fixture("chat", 1000, "world"),
    fixture("chat", 20_000),
    events(4096, 50),
    events(65536, 1),
    events(65536, 1, "world"),
]
SMALL = [fixture("completions", 50, "world"), fixture("chat", 50), events(4096, 2, "world")]
each_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
each_small_stream = pytest.mark.parametrize("stream", SMALL, ids=lambda stream: stream.name)


def text_of(stream: Fixture) -> list[str]:
    """Return the pieces as the standard library reads them."""
    choices = [json.loads(payload)["choices"][0] for payload in stream.payloads[:-1]]
    texts: list[str | None] = [choice.get("text", choice.get("delta", {}).get("content")) for choice in choices]
    return [text for text in texts if text]


@each_stream
def test_a_stream_carries_its_pieces_and_ends_as_the_api_ends_it(stream: Fixture) -> None:
    assert text_of(stream) == list(stream.pieces)
    assert json.loads(stream.payloads[-2])["choices"][0]["finish_reason"] == "stop"
    assert stream.frames[-1] == b"data: [DONE]\n\n"


@each_stream
def test_both_halves_read_the_pieces(stream: Fixture, impl: ModuleType) -> None:
    decoder = impl.StreamDecoder(stream.format)
    texts = fed(decoder.feed_text, split_reads(stream, 65536))
    assert [text for text in texts if text] == list(stream.pieces)
    assert (decoder.ended, decoder.finish_reason) == ("[DONE]", "stop")


@each_small_stream
@pytest.mark.parametrize("size", READ_SIZES.values(), ids=list(READ_SIZES))
def test_every_way_of_reading_gives_the_same_bytes_and_events(stream: Fixture, size: int | None) -> None:
    reads = split_reads(stream, size)
    assert b"".join(reads) == stream.body
    assert naive_split(reads) == [event.data for event in spec_split(reads)] == stream.payloads


@pytest.mark.parametrize(("kind", "low", "high"), [("completions", 215, 235), ("chat", 285, 295)])
def test_frames_are_as_long_as_the_apis(kind: str, low: int, high: int) -> None:
    lengths = [len(frame) for frame in fixture(kind, 1000).frames]
    assert low <= statistics.mean(lengths) <= high


@pytest.mark.parametrize(("stream", "size"), [(events(4096, 50), 4096), (events(65536, 1, "world"), 65536)])
def test_large_events_have_their_size_to_the_byte(stream: Fixture, size: int) -> None:
    assert {len(frame) for frame in stream.frames[:-2]} == {size}


def test_the_text_of_many_scripts_has_characters_of_every_length_and_every_escape() -> None:
    text = "".join(fixture("completions", 1000, "world").pieces)
    assert {len(character.encode()) for character in text} == {1, 2, 3, 4}
    assert {"\n", "\t", '"', "\\", "\u2028", "\u200d", "水", "é", "😀"} <= set(text)
    assert len(set(PROSE)) > 40
    assert len(set(WORLD)) > 30


@pytest.mark.parametrize("count", [1000, 4000, 16_000])
def test_a_document_comes_in_as_many_deltas_as_it_says(count: int) -> None:
    stream = arguments(count)
    assert {len(delta) for delta in stream.frames} == {5}
    assert len(stream.frames) == count
    sections = json.loads(stream.body)["sections"]
    assert json.loads(stream.pieces[0])["sections"] == sections
    assert len(sections) > count // 200


@pytest.mark.parametrize("calls", [1, 4])
def test_tool_calls_come_in_as_many_deltas_as_they_say(calls: int, impl: ModuleType) -> None:
    stream = tool_calls(1000, calls)
    decoder = impl.StreamDecoder(stream.format)
    pieces = [call for delta in fed(decoder.feed, split_reads(stream, 65536)) for call in delta.tool_calls]
    assert [piece.args for piece in pieces if piece.args] == list(stream.pieces)
    assert len(stream.pieces) == 1000
    assert [piece.name for piece in pieces if piece.name] == ["write_report"] * calls
    for index in range(calls):
        document = json.loads("".join(piece.args for piece in pieces if piece.index == index))
        assert document["sections"]
    assert decoder.finish_reason == "tool_calls"


def test_streams_are_the_same_at_every_run() -> None:
    fresh: Any = fixture.__wrapped__  # the function behind the cache
    assert fresh("chat", 1000, "world").body == fixture("chat", 1000, "world").body


@pytest.mark.parametrize(
    "body",
    [
        b"data: a\r\n\r\ndata: b\r\rdata: c\n\n",
        b"\xef\xbb\xbfdata: a\n\n",
        b": comment\nid: 7\nevent: e\ndata:a\ndata\ndata:  b\nretry: 12\n\ndata: c\n\n",
        b"id: 1\0\nretry: x\ndata: \xff\n\nevent: lost\n\nid\ndata: d\n\ndata: unfinished\n",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_loop_that_follows_the_specification_reads_as_our_parser_does(
    body: bytes, size: int, impl: ModuleType
) -> None:
    reads = [body[start : start + size] for start in range(0, len(body), size)]
    ours = fed(impl.SSEParser().feed, reads)
    fields = [(event.event, event.data, event.id, event.retry) for event in ours]
    assert [tuple(event) for event in spec_split(reads)] == fields


def test_an_output_that_is_wrong_is_not_timed(native: ModuleType) -> None:
    stream = fixture("completions", 50)
    with pytest.raises(WrongOutputError, match="SSEParser read 52 items where there are 51"):
        measure(sse_readers(), stream.frames, stream.payloads[:-1], Effort(rounds=1, sample=1))


def test_a_table_says_which_targets_were_met(native: ModuleType) -> None:
    stream = fixture("completions", 50)
    targets = (Target("rust", "python", at_least=1.01), Target("python", "rust", at_most=0.99))
    group = Group("work", stream, "event", "event", sse_readers, targets)
    contenders = [one for one in sse_readers() if one.key in ("rust", "python")]
    timings = measure(contenders, group.reads, group.expected, Effort(rounds=3, sample=1))
    table = format_table(tabulate(group, contenders, timings))
    assert table.startswith("work: completions, 50 chunks, one event per read\n")
    assert "  met    Millstream, Rust, SSEParser: " in table
    assert "  MISSED Millstream, Python, SSEParser: " in table


def test_a_peer_that_is_missing_is_left_out_with_a_line_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "benches.peers.httpx_sse_reader", raising=False)
    monkeypatch.setitem(sys.modules, "httpx_sse", None)
    assert peer("httpx-sse", "httpx_sse_reader") is None
    assert left_out.pop("httpx-sse") == "httpx-sse is left out: httpx_sse is not installed"
