"""The two halves agree about any stream of any format, in any framing, cut anywhere."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from format_strategies import STREAMS, as_array, as_lines, as_messages, as_sse, bodies_of
from formats import FORMATS
from strategies import CUTS, EDIT, written
from streams import Halves, cut
from test_decoder_parts import parts_of, shown
from test_decoder_payloads import payloads_of
from test_parity import check_decoders

STYLES = st.tuples(st.booleans(), st.booleans())
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
OPTIONS: Any = st.fixed_dictionaries(
    {},
    optional={
        "n": st.sampled_from([1, 2]),
        "surrogates": st.just("replace"),
        "max_event_size": st.integers(20, 400),
    },
)
SCRAPS = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b" ", b"\n", b'{"error":"x"}', b"1", b"nul", b"\r"]
Stream = tuple[str, list[Any]]


def check(halves: Halves, format_: str, body: bytes, cuts: list[int], **options: Any) -> None:
    """Check that the halves agree in every kind of output."""
    check_decoders(halves, format_, body, cuts, **options)
    for way in ([body], cut(body, cuts)):
        found, expected = (payloads_of(half, format_, way, **options) for half in halves)
        assert found == expected
        found, expected = (shown(parts_of(half, format_, way, **options)) for half in halves)
        assert found == expected


@given(stream=STREAMS, cuts=CUTS, style=STYLES, end=ENDS, named=st.booleans(), options=OPTIONS, auto=st.booleans())
def test_any_events_make_the_same_deltas(
    halves: Halves,
    stream: Stream,
    cuts: list[int],
    style: tuple[bool, bool],
    end: bytes,
    named: bool,
    options: Any,
    auto: bool,
) -> None:
    format_, events = stream
    body = as_sse(events, style, end, named or format_.startswith("bedrock"), b" " if named else b"")
    check(halves, "auto" if auto else format_, body, cuts, **options)


@given(stream=STREAMS, cuts=CUTS, style=STYLES, end=st.sampled_from([b"\n", b"\r\n", b"\n\n"]), options=OPTIONS)
def test_any_lines_make_the_same_deltas(
    halves: Halves, stream: Stream, cuts: list[int], style: tuple[bool, bool], end: bytes, options: Any
) -> None:
    body = as_lines(stream[1], style, end)
    for format_ in (stream[0], "ollama.chat", "auto"):
        check(halves, format_, body, cuts, **options)
        check(halves, format_, body.removesuffix(end), cuts, **options)


@given(stream=STREAMS, cuts=CUTS, style=STYLES, between=st.sampled_from([b",", b"\n,\r\n", b" "]), options=OPTIONS)
def test_any_array_makes_the_same_deltas(
    halves: Halves, stream: Stream, cuts: list[int], style: tuple[bool, bool], between: bytes, options: Any
) -> None:
    body = as_array(stream[1], style, between)
    for format_ in ("gemini.generate", "tgi.generate", "auto"):
        check(halves, format_, body, cuts, **options)
        check(halves, format_, body[:-1], cuts, **options)


@given(stream=STREAMS, cuts=CUTS, style=STYLES, options=OPTIONS, edits=st.lists(EDIT, max_size=1))
def test_any_messages_make_the_same_deltas(
    halves: Halves,
    stream: Stream,
    cuts: list[int],
    style: tuple[bool, bool],
    options: Any,
    edits: list[tuple[int, int, bytes]],
) -> None:
    body = as_messages(stream[1], style)
    for position, removed, inserted in edits:
        position %= len(body) + 1
        body = body[:position] + inserted + body[position + removed :]
    for format_ in ("bedrock.converse", "bedrock.anthropic", "auto"):
        check(halves, format_, body, cuts, **options)


@given(
    drawn=st.sampled_from([name for name in FORMATS if name != "auto"]).flatmap(
        lambda name: st.tuples(st.just(name), bodies_of(name))
    ),
    cuts=CUTS,
    style=STYLES,
    options=OPTIONS,
    auto=st.booleans(),
)
def test_any_whole_answer_makes_the_same_deltas(
    halves: Halves, drawn: tuple[str, Any], cuts: list[int], style: tuple[bool, bool], options: Any, auto: bool
) -> None:
    body = written(drawn[1], escaped=style[0], spaced=style[1])
    check(halves, "auto" if auto else drawn[0], body, cuts, **options)


@given(
    body=st.lists(
        st.sampled_from(
            [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b" ", b"\n", b'{"error":"x"}', b"1", b"nul", b"\r"]
        ),
        max_size=20,
    ).map(b"".join),
    first=st.sampled_from([b"", b"[", b"{", b"\0", b" [", b"\xef\xbb\xbf{", b'{"done":true}\n']),
    cuts=CUTS,
    format_=st.sampled_from(FORMATS),
    options=OPTIONS,
)
@example(body=b'"a ]b"]', first=b"[", cuts=[], format_="gemini.generate", options={})
def test_any_scraps_of_a_framing_make_the_same_deltas(
    halves: Halves, body: bytes, first: bytes, cuts: list[int], format_: str, options: Any
) -> None:
    check(halves, format_, first + body, cuts, **options)
