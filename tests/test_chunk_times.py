"""``ChunkTimes``: the chunks that a decoder writes, counted by the time between them."""

import pickle
import time
from types import ModuleType
from typing import Any

import pytest

from wire_answers import make_writer

TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


def feed(impl: ModuleType, pieces: list[bytes]) -> Any:
    writer, decoder = make_writer(impl, "ndjson"), impl.StreamDecoder("openai.chat")
    times = writer._measure()
    for piece in pieces:
        decoder._feed_wire(piece, writer)
    assert writer._measure() is times
    return times


def test_a_call_that_returns_records_is_a_chunk(impl: ModuleType) -> None:
    begin = time.monotonic()
    times = feed(impl, [TEXT[:9], TEXT[9:], TEXT + TEXT, b": ping\n\n", TEXT])
    elapsed = time.monotonic() - begin
    assert sum(times.counts) == 2
    assert len(times.counts) == len(times.BOUNDS) + 1
    assert 0 < times.first <= elapsed
    assert 0 <= times.total <= elapsed
    assert repr(times) == "<millstream.ChunkTimes of 3 chunks>"


def test_a_stream_without_chunks_has_no_times(impl: ModuleType) -> None:
    times = feed(impl, [b": ping\n\n", TEXT[:9]])
    assert (times.first, set(times.counts), times.total) == (None, {0}, 0.0)
    assert repr(times) == "<millstream.ChunkTimes of 0 chunks>"


def test_the_time_between_chunks_is_counted_at_the_bound_that_holds_it(impl: ModuleType) -> None:
    writer, decoder = make_writer(impl, "ndjson"), impl.StreamDecoder("openai.chat")
    times = writer._measure()
    decoder._feed_wire(TEXT, writer)
    end = time.monotonic() + times.BOUNDS[0]
    while time.monotonic() <= end:
        pass
    decoder._feed_wire(TEXT, writer)
    place = next(place for place, bound in enumerate(times.BOUNDS) if times.total <= bound)
    assert place >= 1
    assert times.counts == tuple(int(at == place) for at in range(len(times.counts)))


def test_times_are_not_pickled(impl: ModuleType) -> None:
    with pytest.raises(TypeError, match="^ChunkTimes objects cannot be pickled$"):
        pickle.dumps(impl.ChunkTimes())


def test_both_halves_have_the_same_bounds(halves: Any) -> None:
    assert halves.rust.ChunkTimes.BOUNDS == halves.python.ChunkTimes.BOUNDS
