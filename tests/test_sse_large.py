"""SSEParser and events so large that their data is put together before the end: the same results, and less memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import millstream
import naive
from millstream import _pure
from streams import cut, run
from test_sse import CUTS, STREAMS, earliest

HELD = 1 << 19
HEADS = {
    "one line": b"data: ",
    "a line after a BOM": b"\xef\xbb\xbfdata:",
    "a line after others": b"id: 1\nevent: e\r\ndata: \xf0\x9f\rdata:\ndata: ",
    "a line after many": b"data: a line of some bytes\n" * (HELD // 64) + b"data: ",
    "a line after a large one": b"data: " + b"x" * (HELD + 9) + b"\ndata: ",
}
TAILS = [
    b"",
    b"\n\n",
    b"\r\rdata: next\n\n",
    b"\r\n\r\n",
    b"data: x\n\n",
    b": no comment\n:\nid: 7\ndata: z\n\n",
    b"\xc3\xa9\r\ndata: two\ndata:\ndata\n\n",
    b"\xf0\x9f\x98\x80\n\xef\xbb\xbfdata: x\n\n",
    b"\xe2\x80\r\n\xff\r\nretry: 5\r\n\r\n",
    b"\xed\xa0\x80\xf0\x9f\n\n" + b"data: one of its own\n\n",
]


def in_reads(begun: bytes, tail: bytes) -> Iterator[list[bytes]]:
    """Yield the ways in which ``tail`` can arrive after ``begun``, which comes in one read or in several."""
    yield [begun + tail]
    half = len(begun) // 2
    yield [begun[:half], begun[half:] + tail]
    yield [*(begun[i : i + 65536] for i in range(0, len(begun), 65536)), tail]
    yield [begun, *(tail[i : i + 1] for i in range(len(tail)))]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", HEADS)
def test_a_large_event_reads_as_the_naive_reader_reads_it(impl: ModuleType, name: str, tail: bytes) -> None:
    # The last character of what is taken first is cut.
    begun = HEADS[name] + b"y" * HELD + b"\xe2\x82"
    expected = naive.read_sse(begun + tail)
    flushed = naive.read_sse(begun + tail, flush=True)
    for pieces in in_reads(begun, tail):
        parser, flushing = impl.SSEParser(), impl.SSEParser(eof="flush")
        assert run(parser, pieces).items == expected.events
        assert (parser.last_event_id, parser.retry) == (expected.last_event_id, expected.retry)
        assert parser.truncated is expected.truncated
        assert run(flushing, pieces).items == flushed.events
        assert flushing.last_event_id == flushed.last_event_id


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", ["one line", "a line after others"])
def test_a_large_event_grows_too_large_where_the_naive_reader_says(impl: ModuleType, name: str, tail: bytes) -> None:
    begun = HEADS[name] + b"y" * HELD
    for limit in (len(begun), len(begun) + 7):
        expected = naive.too_large(begun + tail, limit)
        for pieces in in_reads(begun, tail):
            outcome = run(impl.SSEParser(max_event_size=limit), pieces)
            if expected is None:
                assert outcome.failure is None
                continue
            assert outcome.failure is not None
            assert (outcome.failure["offset"], outcome.failure["frame"]) == (expected.offset, expected.frame)
            assert outcome.failed_at == earliest(expected.at, pieces)


@given(body=STREAMS, cuts=CUTS, flush=st.booleans(), held=st.integers(0, 12))
def test_data_put_together_as_it_comes_is_that_of_the_naive_reader(
    body: bytes, cuts: list[int], flush: bool, held: int
) -> None:
    expected = naive.read_sse(body, flush=flush)
    for pieces in (cut(body, cuts), [body[i : i + 1] for i in range(len(body))]):
        parser = holding(held, eof="flush" if flush else "discard")
        assert run(parser, pieces).items == expected.events
        assert (parser.last_event_id, parser.retry) == (expected.last_event_id, expected.retry)
        assert parser.truncated is expected.truncated


@given(body=STREAMS, cuts=CUTS, limit=st.integers(1, 40), held=st.integers(0, 12))
def test_data_put_together_as_it_comes_counts_for_the_limit(
    body: bytes, cuts: list[int], limit: int, held: int
) -> None:
    whole = run(_pure.SSEParser(max_event_size=limit), [body])
    for pieces in (cut(body, cuts), [body[i : i + 1] for i in range(len(body))]):
        outcome = run(holding(held, max_event_size=limit), pieces)
        assert (outcome.items, outcome.failure) == (whole.items, whole.failure)


def holding(held: int, **options: Any) -> Any:
    """Return a parser of the Python half that puts data together where more than ``held`` bytes wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("millstream._pure.sse._HELD", held)
        return _pure.SSEParser(**options)


def profiled(parser: Any, data: bytes, called: Any) -> Any:
    """Feed ``data``, and call ``called`` in the call that puts it together."""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == "append":
            called()

    sys.setprofile(profile)
    try:
        return parser.feed(data)
    finally:
        sys.setprofile(None)


def test_a_call_from_inside_the_one_that_puts_data_together_raises(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    raised = []

    def call() -> None:
        with pytest.raises(RuntimeError, match=r"^feed\(\) is running$") as caught:
            parser.feed(b"more")
        raised.append(caught.value)
        assert parser.failure is None

    assert profiled(parser, b"data: " + b"x" * (HELD + 9), call) == []
    assert len(raised) == 1
    assert [event.data for event in parser.feed(b"y\n\n")] == ["x" * (HELD + 9) + "y"]


def test_an_exception_while_data_is_put_together_means_that_it_is_lost(impl: ModuleType) -> None:
    parser = impl.SSEParser()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profiled(parser, b"data: " + b"x" * (HELD + 9), interrupt)
    for call in (lambda: parser.feed(b"\n\n"), parser.close):
        with pytest.raises(RuntimeError, match=r"part of the stream is lost$"):
            call()


# Beyond 32 MB the C library of Linux moves pages instead of bytes, whatever was there before.
PEAK = """
import sys
from importlib import import_module

def kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))

def read(size):
    parser = import_module(sys.argv[1]).SSEParser(max_event_size=1 << 30)
    parser.feed(b"data: ")
    for _ in range(size >> 16):
        assert parser.feed(piece) == []
    return parser.feed(b"\\n\\n")[0].data

piece = b"p" * 65536
read(1 << 18)
before = kilobytes("VmRSS")
assert len(read(1 << 26)) == 1 << 26
print((kilobytes("VmHWM") - before) << 10)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system does not say what a process takes")
def test_a_large_event_takes_hardly_more_memory_than_its_text(impl: ModuleType) -> None:
    path = str(Path(millstream.__file__).parents[1])
    command = [sys.executable, "-c", PEAK, impl.__name__]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) <= 1.5 * (1 << 26)
