"""SSEParser and ServerSentEvent: the specification, for every way the bytes can arrive."""

import json
import random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cases import event_fields, failure_fields, load
from streams import bytes_of, cut, run, splits

PIECES = [
    *(b"data", b"event", b"id", b"retry", b"dat", b"x", b"error"),
    *(b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"data: ", b"id: ", b"event: ", b"retry: "),
    *(b"1", b"23", b"\0", b"\t", b"\x0b", b"\xe2\x80\xa8"),
    *(b"\xef\xbb\xbf", b"\xef\xbb", b"\xff", b"\xf0\x9f", b"\x98\x80"),
]
STREAMS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
CUTS = st.lists(st.integers(0, 120), max_size=8)
RANGE = "max_event_size must be at least 1 and below 2**63 bytes"


def earliest(due: int | None, pieces: list[bytes]) -> int | None:
    """Return how many bytes had been fed with the piece that holds byte ``due``; ``None``: close has its say."""
    if due is None:
        return None
    fed = 0
    for piece in pieces:
        fed += len(piece)
        if fed >= due and piece:
            return fed
    raise AssertionError("the pieces are too short")


def test_every_split_gives_the_events_of_the_specification(impl: ModuleType) -> None:
    for case in load("sse"):
        final = case["final_last_event_id"], case["final_retry"]
        expected = [event_fields(event) for event in case["expected"]]
        for pieces in splits(bytes_of(case)):
            parser = impl.SSEParser()
            outcome = run(parser, pieces)
            assert outcome.items == expected, case["name"]
            assert outcome.failure is None, case["name"]
            assert outcome.at == [earliest(due, pieces) for due in case["dispatch_at"]], case["name"]
            assert (parser.last_event_id, parser.retry) == final, case["name"]


def test_an_unfinished_event_is_discarded_and_the_stream_called_truncated(impl: ModuleType) -> None:
    for case in load("sse_flush"):
        final = case["final_last_event_id"], case["final_retry"]
        for pieces in splits(bytes_of(case)):
            parser = impl.SSEParser()
            assert run(parser, pieces).items == [event_fields(event) for event in case["expected"]], case["name"]
            assert parser.truncated is case["truncated"], case["name"]
            assert (parser.last_event_id, parser.retry) == final, case["name"]


def test_eof_flush_dispatches_an_unfinished_event_at_close(impl: ModuleType) -> None:
    for case in load("sse_flush"):
        flushed = case["flush_last_event_id"], case["flush_retry"]
        for pieces in splits(bytes_of(case)):
            parser = impl.SSEParser(eof="flush")
            outcome = run(parser, pieces)
            assert outcome.items == [event_fields(event) for event in case["expected"] + case["flushed"]], case["name"]
            assert outcome.at.count(None) == len(case["flushed"]), case["name"]
            assert parser.truncated is case["truncated"], case["name"]
            assert (parser.last_event_id, parser.retry) == flushed, case["name"]


def test_an_event_fails_with_the_byte_that_makes_it_too_large(impl: ModuleType) -> None:
    for case in (one for one in load("limits") if one["reader"] == "SSEParser"):
        for pieces in splits(bytes_of(case)):
            outcome = run(impl.SSEParser(max_event_size=case["max_event_size"]), pieces)
            assert outcome.items == [event_fields(event) for event in case["expected"]], case["name"]
            assert outcome.failure == failure_fields(case["failure"]), case["name"]
            if case["failure"]:
                assert outcome.failed_at == earliest(case["failure"]["at"], pieces), case["name"]


@given(body=STREAMS, cuts=CUTS, flush=st.booleans())
def test_any_stream_reads_as_the_naive_reader_reads_it(
    impl: ModuleType, body: bytes, cuts: list[int], flush: bool
) -> None:
    expected = naive.read_sse(body, flush=flush)
    parser = impl.SSEParser(eof="flush" if flush else "discard")
    assert run(parser, cut(body, cuts)).items == expected.events
    assert parser.last_event_id == expected.last_event_id
    assert parser.retry == expected.retry
    assert parser.truncated is expected.truncated


@given(body=STREAMS, cuts=CUTS, limit=st.integers(1, 40))
def test_any_stream_grows_too_large_where_the_naive_reader_says(
    impl: ModuleType, body: bytes, cuts: list[int], limit: int
) -> None:
    expected = naive.too_large(body, limit)
    pieces = cut(body, cuts)
    outcome = run(impl.SSEParser(max_event_size=limit), pieces)
    if expected is None:
        assert outcome.failure is None
        assert outcome.items == naive.read_sse(body).events
        return
    assert outcome.failure == {
        "type": "EventTooLargeError",
        "message": f"an event grew past max_event_size={limit} bytes",
        "offset": expected.offset,
        "frame": expected.frame,
        "text": "",
        "text_complete": True,
        "deltas_seen": len(outcome.items),
    }
    assert outcome.failed_at == earliest(expected.at, pieces)
    assert outcome.items == naive.read_sse(body[: expected.at]).events


