"""The native half makes no Python object that it does not hand out."""

import sys
import tracemalloc
from types import ModuleType

import pytest

from millstream import _pure
from millstream.errors import EventTooLargeError

pytestmark = pytest.mark.usefixtures("without_the_collector")

PIECES = [" sun", " light", " and", " rain"] * 25
PLAIN = "".join(f'data: {{"choices":[{{"text":"{piece}"}}]}}\n\n' for piece in PIECES).encode()


def frames(extra: str = "", choices: str = "", between: str = "") -> bytes:
    """Return a stream that brings the same text as ``PLAIN``, and much else."""
    payloads = [f'data: {{{extra}"choices":[{choices}{{"index":0,"text":"{piece}"}}]}}\n\n' for piece in PIECES]
    return between.join(payloads).encode()


CALL = '{"index":0,"id":"i","function":{"name":"n","arguments":"{}"}}'
ENDED = '{"index":2,"text":"\\ud83d","finish_reason":"stop"}'
BODIES = {
    "unknown fields": frames('"id":"cmpl-1","x":[1,2,{"y":["z","z"]}],"s":"\\u00e9\\n",' * 20),
    "usage in every payload": frames('"usage":{"prompt_tokens":5,"completion_tokens":2},'),
    "other choices": frames(choices=f'{{"index":1,"text":"other"}},{ENDED},' * 8),
    "logprobs": frames(choices='{"index":1,"logprobs":{"tokens":["a","b"],"values":[0.5,0.25]}},'),
    "tool calls of another choice": frames(choices=f'{{"index":3,"delta":{{"tool_calls":[{CALL}]}}}},'),
    "comments and other fields": frames(between=": ping\nretry: 5\nid: 77\nevent: x\n\n" * 20),
    "roles and reasoning": frames(choices='{"index":1,"delta":{"role":"assistant","reasoning":"hm","content":"x"}},'),
    "frames without choices": frames(between='data: {"choices":[]}\n\ndata: 12\n\ndata:\n\n' * 10),
}


def blocks_made(native: ModuleType, body: bytes, read: int | None) -> int:
    """Return how many blocks a decoder's calls leave allocated: those of what they return."""
    decoder = native.StreamDecoder("openai.completions")
    size = read or len(body)
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    outs: list[list[str]] = [[]] * len(pieces)
    before = sys.getallocatedblocks()
    for i, piece in enumerate(pieces):
        outs[i] = decoder.feed_text(piece)
    made = sys.getallocatedblocks() - before
    assert [text for out in outs for text in out] == PIECES
    # A list that is empty is a block too, and how many there are is the reads' doing.
    return made - sum(not out for out in outs)


def peak_of(native: ModuleType, body: bytes) -> int:
    """Return the bytes of Python memory that one call takes at its peak, transient objects included."""
    decoder = native.StreamDecoder("openai.completions")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        out = decoder.feed_text(body)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert out == PIECES
    return peak


@pytest.mark.parametrize("name", BODIES)
def test_objects_made_depend_only_on_what_is_returned(native: ModuleType, name: str) -> None:
    # The first pass pays for whatever is made once per process.
    for body in (PLAIN, BODIES[name]):
        blocks_made(native, body, None)
    # In turns, for what else the process does adds blocks to some of the calls.
    rounds = [[blocks_made(native, body, None) for body in (PLAIN, BODIES[name])] for _ in range(5)]
    expected, found = map(min, zip(*rounds, strict=True))
    assert len(PIECES) <= expected <= len(PIECES) + 8
    assert found == expected


@pytest.mark.parametrize("name", BODIES)
def test_records_are_one_object_whatever_the_payloads_hold(native: ModuleType, name: str) -> None:
    made = []
    for _ in range(3):
        decoder = native.StreamDecoder("openai.completions")
        before = sys.getallocatedblocks()
        records = decoder.feed_records(BODIES[name], b"<", b">")
        made.append(sys.getallocatedblocks() - before)
        assert records.count(b"<") == len(PIECES)
    assert min(made) <= 1


@pytest.mark.parametrize("name", BODIES)
def test_not_even_for_a_moment_are_there_other_objects(native: ModuleType, name: str) -> None:
    for body in (PLAIN, BODIES[name]):
        peak_of(native, body)
    assert peak_of(native, BODIES[name]) == peak_of(native, PLAIN)


@pytest.mark.parametrize("read", [1, 16, 1460])
def test_a_read_that_completes_nothing_makes_an_empty_list_alone(native: ModuleType, read: int) -> None:
    body = BODIES["unknown fields"][:40_000]
    decoder = native.StreamDecoder("openai.completions")
    pieces = [body[i : i + read] for i in range(0, body.index(b"\n\n"), read)]
    for _ in range(2):
        decoder = native.StreamDecoder("openai.completions")
        before = sys.getallocatedblocks()
        for piece in pieces:
            decoder.feed_text(piece)
        assert abs(sys.getallocatedblocks() - before) <= 1


@pytest.mark.parametrize("kind", ["feed", "feed_text"])
def test_nothing_is_left_when_a_stream_is_over(impl: ModuleType, kind: str) -> None:
    body = b"".join(BODIES.values()) + b"data: [DONE]\n\n"

    def use() -> None:
        decoder = impl.StreamDecoder("openai.completions")
        getattr(decoder, kind)(body)
        decoder.close() if kind == "feed" else decoder.close_text()

    def growth() -> int:
        before = sys.getallocatedblocks()
        for _ in range(10):
            use()
        return sys.getallocatedblocks() - before

    # The interpreter's own caches fill up in the first rounds; a leak would show in each.
    assert min(growth() for _ in range(6)) <= 5


LIMIT = 1 << 16
LINES = {
    "data lines without a value": (b"data\n", LIMIT - 8),
    "data lines of one byte": (b"data: x\n", LIMIT // 2 - 8),
    "comments": (b":\n", LIMIT // 2),
    "unknown fields": (b"x\n", LIMIT // 2),
    "lines that end in CRLF": (b"data: x\r\n", LIMIT // 2 - 8),
    "one line": (b"data: " + b"x" * (LIMIT - 8), 1),
}


@pytest.mark.parametrize("read", [1 << 14, 1 << 22])
@pytest.mark.parametrize("kind", ["SSEParser", "StreamDecoder"])
@pytest.mark.parametrize("name", LINES)
def test_the_python_half_takes_a_small_multiple_of_the_limit(name: str, kind: str, read: int) -> None:
    line, count = LINES[name]
    body = line * count
    arguments = ("openai.completions",) if kind == "StreamDecoder" else ()
    fed = getattr(_pure, kind)(*arguments, max_event_size=LIMIT)
    feed = fed.feed if kind == "SSEParser" else fed.feed_text
    tracemalloc.start()
    try:
        for start in range(0, len(body), read):
            feed(body[start : start + read])
        feed(b"\n\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A read of the test's own is a part of what is traced.
    assert peak - min(read, len(body)) <= 6 * LIMIT + (1 << 20)
    assert not isinstance(fed.failure, EventTooLargeError)
