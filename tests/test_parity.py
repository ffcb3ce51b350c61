"""The two halves in one process: equal results, exceptions, messages and reprs for anything at all."""

import json
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cases import load, load_wire
from strategies import (
    BROKEN_UTF8,
    CUTS,
    DOCUMENTS,
    EDIT,
    FORMATS,
    JUNK,
    STREAMS,
    STRINGS,
    TEXTS,
    TOOL_PAYLOADS,
    written,
)
from streams import Halves, Outcome, attempt, bytes_of, cut, described, run, splits

OWN = [case for name in ("decode", "decode_errors") for case in load(name)]
BODIES = [case["body"] for case in load_wire("openai.chat", "openai.completions")] + [bytes_of(case) for case in OWN]
LIMITS: Any = st.just({}) | st.integers(1, 200).map(lambda size: {"max_event_size": size})
TAILS = [b"", b"data: [DONE]\n\n", b"data: [DONE]", b"data: {bad}\n\n"]
ARGUMENTS: Any = st.none() | STRINGS | st.text("a\r\n\0", max_size=4) | st.binary(max_size=6) | st.integers(-1, 2)
RETRIES = ARGUMENTS | st.integers(2**64 - 2, 2**64 + 1) | st.booleans() | st.just(2.5)
OPTIONS = JUNK | st.integers(-1, 2**64) | st.sampled_from(["flush", "join", "strict", "openai.chat"])
STATE = (
    "ended",
    "done",
    "text",
    "deltas_seen",
    "finish_reason",
    "usage",
    "error",
    "seen",
    "text_complete",
    "_has_choices",
    "_contents_seen",
    "_kept_logprobs",
    "_kept_text",
)


def check_decoders(halves: Halves, format_: str, body: bytes, cuts: list[int], **options: Any) -> None:
    """Check that both halves, at this split and whole, for deltas and for text, say the same."""
    outcomes: list[tuple[Outcome, Outcome]] = []
    for text in (False, True):
        decoders = [half.StreamDecoder(format_, **options) for half in halves for _ in range(2)]
        ways = [[body], cut(body, cuts)] * 2
        rust, split_rust, python, split_python = (
            run(decoder, pieces, text=text) for decoder, pieces in zip(decoders, ways, strict=True)
        )
        assert rust == split_rust, "the Rust half depends on the split"
        assert python == split_python, "the Python half depends on the split"
        assert rust == python
        assert (split_rust.at, split_rust.failed_at) == (split_python.at, split_python.failed_at)
        states = [[attempt(getattr, decoder, name) for name in STATE] for decoder in decoders]
        assert states == [states[0]] * 4
        # Nothing that comes out holds half a pair.
        json.dumps([rust.items, states], ensure_ascii=False).encode()
        outcomes.append((rust, split_rust))
    (deltas, split_deltas), (texts, split_texts) = outcomes
    assert (deltas.failure, split_deltas.failed_at) == (texts.failure, split_texts.failed_at)
    shown = [(delta[3], delta[7]) for delta in deltas.items if delta[1] == 0]
    assert texts.items == [piece or "" for piece, finish in shown if piece is not None or finish is not None]


@given(body=STREAMS, cuts=CUTS, eof=st.sampled_from(["discard", "flush"]), limit=LIMITS)
def test_any_bytes_make_the_same_events(
    halves: Halves, body: bytes, cuts: list[int], eof: str, limit: dict[str, int]
) -> None:
    parsers = [half.SSEParser(eof=eof, **limit) for half in halves for _ in range(2)]
    outcomes = [run(parser, way) for parser, way in zip(parsers, [[body], cut(body, cuts)] * 2, strict=True)]
    assert outcomes == [outcomes[0]] * 4
    assert (outcomes[1].at, outcomes[1].failed_at) == (outcomes[3].at, outcomes[3].failed_at)
    states = [(parser.last_event_id, parser.retry, parser.truncated) for parser in parsers]
    assert states == [states[0]] * 4


@given(body=st.binary(max_size=60), cuts=CUTS, format_=FORMATS)
def test_any_bytes_make_the_same_deltas(halves: Halves, body: bytes, cuts: list[int], format_: str) -> None:
    check_decoders(halves, format_, body, cuts)


@given(body=STREAMS, cuts=CUTS, format_=FORMATS, limit=LIMITS)
def test_any_stream_makes_the_same_deltas(
    halves: Halves, body: bytes, cuts: list[int], format_: str, limit: dict[str, int]
) -> None:
    check_decoders(halves, format_, body, cuts, **limit)


@given(
    payloads=st.lists(TEXTS, min_size=1, max_size=5),
    cuts=CUTS,
    format_=FORMATS,
    end=st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]),
    options=st.fixed_dictionaries({}, optional={"n": st.sampled_from([1, 2]), "surrogates": st.just("replace")}),
    tail=st.sampled_from(TAILS),
)
def test_payloads_of_any_shape_make_the_same_deltas(
    halves: Halves, payloads: list[bytes], cuts: list[int], format_: str, end: bytes, options: Any, tail: bytes
) -> None:
    body = b"".join(b"data: " + payload + end for payload in payloads) + tail
    check_decoders(halves, format_, body, cuts, **options)