def test_the_last_event_id_is_that_of_the_last_dispatch(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    parser.feed(b"id: 1\ndata: a\n\nid: 2\n")
    assert parser.last_event_id == "1"
    parser.feed(b"\n")
    assert parser.last_event_id == "2"


def test_a_reconnection_time_takes_effect_at_the_end_of_its_line(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    parser.feed(b"retry: 10")
    assert parser.retry is None
    parser.feed(b"0\r")
    assert parser.retry == 100
    assert parser.feed(b"\ndata: a\n\n")[0].retry == 100
    assert parser.feed(b"retry: 18446744073709551616\ndata: b\n\n")[0].retry is None
    assert parser.retry == 100


def test_truncated_is_false_before_close(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    parser.feed(b"data: a")
    assert parser.truncated is False
    parser.close()
    assert parser.truncated is True


def test_an_empty_read_changes_nothing(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    pieces = [b"\xef", b"\xbb", b"\xbf", b"data: a\r", b"\n", b"\r", b"\n", b"data: b\n", b"\n"]
    read = [event.data for piece in pieces for data in (b"", piece) for event in parser.feed(data)]
    assert read == ["a", "b"]


def test_other_buffers_are_copied(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    shared = bytearray(b"data: ab")
    parser.feed(shared)
    shared[:] = b"#" * len(shared)
    parser.feed(memoryview(b"c.d.\n.")[::2])
    assert [event.data for event in parser.feed(memoryview(b"\n"))] == ["abcd"]


@pytest.mark.parametrize(("data", "kind"), [("data: a", "str"), (None, "NoneType"), (1, "int"), ([100], "list")])
def test_feed_takes_nothing_but_bytes(impl: ModuleType, data: Any, kind: str) -> None:
    parser = impl.SSEParser()
    with pytest.raises(TypeError, match=f"^feed\\(\\) takes bytes, not {kind}$"):
        parser.feed(data)
    assert parser.feed(b"data: a\n\n")[0].data == "a"


def test_close_again_returns_nothing_and_feed_after_close_raises(impl: ModuleType) -> None:
    parser = impl.SSEParser(eof="flush")
    parser.feed(b"data: a")
    assert [event.data for event in parser.close()] == ["a"]
    assert parser.close() == []
    for data in (b"data: b\n\n", b""):
        with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
            parser.feed(data)
    with pytest.raises(TypeError, match=r"^feed\(\) takes bytes, not str$"):
        parser.feed("data: b")
    assert parser.failure is None


def test_a_failure_is_raised_by_every_later_call_and_stays_the_same(impl: ModuleType) -> None:
    parser = impl.SSEParser(max_event_size=10)
    assert [event.data for event in parser.feed(b"data: a\n\ndata: 12345")] == ["a"]
    failure = parser.failure
    for call in (lambda: parser.feed(b"\n\n"), lambda: parser.feed(b""), parser.close, parser.close):
        with pytest.raises(ValueError, match="^an event grew past max_event_size=10 bytes$") as caught:
            call()
        assert caught.value is failure
    with pytest.raises(TypeError, match="not str"):
        parser.feed("x")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_event_size": 0}, ValueError, f"{RANGE}, not 0"),
        ({"max_event_size": -1}, ValueError, f"{RANGE}, not -1"),
        ({"max_event_size": 2**63}, ValueError, f"{RANGE}, not {2**63}"),
        ({"max_event_size": 2**70}, ValueError, f"{RANGE}, not {2**70}"),
        ({"max_event_size": 1.5}, TypeError, "max_event_size must be an int, not float"),
        ({"max_event_size": True}, TypeError, "max_event_size must be an int, not bool"),
        ({"max_event_size": None}, TypeError, "max_event_size must be an int, not NoneType"),
        ({"eof": "keep"}, ValueError, "eof must be one of 'discard', 'flush', not 'keep'"),
        ({"eof": None}, ValueError, "eof must be one of 'discard', 'flush', not None"),
    ],
)
def test_options_are_checked(impl: ModuleType, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        impl.SSEParser(**options)
    assert str(caught.value) == message


def test_options_are_keyword_only(impl: ModuleType) -> None:
    with pytest.raises(TypeError):
        impl.SSEParser(1000)
    assert impl.SSEParser(max_event_size=2**63 - 1, eof="discard").feed(b"data: a\n\n")[0].data == "a"


def test_an_event_reads_its_data_as_json(impl: ModuleType) -> None:
    assert impl.ServerSentEvent(data='{"a": [1, "\\ud83d", "\u00e9"]}').json() == {"a": [1, "\ufffd", "\u00e9"]}
    with pytest.raises(json.JSONDecodeError):
        impl.ServerSentEvent(data="[DONE]").json()


def test_random_reads_of_a_long_stream_give_every_event(impl: ModuleType) -> None:
    bodies = [f"event: e{i}\r\nid: {i}\r\ndata: \u017elu\u0165 {i}\r\ndata: \U0001f600\r\n\r\n" for i in range(300)]
    body = "".join(bodies).encode()
    expected = [("ServerSentEvent", f"e{i}", f"\u017elu\u0165 {i}\n\U0001f600", str(i), None) for i in range(300)]
    for seed in range(20):
        positions = random.Random(seed).choices(range(len(body)), k=200)
        assert run(impl.SSEParser(), cut(body, positions)).items == expected
