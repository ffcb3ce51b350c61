"""``StreamDecoder.feed_payloads``: text, and whole payloads where there is more, for chunks of another library."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given

from cases import each, load, load_wire
from millstream.errors import StreamError
from strategies import CUTS, FORMATS, STREAMS
from streams import Halves, bytes_of, cut, described, splits

WIRE = load_wire("openai.completions", "openai.chat")


def payloads_of(impl: ModuleType, format_: str, pieces: list[bytes], **options: Any) -> list[Any]:
    decoder = impl.StreamDecoder(format_, **options)
    found: list[Any] = []
    for piece in pieces:
        if decoder.failure is not None:
            break
        found += decoder.feed_payloads(piece)
    try:
        found += decoder.close_payloads()
    except StreamError as error:
        found += [*error.items, described(error)]
    return [*found, decoder.ended, decoder.text, decoder.deltas_seen]


def text_of(payloads: list[Any]) -> str:
    return "".join(item if isinstance(item, str) else item[1] or "" for item in payloads if not isinstance(item, dict))


def frame(delta: Any, **choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, **choice}]}).encode() + b"\n\n"


@each(WIRE)
def test_payloads_have_the_text_of_choice_0_at_every_split(impl: ModuleType, case: dict[str, Any]) -> None:
    body, format_, options = case["body"], case["format"], case["options"]
    whole = payloads_of(impl, format_, [body], **options)
    assert text_of([item for item in whole[:-3] if isinstance(item, str | tuple)]).startswith(whole[-2])
    for pieces in splits(body):
        assert payloads_of(impl, format_, pieces, **options) == whole


@each([case for name in ("decode", "decode_errors") for case in load(name)])
def test_the_halves_agree_about_our_own_cases(halves: Halves, case: dict[str, Any]) -> None:
    body, format_, options = bytes_of(case), case["format"], case.get("options", {})
    found, expected = (payloads_of(half, format_, [body], **options) for half in halves)
    assert found == expected
    assert payloads_of(halves.rust, format_, [body[i : i + 1] for i in range(len(body))], **options) == found


@given(STREAMS, FORMATS, CUTS)
def test_the_halves_agree_about_any_stream(halves: Halves, body: bytes, format_: str, cuts: list[int]) -> None:
    found = payloads_of(halves.rust, format_, cut(body, cuts), n=1)
    assert found == payloads_of(halves.python, format_, [body], n=1)


def test_text_comes_alone_and_other_payloads_whole(impl: ModuleType) -> None:
    finish = {"content": "c"}
    body = frame({"role": "assistant", "content": "a"}) + frame({"content": "b"}) + frame(finish, finish_reason="stop")
    assert payloads_of(impl, "openai.chat", [body])[:3] == [
        "a",
        "b",
        (frame(finish, finish_reason="stop")[6:-2].decode(), "c"),
    ]


@pytest.mark.parametrize(
    "payload",
    [
        {"choices": []},
        {"choices": [{"index": 0, "delta": {}}]},
        {"choices": [{"index": 0, "delta": {"content": ""}}]},
        {"choices": [{"index": 0, "delta": {"content": "x", "role": "user"}}]},
        {"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": {"total_tokens": 1}},
        {"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": {"content": []}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "x"}}]},
        {"choices": [{"index": 0, "delta": {"refusal": "x"}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}}]},
        {"choices": [{"index": 0, "delta": {"function_call": {"name": "f", "arguments": ""}}}]},
        {"id": "x"},
    ],
)
def test_a_payload_with_more_than_text_comes_whole_also_when_it_is_repeated(impl: ModuleType, payload: Any) -> None:
    raw = json.dumps(payload)
    decoder = impl.StreamDecoder("openai.chat", n=1)
    assert decoder.feed_payloads(frame({"content": "a"}) * 3) == ["a", "a", "a"]
    for _ in range(3):
        ((whole, text),) = decoder.feed_payloads(f"data: {raw}\n\n".encode())
        assert json.loads(whole) == payload
        assert text == ("x" if '"content": "x"' in raw else None)


def test_halves_of_a_character_are_joined(impl: ModuleType) -> None:
    begin, end = 'data: {"choices":[{"delta":{"content":"', '"}}]}'
    first, second = (f"{begin}{half}{end}" for half in ("a\\ud83d", "\\ude00"))
    decoder = impl.StreamDecoder("openai.chat", n=1)
    found = decoder.feed_payloads(f"{first}\n\n{second}\n\n{first}\n\ndata: [DONE]\n\n".encode())
    assert found == ["a", "\U0001f600", "a", "\ufffd"]


def test_a_payload_with_an_error_does_not_come_out(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat", n=1)
    assert decoder.feed_payloads(frame({"content": "a"}) + b'data: {"error": {"message": "m"}}\n\n') == ["a"]
    assert decoder.error == {"message": "m"}


def test_a_decoder_hands_out_one_kind(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    decoder.feed_payloads(b"")
    with pytest.raises(ValueError, match="this StreamDecoder hands out payloads: text needs one of its own"):
        decoder.feed_text(b"")
    decoder = impl.StreamDecoder("openai.chat")
    decoder.feed(b"")
    with pytest.raises(ValueError, match="this StreamDecoder hands out deltas: payloads need one of their own"):
        decoder.feed_payloads(b"")
