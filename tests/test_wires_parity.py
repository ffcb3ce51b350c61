"""The halves of ``WireWriter`` write equal bytes and raise equal errors, whatever is written and in which order."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import each, load, load_wire
from millstream.errors import StreamError
from strategies import CUTS, FORMATS
from strategies import STREAMS as BODIES
from strategies import TEXTS as PAYLOADS
from streams import Halves, attempt, bytes_of, cut, described
from wire_answers import WIRES

# Few different values, so that they meet again: ids, names and indexes decide what a piece belongs to.
TEXTS = st.sampled_from(
    [
        "",
        "a",
        "Hi",
        '"\\\n',
        "\u2028\u0085",
        "\U0001f600",
        "\ud83d",
        "\udc00\ud83d",
        " \x1f",
        "{",
        '{"a": 1.50}',
        "[NaN]",
    ]
)
IDS = st.sampled_from([None, None, "", "a", "b", "\ud800"])
INDEXES = st.sampled_from([0, 0, 0, 1, 2, 2**32 - 1])
CALLS = st.tuples(INDEXES, IDS, IDS, st.none() | TEXTS)
COUNTS = st.sampled_from(
    [0, 7, 10**15 - 1, 10**15, -1, 1.0, None, "7", [1], {"cached_tokens": 3}, {"reasoning_tokens": 0}, {"reasoning": 2}]
)
COUNT_NAMES = [
    *("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens"),
    *("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_cache_hit_tokens"),
    *("completion_tokens_details", "output_tokens_details", "output_token_details", "cached_tokens"),
]
USAGES = st.none() | st.dictionaries(st.sampled_from(COUNT_NAMES), COUNTS, max_size=5)
LISTS = st.sampled_from([[], [{"token": "\ud83d\u2028", "logprob": float("nan")}], None, {"a": float("-inf")}])
LOGPROBS = st.none() | st.dictionaries(st.sampled_from(["content", "refusal", "tokens", "\u2029"]), LISTS, max_size=2)
REASONS = st.sampled_from(
    [*[None] * 6, "stop", "length", "content_filter", "tool_calls", "function_call", "error", "other", "", "\udfff"]
)
DELTAS = st.tuples(
    *(INDEXES, IDS, st.none() | TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.lists(CALLS, max_size=3), REASONS),
    *(USAGES, st.none(), LOGPROBS, st.none() | st.just({"id": "\u2028", "data": "Ã"})),
)
DOCUMENTS = [
    b"{}",
    b' { "a" : [ 1.0e5 , NaN, "\\ud83d\\ude00\\ud83d \\\\ud83d" ] }\n',
    b"1 2",
    b"[",
    b"\xff",
    b'"\xff"',
    b"",
]
CALLS_OF_WRITER = st.one_of(
    st.tuples(st.just("write"), DELTAS),
    st.tuples(st.just("write_text"), TEXTS),
    st.tuples(st.just("write_tool_result"), IDS, TEXTS),
    st.tuples(st.just("write_source"), TEXTS, TEXTS, TEXTS),
    st.tuples(st.just("write_data"), st.sampled_from(DOCUMENTS)),
    st.tuples(st.just("write_snapshot"), TEXTS, st.sampled_from([0, 5, 2**53 - 1, 2**53, -1])),
    st.tuples(st.just("start")),
)
ENDS = st.one_of(
    st.tuples(st.just("close")), st.tuples(st.just("fail"), TEXTS, IDS, st.sampled_from([100, 500, 599, 600]))
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "model": TEXTS,
        "include_usage": st.booleans(),
        "all_choices": st.booleans(),
        "thread_id": TEXTS,
        "run_id": TEXTS,
    },
)

FRAMES = st.lists(PAYLOADS.map(lambda payload: b"data: %b\n\n" % payload), max_size=8).map(b"".join)


def act(half: Any, writer: Any, call: tuple[Any, ...]) -> Any:
    """Return the result of a call, or its error."""
    name, *arguments = call
    method: Callable[..., Any] = getattr(writer, name)
    if name == "write":
        fields = list(arguments[0])
        fields[5] = tuple(half.ToolCallDelta(*fields) for fields in fields[5])
        return attempt(lambda: method(half.Delta(*fields)))
    if name == "write_source":
        return attempt(lambda: method(arguments[0], title=arguments[1], id=arguments[2]))
    if name == "fail":
        return attempt(lambda: method(arguments[0], code=arguments[1], status=arguments[2]))
    return attempt(lambda: method(*arguments))


def outcomes(half: Any, wire: str, options: dict[str, Any], calls: list[Any]) -> list[Any]:
    """Return the results of ``calls``, or the error of the constructor."""
    try:
        writer = half.WireWriter(wire, "a\u2028", 1700000000, **options)
    except (ValueError, NotImplementedError) as error:
        return [described(error)]
    return [repr(writer), *(act(half, writer, call) for call in calls)]


@pytest.mark.parametrize("wire", WIRES)
@given(options=OPTIONS, calls=st.lists(CALLS_OF_WRITER, max_size=12), end=ENDS)
def test_the_halves_write_equal_bytes(
    halves: Halves, wire: str, options: dict[str, Any], calls: list[Any], end: Any
) -> None:
    rust, python = (outcomes(half, wire, options, [*calls, end, ("start",), end]) for half in halves)
    assert rust == python


def decoded(half: Any, wire: str, format_: str, pieces: list[bytes], *, text_only: bool, **options: Any) -> list[Any]:
    """Return the records of a body, the failure with its records, and the end of the answer."""
    writer = half.WireWriter(wire, "a", 1, all_choices=wire in ("ndjson", "openai.chat"))
    decoder = half.StreamDecoder(format_, **options)
    found: list[Any] = []
    for piece in pieces:
        if decoder.failure is not None:
            break
        found.append(decoder._feed_wire(piece, writer, text_only))
    try:
        found.append(decoder._close_wire(writer, text_only=text_only))
    except StreamError as error:
        found += [*error.items, described(error)]
    return [*found, writer.close(), decoder.text, decoder.deltas_seen]


@each([case for name in ("decode", "decode_errors") for case in load(name)])
def test_decoders_write_equal_records_read_by_read(halves: Halves, case: dict[str, Any]) -> None:
    body = bytes_of(case)
    for wire in WIRES:
        for pieces in ([body], [body[i : i + 7] for i in range(0, len(body), 7)]):
            for text_only in (False, True):
                rust, python = (
                    decoded(half, wire, case["format"], pieces, text_only=text_only, **case.get("options", {}))
                    for half in halves
                )
                assert rust == python


@each(load_wire("openai.completions", "openai.chat"))
def test_decoders_write_equal_records_of_servers(halves: Halves, case: dict[str, Any]) -> None:
    body = case["body"]
    for wire in WIRES:
        rust, python = (
            decoded(half, wire, case["format"], [body[:99], body[99:]], text_only=False, **case["options"])
            for half in halves
        )
        assert rust == python


@pytest.mark.parametrize("wire", WIRES)
@given(format_=FORMATS, body=BODIES | FRAMES, cuts=CUTS, text_only=st.booleans())
def test_decoders_write_equal_records_of_any_body(
    halves: Halves, wire: str, format_: str, body: bytes, cuts: list[int], text_only: bool
) -> None:
    rust, python = (decoded(half, wire, format_, cut(body, cuts), text_only=text_only) for half in halves)
    assert rust == python
