"""``StreamDecoder.feed_records`` and ``close_records``: the records of the texts that ``feed_text`` gives."""

import gc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import each, load, load_wire
from millstream._values import write_string
from millstream.errors import StreamError
from strategies import CUTS, FORMATS, STREAMS, TEXTS
from streams import Halves, bytes_of, cut, described, few_ways, splits

PREFIX, SUFFIX = b'data: {"chunk":', b"}\n\n"
ENDS = [b"", b"data: [DONE]\n\n", b"data: [DONE]", b"data: {bad}\n\n", b'data: {"error":"no"}\n\n']


def records_of(texts: list[str]) -> bytes:
    return b"".join(PREFIX + write_string(text) + SUFFIX for text in texts)


def steps(decoder: Any, pieces: list[bytes], *, records: bool) -> list[Any]:
    """Return what each call returns, and how the stream ended; texts as the records they would be."""
    found: list[Any] = []
    for piece in pieces:
        if decoder.failure is not None:
            break
        found.append(decoder.feed_records(piece, PREFIX, SUFFIX) if records else records_of(decoder.feed_text(piece)))
    try:
        found.append(decoder.close_records(PREFIX, SUFFIX) if records else records_of(decoder.close_text()))
    except StreamError as error:
        found += [b"".join(error.items) if records else records_of(error.items), described(error)]
    return [*found, decoder.ended, decoder.text, decoder.deltas_seen, decoder.finish_reason, decoder.usage]


def check_records(impl: ModuleType, format_: str, pieces: list[bytes], **options: Any) -> list[Any]:
    found = steps(impl.StreamDecoder(format_, **options), pieces, records=True)
    assert found == steps(impl.StreamDecoder(format_, **options), pieces, records=False)
    return found


@each(load_wire("openai.completions", "openai.chat"))
def test_records_are_those_of_the_texts_at_every_split(impl: ModuleType, case: dict[str, Any]) -> None:
    for pieces in splits(case["body"]):
        check_records(impl, case["format"], pieces, **case["options"])


@each([case for name in ("decode", "decode_errors") for case in load(name)])
def test_records_of_our_own_cases_are_those_of_the_texts(impl: ModuleType, case: dict[str, Any]) -> None:
    body = bytes_of(case)
    for pieces in few_ways(body, 50):
        check_records(impl, case["format"], pieces, **case.get("options", {}))


@given(format_=FORMATS, payloads=st.lists(TEXTS, max_size=6), junk=STREAMS, end=st.sampled_from(ENDS), cuts=CUTS)
def test_any_stream_makes_the_same_records_in_both_halves(
    halves: Halves, format_: str, payloads: list[bytes], junk: bytes, end: bytes, cuts: list[int]
) -> None:
    body = b"".join(b"data: " + payload + b"\n\n" for payload in payloads) + junk + end
    for pieces in ([body], cut(body, cuts)):
        rust, python = (check_records(half, format_, pieces) for half in halves)
        assert rust == python


def test_a_decoder_hands_out_records_or_something_else(impl: ModuleType) -> None:
    names = {"text": "text needs one", "deltas": "deltas need one", "records": "records need one"}
    calls: dict[str, Callable[[Any], Any]] = {
        "text": lambda decoder: decoder.feed_text(b""),
        "deltas": lambda decoder: decoder.feed(b""),
        "records": lambda decoder: decoder.feed_records(b"", b"", b""),
    }
    for first, call in calls.items():
        for second, other in calls.items():
            decoder = impl.StreamDecoder("openai.chat")
            call(decoder)
            if first != second:
                with pytest.raises(ValueError, match=f"this StreamDecoder hands out {first}: {names[second]}"):
                    other(decoder)


@pytest.mark.thread_unsafe(reason="counts the objects of the process")
def test_a_read_makes_one_object_however_many_records_it_completes(native: ModuleType) -> None:
    frame = b'data: {"choices":[{"text":" a","x":["y","z"]}],"id":"i"}\n\n'

    def made(count: int) -> int:
        decoder, outs = native.StreamDecoder("openai.completions"), [b""]
        body = frame * count
        before = sys.getallocatedblocks()
        outs[0] = decoder.feed_records(body, PREFIX, SUFFIX)
        blocks = sys.getallocatedblocks() - before
        assert outs[0] == records_of([" a"]) * count
        return blocks

    gc.collect()
    gc.disable()
    try:
        made(1)
        assert min(made(1000) for _ in range(3)) == min(made(10) for _ in range(3)) <= 2
    finally:
        gc.enable()


@pytest.mark.parametrize("method", ["feed_records", "_feed_record_parts", "close_records"])
@pytest.mark.parametrize(("wrong", "name"), [(1, "int"), ("x", "str"), (None, "NoneType")])
def test_what_stands_around_a_record_is_bytes(halves: Halves, method: str, wrong: Any, name: str) -> None:
    data = [] if method == "close_records" else [b"data: [DONE]\n\n"]
    for half in halves:
        for around in [(wrong, b""), (b"", wrong)]:
            decoder = half.StreamDecoder("openai.chat")
            with pytest.raises(TypeError) as caught:
                getattr(decoder, method)(*data, *around)
            assert str(caught.value) == f"{method}() takes bytes, not {name}"
            assert not decoder.done
        decoder = half.StreamDecoder("openai.completions")
        text = b'data: {"choices":[{"text":"a"}]}\n\n'
        assert decoder.feed_records(text, bytearray(b"<"), memoryview(b">")) == b'<"a">'
