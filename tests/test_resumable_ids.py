"""Positions of resumable streams, and how records are numbered and cut: integers, without gaps, at every split."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millstream import SSEParser, encode_sse
from millstream.server.resumable import Position, parse_position
from millstream.server.resumable.framing import (
    MAX_RECORD_SIZE,
    Block,
    ByteNumbering,
    LineNumbering,
    Numbering,
    SSENumbering,
    numbering_for,
)
from millstream.server.resumable.ids import RequestedPosition, requested_position
from resumable_clients import Head

NUMBERS = st.integers(0, 10**15 - 1)
POSITIONS = st.builds(Position, NUMBERS, NUMBERS)


@given(POSITIONS)
def test_a_position_reads_as_it_is_written(position: Position) -> None:
    assert parse_position(str(position)) == position


@given(POSITIONS, POSITIONS)
def test_positions_compare_as_integers(one: Position, other: Position) -> None:
    assert (parse_position(str(one)) < parse_position(str(other))) is ((one.epoch, one.seq) < (other.epoch, other.seq))
    assert parse_position("9-2") < parse_position("9-10") < parse_position("10-1")


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[0-9+\-_ ,.x]*", fullmatch=True)))
def test_what_is_not_two_integers_is_malformed(text: str) -> None:
    epoch, _, seq = text.partition("-")
    valid = all(part.isascii() and part.isdigit() and len(part) <= 15 for part in (epoch, seq))
    if valid:
        assert parse_position(text) == (int(epoch), int(seq))
    else:
        with pytest.raises(ValueError, match="an event's id is <epoch>-<seq>, two integers, not "):
            parse_position(text)


@pytest.mark.parametrize(
    "text", ["1", "-1", "1-", "+1-1", "1-+1", " 1-1", "1-1\n", "1_0-1", "٣-١", "1-1-1", "1" * 16 + "-1"]
)
def test_a_malformed_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_position(text)


def test_the_header_is_used_before_the_arguments_of_the_url() -> None:
    header = {"last-event-id": "7-3"}
    both = {"last_event_id": "7-2", "starting_after": "1"}
    assert requested_position(Head(header, both)) == (7, 3)
    assert requested_position(Head({}, both)) == (7, 2)
    assert requested_position(Head({}, {"starting_after": "1"})) == RequestedPosition(None, 1)
    assert requested_position(Head({}, {"starting_after": "7-1"})) == (7, 1)
    assert requested_position(Head({"last-event-id": ""}, {})) is None
    assert requested_position(None) is None
    assert requested_position(Position(1, 2)) == (1, 2)
    with pytest.raises(ValueError, match="an event's id is"):
        requested_position(Head({"last-event-id": "x"}, both))


def blocks_of(numbering: Numbering, data: bytes, cuts: list[int]) -> list[Block]:
    """Return the blocks of ``data``, cut at some places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    found = [numbering.add(piece) for piece in pieces]
    return [block for block in [*found, numbering.close()] if block is not None]


EVENTS = st.lists(st.text(max_size=12), max_size=12)
CUTS = st.lists(st.integers(0, 1000), max_size=8)


@given(EVENTS, CUTS, st.booleans())
def test_each_event_gets_the_next_id_whatever_the_split(texts: list[str], cuts: list[int], crlf: bool) -> None:
    data = b": comment\n\n" + b"".join(encode_sse(text, event="e") for text in texts)
    blocks = blocks_of(SSENumbering(5), data.replace(b"\n", b"\r\n") if crlf else data, cuts)
    assert_no_gaps(blocks)
    parser = SSEParser()
    events = parser.feed(b"".join(block.data for block in blocks))
    assert [event.id for event in events] == [f"5-{number + 1}" for number in range(len(texts))]
    plain = SSEParser().feed(data)
    assert [(event.event, event.data) for event in events] == [(event.event, event.data) for event in plain]


@given(EVENTS, CUTS)
def test_each_line_is_a_record_whatever_the_split(texts: list[str], cuts: list[int]) -> None:
    data = b"".join(ascii(text).encode() + b"\n" for text in texts)
    blocks = blocks_of(LineNumbering(5), data, cuts)
    assert_no_gaps(blocks)
    assert b"".join(block.data for block in blocks) == data
    assert sum(block.last - block.first + 1 for block in blocks) == len(texts)


@given(st.binary(max_size=50), CUTS)
def test_each_byte_of_a_text_is_counted(data: bytes, cuts: list[int]) -> None:
    blocks = blocks_of(ByteNumbering(5), data, cuts)
    assert_no_gaps(blocks)
    assert b"".join(block.data for block in blocks) == data
    assert not blocks or blocks[-1].last == len(data)


@pytest.mark.parametrize("kind", [SSENumbering, LineNumbering, ByteNumbering])
def test_a_block_is_cut_at_each_of_its_records(kind: Any) -> None:
    data = b"".join(b"data: %d\n\n" % number for number in range(8))
    numbering = kind(5, 3)
    block = numbering.add(data)
    parts = [kind.cut(block, seq) for seq in range(2, block.last + 1)]
    assert parts[0] == parts[1] == block.data
    assert parts[-1] == b""
    again = kind(5, 3)
    for seq, part in enumerate(parts[1:], 3):
        head = block.data[: len(block.data) - len(part)]
        assert kind.cut(Block(5, 4, block.last, head + part), seq) == part
    assert again.add(data) == block


def test_an_events_own_id_gives_way() -> None:
    block = SSENumbering(5).add(b"id: 7\ndata: a\n\ndata: b\nid: 8\n\nid: 9\n\n: c\n\n")
    assert block == Block(5, 1, 2, b"id: 5-1\ndata: a\n\nid: 5-2\ndata: b\n\n")


def test_a_record_without_an_end_is_bounded() -> None:
    numbering = SSENumbering(5)
    assert numbering.add(b"x" * MAX_RECORD_SIZE) is None
    with pytest.raises(ValueError, match="a record of the stream is larger than 16777216 bytes"):
        numbering.add(b"x")


def test_the_content_type_decides_how_records_are_numbered() -> None:
    assert numbering_for("text/event-stream; charset=utf-8") is SSENumbering
    assert numbering_for("application/x-ndjson") is LineNumbering
    assert numbering_for("application/jsonl") is LineNumbering
    assert numbering_for("text/plain; charset=utf-8") is ByteNumbering


def assert_no_gaps(blocks: list[Block]) -> None:
    last = 0
    for block in blocks:
        assert (block.epoch, block.first) == (5, last + 1)
        assert block.last >= block.first
        last = block.last
