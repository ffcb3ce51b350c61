"""Errors as providers report them: one set of rules for both halves and for the bodies of complete answers."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from millstream._provider_errors import add_message, error_path
from strategies import CUTS, FORMATS
from streams import Halves, attempt, cut, run

WORDS = [
    "",
    "m",
    "ok",
    "Success",
    "0",
    "200",
    "500",
    "error",
    "ERROR",
    "failed",
    "aError",
    "errors",
    "\u212aok",
    "\ud800",
]
VALUES: Any = st.sampled_from(
    [None, True, False, 0, -0.0, -1, 200, 399, 400, 500, 399.5, 1e400, -1e400, 2**70, float("nan"), {}, [], *WORDS]
)
DETAIL: Any = VALUES | st.lists(
    VALUES | st.dictionaries(st.sampled_from(["msg", "loc"]), VALUES, max_size=2), max_size=2
)
OBJECT: Any = st.dictionaries(st.sampled_from(["message", "code", "type", "detail"]), DETAIL, max_size=3)
CHOICE: Any = st.fixed_dictionaries(
    {}, optional={"error": VALUES | OBJECT, "usage": VALUES, "text": st.just("a"), "finish_reason": st.just("error")}
)
NAMES = ("error_message", "error_type", "message", "code", "status", "type", "success", "object")
PAYLOADS: Any = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, VALUES),
        "detail": DETAIL,
        "error": VALUES | OBJECT,
        "choices": VALUES | st.lists(CHOICE | VALUES, max_size=2),
        "usage": VALUES | OBJECT,
        "x_groq": VALUES | st.dictionaries(st.sampled_from(["error", "usage"]), VALUES | OBJECT, max_size=2),
    },
)
FRAMES = st.sampled_from(
    [b"data: %s\n\n", b"%s\n\n", b"error: %s\n\n", b"event: error\ndata: %s\n\n", b"data: %s\n%s\n\n", b"%s"]
)


def check(halves: Halves, format_: str, body: bytes, cuts: list[int], n: int | None = None) -> None:
    outcomes = []
    for half in halves:
        for pieces in ([body], cut(body, cuts)):
            decoder = half.StreamDecoder(format_, n=n)
            outcome = run(decoder, pieces)
            state = [attempt(getattr, decoder, name) for name in ("ended", "error", "usage", "text", "deltas_seen")]
            # NaN is not equal to itself, but its text is.
            outcomes.append(repr((outcome.items, outcome.failure, state)))
    assert outcomes == [outcomes[0]] * 4


@given(
    payloads=st.lists(st.tuples(PAYLOADS, FRAMES), min_size=1, max_size=4),
    format_=FORMATS,
    cuts=CUTS,
    n=st.sampled_from([None, 1]),
)
def test_payloads_shaped_like_errors_mean_the_same_in_both_halves(
    halves: Halves, payloads: list[tuple[Any, bytes]], format_: str, cuts: list[int], n: int | None
) -> None:
    frames = [frame.replace(b"%s", json.dumps(payload).encode()) for payload, frame in payloads]
    check(halves, format_, b": a stream\n\n" + b"".join(frames), cuts, n)
    check(halves, format_, b"".join(frames), cuts, n)


@given(payload=PAYLOADS, format_=FORMATS)
def test_the_error_of_a_payload_is_that_of_a_complete_answer(halves: Halves, payload: Any, format_: str) -> None:
    path = error_path(payload)
    expected = payload
    for key in path or ():
        expected = expected[key]
    for half in halves:
        decoder = half.StreamDecoder(format_)
        decoder.feed(half.encode_sse(json.dumps(payload)))
        assert (decoder.ended == "error") is (path is not None)
        if path is not None:
            text = json.dumps(expected).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            again = add_message(json.loads(text))
            assert repr(sorted(decoder.error)) == repr(sorted(again))


@given(value=OBJECT)
def test_an_error_always_has_a_message(halves: Halves, value: Any) -> None:
    for half in halves:
        decoder = half.StreamDecoder("openai.chat")
        decoder.feed(b"event: error\ndata: " + json.dumps(value).encode() + b"\n\n")
        assert decoder.error["message"] not in (None, "")
