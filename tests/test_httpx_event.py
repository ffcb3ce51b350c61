"""The events of httpx-sse's interface, and the calls that return them: equal in both halves of the core."""

import copy
import gc
import inspect
import pickle
import weakref
from collections.abc import Iterator
from itertools import accumulate
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millstream.errors import EventTooLargeError
from naive import read_sse
from strategies import CUTS, STREAMS
from streams import Halves, attempt, cut, run

MEMBERS = ["data", "event", "id", "json", "retry"]
VALUES = st.sampled_from([None, "", "a", "\u00e9", "it's", 0, 5, -1, 2**64, b"x", True])

# One event each, or nearly.
READS = [
    *(
        b"data: a\n\n",
        b"data:a\r\n\r\n",
        b"data:\n\n",
        b"data: \n\n",
        b"data\n\n",
        b"data: \xffa\n\n",
        b"data: \xc3\xa9\n\n",
    ),
    *(b"data: a\r\r", b"data: a\r\n\n", b"data: a\n\r\n", b"data: a\r\r\n\r\n", b"data: a\n\n\n", b"data: a\n"),
    *(b"data: a\ndata: b\n\n", b"data: a\n\ndata: b\n\n", b"id: 1\ndata: a\n\n", b"id\n\n", b"\n", b"\xef\xbb\xbf"),
]


def fields(event: Any) -> tuple[Any, ...]:
    return event.event, event.data, event.id, event.retry


def flat(outputs: list[Any]) -> list[Any]:
    """Return the events that ``_feed_counted`` returned alone or in lists."""
    return [event for output in outputs for event in (output if isinstance(output, list) else [output])]


def test_the_twins_are_alike(halves: Halves) -> None:
    rust, python = (half.HTTPXServerSentEvent for half in halves)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        assert inspect.getdoc(rust) == inspect.getdoc(python)
        if name != "__doc__":
            assert getattr(rust, name) == getattr(python, name)
    assert [*inspect.signature(rust).parameters] == [*inspect.signature(python).parameters]
    for name in MEMBERS:
        assert inspect.getdoc(getattr(rust, name)) == inspect.getdoc(getattr(python, name))
    for name in ("_feed_counted", "_iterate_counted"):
        assert inspect.getdoc(getattr(halves.rust.SSEParser, name)) == inspect.getdoc(
            getattr(halves.python.SSEParser, name)
        )
    assert [name for name in dir(rust) if name[0] != "_"] == [name for name in dir(python) if name[0] != "_"] == MEMBERS


@given(VALUES, VALUES, VALUES, VALUES)
def test_the_twins_are_made_alike(halves: Halves, event: Any, data: Any, id: Any, retry: Any) -> None:
    made = [attempt(lambda half=half: repr(half.HTTPXServerSentEvent(event, data, id, retry))) for half in halves]
    assert made[0] == made[1]


