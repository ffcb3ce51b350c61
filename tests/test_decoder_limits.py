"""The limits of one stream: choices, tool calls, and how long the id and the name of a call may be."""

import json
from types import ModuleType
from typing import Any

import pytest

from cases import delta_fields, each, failure_fields, load
from streams import bytes_of, cut, run

SIZE = 65536
GREW = "the id or the name of a tool call grew past 65536 bytes"
DONE = b"data: [DONE]\n\n"


@each(load("decode_limits"))
@pytest.mark.parametrize("text", [False, True], ids=["deltas", "text"])
def test_a_payload_that_passes_a_limit_gives_nothing(impl: ModuleType, case: dict[str, Any], text: bool) -> None:
    body = bytes_of(case)
    for pieces in ([body], cut(body, range(0, len(body), 977)), cut(body, [len(body) - 20]), cut(body, range(90))):
        decoder = impl.StreamDecoder(case["format"])
        outcome = run(decoder, pieces, text=text)
        if not text:
            assert outcome.items == [delta_fields(delta) for delta in case["deltas"]]
        assert outcome.failure == failure_fields(case["failure"])
        assert decoder.ended == case["ended"]


def frame(*calls: dict[str, Any], **message: Any) -> bytes:
    choice = {"index": 0, "delta": {"tool_calls": calls, **message}}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def failure_of(impl: ModuleType, *frames: bytes) -> str | None:
    decoder = impl.StreamDecoder("openai.chat")
    for data in frames:
        assert decoder.failure is None
        decoder.feed(data)
    return None if decoder.failure is None else str(decoder.failure)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\U0001f600"])
def test_an_id_may_have_64_kib_of_utf8(impl: ModuleType, character: str) -> None:
    whole = character * (SIZE // len(character.encode()))
    assert failure_of(impl, frame({"index": 0, "id": whole})) is None
    assert failure_of(impl, frame({"index": 0, "id": whole + "x"})) == GREW
    # What is passed over is not kept.
    assert failure_of(impl, frame({"index": 0, "id": "a"}), frame({"index": 0, "id": whole + "x"})) is None


def test_a_name_may_have_64_kib_in_all_its_pieces(impl: ModuleType) -> None:
    half, pair = "x" * (SIZE // 2), "\u00e9" * (SIZE // 4)
    first, second = ({"index": 0, "function": {"name": name}} for name in (half, pair))
    assert failure_of(impl, frame(first), frame(second)) is None
    # The whole name again is not a piece.
    again = {"index": 0, "function": {"name": half + pair}}
    assert failure_of(impl, frame(first), frame(second), frame(again)) is None
    one_more = {"index": 0, "function": {"name": "y"}}
    assert failure_of(impl, frame(first), frame(second), frame(one_more)) == GREW
    assert failure_of(impl, frame(first, second, one_more, content="lost")) == GREW


def test_the_payload_that_grows_past_a_limit_gives_nothing_in_any_form(impl: ModuleType) -> None:
    bad = frame({"index": 0, "id": "x" * (SIZE + 1)}, content="lost", role="assistant")
    good = frame(content="kept")
    decoder = impl.StreamDecoder("openai.chat")
    assert [delta.text for delta in decoder.feed(good + bad + good)] == ["kept"]
    assert impl.StreamDecoder("openai.chat").feed_text(good + bad + good) == ["kept"]
    assert impl.StreamDecoder("openai.chat").feed_records(good + bad + DONE, b"<", b">") == b'<"kept">'
    parts = impl.StreamDecoder("openai.chat")
    with_model = bad.replace(b"{", b'{"model": "m", ', 1)
    assert parts._feed_parts(good + with_model) == ["kept"]
    assert (decoder.failure.offset, decoder.failure.text) == (len(good) + len("data: "), "kept")
    assert decoder.failure.frame == bad.removeprefix(b"data: ")[:512]
