"""The main cases on both halves: ``pytest benches --benchmark-enable --benchmark-only``."""

from types import ModuleType
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .fixtures import READ_SIZES, events, fixture, split_reads
from .loops import fed

READS = pytest.mark.parametrize("read", ["event", "1,460 B", "64 KB"])


@READS
@pytest.mark.benchmark(group="SSEParser.feed, 1,000 events")
def test_events_of_completions(benchmark: BenchmarkFixture, impl: ModuleType, read: str) -> None:
    stream = fixture("completions", 1000)
    found = benchmark(lambda reads: fed(impl.SSEParser().feed, reads), split_reads(stream, READ_SIZES[read]))
    assert [event.data for event in found] == stream.payloads


@pytest.mark.benchmark(group="SSEParser.feed, byte by byte")
def test_events_read_byte_by_byte(benchmark: BenchmarkFixture, impl: ModuleType) -> None:
    stream = fixture("completions", 50)
    found = benchmark(lambda reads: fed(impl.SSEParser().feed, reads), split_reads(stream, 1))
    assert [event.data for event in found] == stream.payloads


@pytest.mark.parametrize("text", ["prose", "world"])
@pytest.mark.benchmark(group="SSEParser.feed, one event of 64 KB")
def test_a_large_event(benchmark: BenchmarkFixture, impl: ModuleType, text: str) -> None:
    stream = events(65536, 1, text)
    found = benchmark(lambda reads: fed(impl.SSEParser().feed, reads), split_reads(stream, 1460))
    assert [event.data for event in found] == stream.payloads


@READS
@pytest.mark.parametrize("kind", ["completions", "chat"])
@pytest.mark.benchmark(group="StreamDecoder.feed_text, 1,000 chunks")
def test_text_of_a_stream(benchmark: BenchmarkFixture, impl: ModuleType, kind: str, read: str) -> None:
    stream = fixture(kind, 1000)
    decoded = benchmark(
        lambda reads: fed(impl.StreamDecoder(stream.format).feed_text, reads), split_reads(stream, READ_SIZES[read])
    )
    assert "".join(decoded) == "".join(stream.pieces)


@pytest.mark.parametrize("kind", ["completions", "chat"])
@pytest.mark.benchmark(group="StreamDecoder.feed, 1,000 chunks")
def test_deltas_of_a_stream(benchmark: BenchmarkFixture, impl: ModuleType, kind: str) -> None:
    stream = fixture(kind, 1000)
    deltas: list[Any] = benchmark(
        lambda reads: fed(impl.StreamDecoder(stream.format).feed, reads), split_reads(stream, READ_SIZES["event"])
    )
    assert "".join(delta.text or "" for delta in deltas) == "".join(stream.pieces)


@pytest.mark.parametrize("text", ["prose", "world"])
@pytest.mark.benchmark(group="TextAssembler.feed, 222 KB in reads of 1,460 bytes")
def test_whole_text_of_bytes(benchmark: BenchmarkFixture, impl: ModuleType, text: str) -> None:
    stream = fixture("completions", 1000, text)
    found = benchmark(lambda reads: fed(impl.TextAssembler().feed, reads), split_reads(stream, 1460))
    assert "".join(found) == stream.body.decode()


@pytest.mark.benchmark(group="encode_sse, 1,000 events")
def test_events_are_written(benchmark: BenchmarkFixture, impl: ModuleType) -> None:
    stream = fixture("completions", 1000)
    written = benchmark(lambda: [impl.encode_sse(payload) for payload in stream.payloads])
    assert tuple(written) == stream.frames
