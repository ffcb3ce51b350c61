"""``StreamDecoder._feed_parts`` and ``_feed_record_parts``: what a chat model's chunks are made of."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import each, load, load_wire
from millstream._values import read_json
from millstream.errors import StreamError
from strategies import CUTS, FORMATS, STREAMS, TEXTS, objects
from streams import Halves, bytes_of, cut, described, splits

PREFIX, SUFFIX = b'data: {"chunk":', b"}\n\n"
NAMES = ("id", "model", "system_fingerprint", "service_tier")
WIRE = load_wire("openai.completions", "openai.chat")


def parts_of(
    impl: ModuleType, format_: str, pieces: list[bytes], *, records: bool = False, **options: Any
) -> list[Any]:
    decoder = impl.StreamDecoder(format_, **options)
    found: list[Any] = []
    for piece in pieces:
        if decoder.failure is not None:
            break
        parts = decoder._feed_record_parts(piece, PREFIX, SUFFIX) if records else decoder._feed_parts(piece)
        found += [parts] if isinstance(parts, bytes) else parts
    try:
        found += decoder._close_parts()
    except StreamError as error:
        found += [*error.items, described(error)]
    return [*found, decoder.ended, decoder.text, decoder.deltas_seen]


def shown(parts: list[Any]) -> list[Any]:
    """Return the parts without their classes, which differ between the halves."""
    return [repr(part) for part in parts]


def as_deltas(impl: ModuleType, parts: list[Any]) -> list[Any]:
    made = [impl.Delta(text=part) if isinstance(part, str) else part for part in parts]
    return [repr(part) for part in made if not isinstance(part, tuple)]


def decoded(impl: ModuleType, format_: str, body: bytes, **options: Any) -> list[Any]:
    decoder = impl.StreamDecoder(format_, **options)
    found = decoder.feed(body)
    try:
        found += decoder.close()
    except StreamError as error:
        found += [*error.items, described(error)]
    return [repr(delta) for delta in found if getattr(delta, "index", 0) == 0]


@each(WIRE)
def test_parts_are_choice_0_s_deltas_at_every_split(impl: ModuleType, case: dict[str, Any]) -> None:
    body, format_, options = case["body"], case["format"], case["options"]
    whole = parts_of(impl, format_, [body], **options)
    assert as_deltas(impl, whole[:-3]) == decoded(impl, format_, body, **options)
    for pieces in splits(body):
        assert shown(parts_of(impl, format_, pieces, **options)) == shown(whole)


@each([case for name in ("decode", "decode_errors") for case in load(name)])
def test_parts_of_our_own_cases_are_choice_0_s_deltas(impl: ModuleType, case: dict[str, Any]) -> None:
    body, format_, options = bytes_of(case), case["format"], case.get("options", {})
    whole = parts_of(impl, format_, [body], **options)
    assert as_deltas(impl, whole[:-3]) == decoded(impl, format_, body, **options)
    assert shown(parts_of(impl, format_, [body[i : i + 1] for i in range(len(body))], **options)) == shown(whole)


@each([case for case in WIRE if not case["body"].lstrip().startswith(b"{")])
def test_the_description_reported_is_that_of_the_payloads(impl: ModuleType, case: dict[str, Any]) -> None:
    described: dict[str, str | None] = dict.fromkeys(NAMES)
    expected = []
    for line in case["body"].splitlines():
        try:
            payload = json.loads(line.partition(b":")[2]) if line.startswith(b"data:") else None
        except ValueError:
            continue
        if isinstance(payload, dict):
            now = {**described, **{name: payload[name] for name in NAMES if isinstance(payload.get(name), str)}}
            now = {name: text or described[name] for name, text in now.items()}
            now["id"] = described["id"] or now["id"]
            if now != described:
                described = now
                expected.append(tuple(now.values()))
    found = [part for part in parts_of(impl, case["format"], [case["body"]])[:-3] if isinstance(part, tuple)]
    assert found == expected[: len(found)]
    assert found or not expected or "after" in case["name"]


@each(WIRE)
def test_record_parts_are_the_parts_with_records_for_strings(impl: ModuleType, case: dict[str, Any]) -> None:
    for pieces in splits(case["body"]):
        found = parts_of(impl, case["format"], pieces, records=True, **case["options"])
        read: list[Any] = []
        for part in found:
            lines = part.split(SUFFIX)[:-1] if isinstance(part, bytes) else ()
            read += [read_json(line.removeprefix(PREFIX)) for line in lines] if isinstance(part, bytes) else [part]
        assert shown(read) == shown(parts_of(impl, case["format"], pieces, **case["options"]))


def payload(text: str, **described: str) -> bytes:
    body = {**described, "choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def test_records_come_alone_where_there_is_nothing_else(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    frames = payload("a", model="1"), payload("b", model="1"), payload("c", model="2"), payload("d", model="2")
    assert decoder._feed_record_parts(frames[0], b"<", b">") == [(None, "1", None, None), b'<"a">']
    assert decoder._feed_record_parts(frames[1] * 2, b"<", b">") == b'<"b"><"b">'
    assert decoder._feed_record_parts(b"", b"<", b">") == b""
    news = [b'<"b">', (None, "2", None, None), b'<"c"><"d">']
    assert decoder._feed_record_parts(b"".join(frames[1:]), b"<", b">") == news


def test_a_changed_description_is_reported_although_the_payloads_are_otherwise_alike(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    described = [decoder._feed_parts(payload("x", id="1", model=str(i))) for i in range(5)]
    assert described == [[("1", str(i), None, None), "x"] for i in range(5)]


def test_an_id_is_reported_once_although_each_payload_has_its_own(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    described = [decoder._feed_parts(payload("x", id=str(i), model="m")) for i in range(5)]
    assert described == [[("0", "m", None, None), "x"], *[["x"]] * 4]


def test_a_description_comes_again_where_an_earlier_one_returns(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    role = {"role": "assistant", "content": "x"}
    frames = [
        b"data: " + json.dumps({"model": model, "choices": [{"delta": delta}]}).encode() + b"\n\n"
        for model, delta in (("a", role), ("b", {"content": "y"}), ("a", role))
    ]
    described = [[part for part in decoder._feed_parts(frame) if isinstance(part, tuple)] for frame in frames]
    assert described == [[(None, model, None, None)] for model in "aba"]


def test_a_decoder_of_parts_hands_out_nothing_else(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    decoder._feed_parts(b"")
    with pytest.raises(ValueError, match="this StreamDecoder hands out parts: deltas need one of their own"):
        decoder.feed(b"")
    other = impl.StreamDecoder("openai.chat")
    other.feed(b"")
    with pytest.raises(ValueError, match="this StreamDecoder hands out deltas: parts need one of their own"):
        other._feed_parts(b"")


DESCRIBED = objects(
    id=st.sampled_from(["", "1", "2"]),
    model=st.sampled_from(["", "m", "n"]),
    system_fingerprint=st.sampled_from(["f", "g"]),
    service_tier=st.just("t"),
    choices=st.sampled_from([{"content": "x"}, {"role": "assistant", "content": "y"}, {"content": ""}]).map(
        lambda delta: [{"index": 0, "delta": delta, "text": delta["content"]}]
    ),
)


@given(
    format_=FORMATS,
    payloads=st.lists(DESCRIBED, max_size=8),
    cuts=CUTS,
    end=st.sampled_from([b"\n", b"\r\n"]),
    lines=st.booleans(),
)
def test_both_halves_describe_a_response_alike(
    halves: Halves, format_: str, payloads: list[Any], cuts: list[int], end: bytes, lines: bool
) -> None:
    frames = [json.dumps(payload, indent=0 if lines else None).encode() for payload in payloads]
    data = [b"data: " + frame.replace(b"\n", end + b"data: ") + end + end for frame in frames]
    pieces = cut(b"".join(data), cuts)
    native, pure = (parts_of(impl, format_, pieces) for impl in halves)
    assert shown(native) == shown(pure)


@given(format_=FORMATS, payloads=st.lists(TEXTS, max_size=6), junk=STREAMS, cuts=CUTS, records=st.booleans())
def test_both_halves_hand_out_the_same_parts(
    halves: Halves, format_: str, payloads: list[bytes], junk: bytes, cuts: list[int], records: bool
) -> None:
    pieces = cut(b"".join(b"data: " + payload + b"\n\n" for payload in payloads) + junk, cuts)
    native, pure = (parts_of(impl, format_, pieces, records=records) for impl in halves)
    assert shown(native) == shown(pure)