def test_an_event_is_like_an_object_of_python(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.integrations.httpx_sse.ServerSentEvent", impl.HTTPXServerSentEvent)

    class Own(impl.HTTPXServerSentEvent):  # type: ignore[misc, name-defined]
        extra = 1

    own = Own(data="[1]", id="x")
    assert (own.json(), own.extra, repr(own)) == ([1], 1, "ServerSentEvent(event='message', data='[1]', id='x')")
    event = impl.HTTPXServerSentEvent("e", "d", "i", 3)
    assert weakref.ref(event)() is event
    assert event != copy.copy(event)
    assert len({event, event}) == 1
    assert fields(copy.deepcopy(event)) == ("e", "d", "i", 3)
    assert repr(pickle.loads(pickle.dumps(event))) == repr(event)
    for name in ("event", "data", "id", "retry"):
        with pytest.raises(AttributeError):
            setattr(event, name, "x")


@given(STREAMS, CUTS)
def test_counted_events_are_those_of_the_specification(halves: Halves, data: bytes, cuts: list[int]) -> None:
    reads = cut(data, cuts)
    expected = [tuple(event[1:]) for event in read_sse(data).events]
    for half in halves:
        counter = SimpleNamespace(_num_bytes_downloaded=0)
        parser = half.SSEParser()
        events = flat([parser._feed_counted(read, counter) for read in reads])
        assert [fields(event) for event in events] == expected
        assert all(type(event) is half.HTTPXServerSentEvent for event in events)
        assert parser._counted == len(data)
        assert 0 <= len(data) - counter._num_bytes_downloaded < 4096
        iterated = list(half.SSEParser()._iterate_counted(reads, SimpleNamespace()))
        assert [repr(event) for event in iterated] == [repr(event) for event in events]


@given(st.lists(st.sampled_from(READS), max_size=12), st.sampled_from([7, 8, 9, 10, 1000]))
def test_a_read_of_one_event_is_read_as_its_bytes_are(halves: Halves, reads: list[bytes], limit: int) -> None:
    data = b"".join(reads)
    due = run(halves.python.SSEParser(max_event_size=limit), [bytes([byte]) for byte in data])
    for half in halves:
        found = run(half.SSEParser(max_event_size=limit), reads)
        assert (found.items, found.failure) == (due.items, due.failure)
        counted: list[Any] = []
        events = half.SSEParser(max_event_size=limit)._iterate_counted(reads, SimpleNamespace())
        error = attempt(lambda events=events, counted=counted: counted.extend(events))
        assert [("ServerSentEvent", *fields(event)) for event in counted] == due.items
        assert (error is None) is (due.failure is None)


def test_a_single_event_is_returned_alone(impl: ModuleType) -> None:
    parser, counter = impl.SSEParser(), SimpleNamespace()
    assert parser._feed_counted(b"data: a", counter) == []
    assert parser._feed_counted(bytearray(b"\n\n"), counter).data == "a"
    assert [event.data for event in parser._feed_counted(b"data: b\n\ndata: c\n\n", counter)] == ["b", "c"]
    with pytest.raises(TypeError, match="takes bytes, not str"):
        parser._feed_counted("data: a\n\n", counter)
    assert parser._counted == 27
    parser = impl.SSEParser(max_event_size=50)
    (event,) = parser._feed_counted(b"data: a\n\ndata: " + b"x" * 100, counter)
    assert (event.data, type(parser.failure)) == ("a", EventTooLargeError)


@given(st.lists(st.integers(0, 9000), max_size=9))
def test_the_halves_report_the_same_counts(halves: Halves, sizes: list[int]) -> None:
    seen = []
    for half in halves:
        parser, counter = half.SSEParser(), SimpleNamespace(_num_bytes_downloaded=0)
        for total, size in zip(accumulate(sizes), sizes, strict=True):
            parser._feed_counted(b":" * size, counter)
            assert 0 <= total - counter._num_bytes_downloaded < 4096
            seen.append(counter._num_bytes_downloaded)
    assert seen[: len(sizes)] == seen[len(sizes) :]


def test_a_large_event_is_whole(impl: ModuleType) -> None:
    data = b"x" * (1 << 20)
    reads = [b"data: ", *[data] * 3, b"\n\n"]
    (event,) = impl.SSEParser()._iterate_counted(reads, SimpleNamespace())
    assert event.data == "x" * (3 << 20)


@pytest.mark.parametrize("before", [b"", b"data: 1\n\n", b"data: 1\n\ndata: 2\n\n"])
def test_an_event_that_is_too_large_ends_the_iteration_before_the_next_read(impl: ModuleType, before: bytes) -> None:
    def reads() -> Iterator[bytes]:
        yield before + b"data: " + b"x" * 100
        raise AssertionError

    events = impl.SSEParser(max_event_size=50)._iterate_counted(reads(), SimpleNamespace())
    for _ in range(before.count(b"data")):
        next(events)
    with pytest.raises(EventTooLargeError):
        next(events)


def test_an_exception_of_the_reads_is_raised_after_the_events_before_it(impl: ModuleType) -> None:
    def reads() -> Iterator[bytes]:
        yield b"data: 1\n\ndata: 2\n\n"
        raise LookupError("lost")

    events = impl.SSEParser()._iterate_counted(reads(), SimpleNamespace())
    assert [next(events).data, next(events).data] == ["1", "2"]
    with pytest.raises(LookupError, match="lost"):
        next(events)


def test_reads_that_are_not_iterable_raise_as_a_loop_over_them(impl: ModuleType) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(impl.SSEParser()._iterate_counted(3, SimpleNamespace()))


def test_a_circle_through_the_iterator_is_collected(native: ModuleType) -> None:
    class Counter:
        events: Any

    counter = Counter()
    counter.events = native.SSEParser()._iterate_counted([b"data: 1\n\n"], counter)
    next(counter.events)
    gone = weakref.ref(counter)
    del counter
    gc.collect()
    assert gone() is None
