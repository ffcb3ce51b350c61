"""Pieces of arguments: the fast reader of the usual payload returns the same as the general one."""

import json
from types import ModuleType
from typing import Any

import pytest

from streams import Halves

FIRST = {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": ""}}
# Beside a piece of arguments, or in place of a part of it: members of the payload, the choice, the delta,
# the call, and the function; "-" leaves a member out.
BESIDE: dict[str, list[dict[str, Any]]] = {
    "payload": [{}, {"usage": None}, {"usage": {"n": 1}}, {"error": {"message": "m"}}, {"error": {}}, {"id": "d"}],
    "choice": [
        *({"index": index} for index in (1, True, 0.0, "-")),
        *({"finish_reason": reason} for reason in ("tool_calls", "", None)),
        *({"logprobs": {"content": []}}, {"usage": {"n": 1}}, {"message": {}}),
    ],
    "delta": [
        *({"content": content} for content in ("", "x", None)),
        *({"content": []}, {"role": "assistant"}, {"audio": {}}, {"refusal": "r"}, {"reasoning": "t"}),
    ],
    "call": [
        *({"index": index} for index in (1, True, 0.0, -1, 2**32, None, "-")),
        *({"id": id} for id in ("", None, "null", 5, "call_1", "call_2")),
    ],
    "function": [
        *({"name": name} for name in ("", None, 5, "look", "other")),
        *({"arguments": arguments} for arguments in ("", None, {"a": 1}, "é", "\ud83d", "\ude00", "-0", "-")),
    ],
}
CASES = [{place: members} for place, each in BESIDE.items() for members in each]
WAYS: list[dict[str, Any]] = [{}, {"x_groq": {}}]
"""A member without a meaning, which no usual payload has."""


def payload(beside: dict[str, dict[str, Any]], args: str, **members: Any) -> bytes:
    function = update_members({"arguments": args}, beside.get("function"))
    call = update_members({"index": 0, "function": function}, beside.get("call"))
    delta = update_members({"tool_calls": [call]}, beside.get("delta"))
    choice = update_members({"index": 0, "delta": delta}, beside.get("choice"))
    return frame({**update_members({"id": "c", "choices": [choice]}, beside.get("payload")), **members})


def update_members(members: dict[str, Any], by: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**members, **(by or {})}.items() if value != "-"}


def frame(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def outcome(impl: ModuleType, method: str, payloads: list[bytes]) -> list[Any]:
    decoder = impl.StreamDecoder("openai.chat")
    feed = getattr(decoder, method)
    items = [repr(feed(data)) for data in payloads]
    close = {"feed": "close", "feed_text": "close_text", "_feed_parts": "_close_parts"}[method]
    items.append(repr(getattr(decoder, close)()))
    return [items, decoder.ended, decoder.finish_reason, decoder.usage, decoder.deltas_seen, decoder._contents_seen]


@pytest.mark.parametrize("method", ["feed", "feed_text", "_feed_parts"])
@pytest.mark.parametrize("beside", CASES, ids=repr)
def test_a_piece_is_read_equally_by_the_fast_and_the_general_reader(
    halves: Halves, method: str, beside: dict[str, Any]
) -> None:
    begin = frame({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [FIRST]}}]})
    found = []
    for way in WAYS:
        plain = [payload({}, args, **way) for args in ("{", '"a"')]
        among = [payload(beside, args, **way) for args in (":", "1", "}")]
        found += [outcome(half, method, [begin, *plain, *among, *plain, *among]) for half in halves]
    assert all(one == found[0] for one in found)


def test_an_index_of_minus_zero_is_ignored(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    begin = frame({"choices": [{"index": 0, "delta": {"tool_calls": [FIRST, {"index": 1, "id": "call_2"}]}}]})
    piece = b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":-0,"function":{"arguments":"1"}}]}}]}\n\n'
    calls = [call.index for delta in decoder.feed(begin + piece + piece) for call in delta.tool_calls]
    # Without an index, it belongs to the latest call.
    assert calls == [0, 1, 1, 1]