@given(payloads=TOOL_PAYLOADS, cuts=CUTS, n=st.sampled_from([None, 1]), escaped=st.booleans())
def test_tool_calls_of_any_kind_belong_to_the_same_calls(
    halves: Halves, payloads: list[Any], cuts: list[int], n: int | None, escaped: bool
) -> None:
    texts = [written(payload, escaped=escaped, spaced=escaped) for payload in payloads]
    check_decoders(halves, "openai.chat", b"".join(b"data: " + text + b"\n\n" for text in texts), cuts, n=n)
    for text in texts:
        check_decoders(halves, "openai.chat", text, cuts, n=n)
    calls = [
        call
        for delta in halves.python.StreamDecoder("openai.chat").feed(
            b"".join(b"data: " + text + b"\n\n" for text in texts)
        )
        for call in delta.tool_calls
    ]
    assert all(call.id not in ("", "null") and call.name != "" for call in calls)


@given(payload=TEXTS, cuts=CUTS, format_=FORMATS, name=st.sampled_from([b"event: error\ndata: ", b"error: ", b""]))
def test_errors_and_whole_bodies_of_any_shape_make_the_same_deltas(
    halves: Halves, payload: bytes, cuts: list[int], format_: str, name: bytes
) -> None:
    check_decoders(halves, format_, name + payload + b"\n\n", cuts)
    check_decoders(halves, format_, name + payload, cuts)


@given(
    body=st.sampled_from(BODIES),
    format_=FORMATS,
    edits=st.lists(EDIT, max_size=4),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
)
def test_mutated_provider_streams_make_the_same_deltas(
    halves: Halves, body: bytes, format_: str, edits: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    for position, removed, inserted in edits:
        position %= len(body) + 1
        body = body[:position] + inserted + body[position + removed :]
    check_decoders(halves, format_, body, cuts)


@given(document=DOCUMENTS)
def test_any_document_is_valid_for_both_or_for_none(halves: Halves, document: str) -> None:
    rust, python = (run(half.StreamDecoder("openai.chat"), [half.encode_sse(document)]) for half in halves)
    assert rust == python


@given(
    pieces=st.lists(st.binary(max_size=4) | BROKEN_UTF8, max_size=8)
    | st.lists(STRINGS, max_size=8)
    | st.lists(STRINGS | st.binary(max_size=2) | st.integers(0, 1), max_size=4),
    errors=st.sampled_from(["replace", "ignore", "strict"]),
)
def test_any_pieces_make_the_same_text(halves: Halves, pieces: list[Any], errors: str) -> None:
    rust, python = (half.TextAssembler(errors=errors) for half in halves)
    for piece in pieces:
        assert attempt(rust.feed, piece) == attempt(python.feed, piece)
        assert (rust.failure is None) is (python.failure is None)
        assert rust.failure is None or described(rust.failure) == described(python.failure)
    for _ in range(2):
        assert attempt(rust.close) == attempt(python.close)
    assert attempt(rust.feed, b"x") == attempt(python.feed, b"x")


@given(data=ARGUMENTS, event=ARGUMENTS, id=ARGUMENTS, retry=RETRIES, comment=ARGUMENTS)
def test_any_arguments_encode_alike(halves: Halves, data: Any, event: Any, id: Any, retry: Any, comment: Any) -> None:
    options = {"event": event, "id": id, "retry": retry, "comment": comment}
    for chosen in (options, *({name: value} for name, value in options.items())):
        assert attempt(halves.rust.encode_sse, data, **chosen) == attempt(halves.python.encode_sse, data, **chosen)


def option_names(name: str) -> list[str]:
    known = {"SSEParser": ["eof"], "TextAssembler": ["errors"], "StreamDecoder": ["format", "n", "surrogates"]}
    return known[name] + ([] if name == "TextAssembler" else ["max_event_size"])


@given(name=st.sampled_from(["SSEParser", "TextAssembler", "StreamDecoder"]), values=st.lists(OPTIONS, min_size=3))
def test_any_options_are_taken_or_refused_alike(halves: Halves, name: str, values: list[Any]) -> None:
    names = option_names(name)
    for chosen in (dict(zip(names, values, strict=False)), *({names[-1]: value} for value in values)):
        options = {"format": "openai.chat"} | chosen if name == "StreamDecoder" else chosen
        rust, python = (attempt(partial(getattr(half, name), **options)) for half in halves)
        assert rust == python or repr(rust) == repr(python)


@given(fields=st.tuples(STRINGS, STRINGS, STRINGS, st.none() | st.integers(0, 9)), other=st.tuples(STRINGS, STRINGS))
def test_events_print_compare_and_read_alike(halves: Halves, fields: tuple[Any, ...], other: tuple[str, str]) -> None:
    rust, python = ([half.ServerSentEvent(*fields), half.ServerSentEvent(*other)] for half in halves)
    assert repr(rust) == repr(python)
    assert (rust[0] == rust[1]) is (python[0] == python[1])
    assert list(map(hash, rust)) == list(map(hash, python))
    assert attempt(rust[0].json) == attempt(python[0].json)


def test_the_vectors_fail_at_the_same_byte_in_both(halves: Halves) -> None:
    for case in load("decode_errors"):
        for pieces in list(splits(bytes_of(case)))[:2]:
            rust, python = (run(half.StreamDecoder(case["format"]), pieces) for half in halves)
            assert (rust, rust.at, rust.failed_at) == (python, python.at, python.failed_at)
