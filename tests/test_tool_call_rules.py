"""The rules that assign an entry of ``tool_calls`` to a call, compared with a simple implementation."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams import Halves, by_field

INDEXES = st.sampled_from([None, 0, 0, 1, 2, 2**32 - 1])
IDS = st.sampled_from([None, None, "a", "b", "", "null"])
NAMES = st.sampled_from([None, None, "f", "g", "fg", ""])
ARGUMENTS = st.sampled_from([None, "", " ", "{}", '{"a":', "1}", "[", "]", "1", "{]", {}, {"b": [1]}, [2]])
ENTRIES = st.lists(st.tuples(INDEXES, IDS, NAMES, ARGUMENTS), max_size=10)


class Calls:
    """The calls of a choice, each with its entries."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.by_id: dict[str | None, dict[str, Any]] = {}
        self.last: dict[str, Any] | None = None

    def add(self, index: int | None, id: str | None, name: str | None, arguments: Any) -> tuple[Any, ...]:
        id = None if id in ("", "null") else id
        name = name or None
        text = arguments if arguments is None or isinstance(arguments, str) else json.dumps(arguments)
        call = self.found(index, id)
        if call is None or begins_another(call, id, name, text):
            call = self.begun(index)
        self.last = call
        handed_out = (call["index"], id if call["id"] is None else None, None if name == call["name"] else name, text)
        if handed_out[1] is not None:
            call["id"] = id
            self.by_id[id] = call
        call["name"] += handed_out[2] or ""
        call["text"] += text or ""
        call["came_whole"] |= isinstance(arguments, dict | list)
        return handed_out

    def found(self, index: int | None, id: str | None) -> dict[str, Any] | None:
        if index is not None:
            return next((call for call in self.calls[::-1] if call["under"] == index), None)
        if id is not None:
            return self.by_id.get(id)
        return self.last

    def begun(self, index: int | None) -> dict[str, Any]:
        taken = [call["index"] for call in self.calls]
        free = index if index is not None and index not in taken else max(taken, default=-1) + 1
        if free > 2**32 - 1:
            free = min(set(range(len(taken) + 1)) - set(taken))
        under = free if index is None else index
        call = {"index": free, "under": under, "id": None, "name": "", "text": "", "came_whole": False}
        self.calls.append(call)
        return call


def begins_another(call: dict[str, Any], id: str | None, name: str | None, text: str | None) -> bool:
    if name is None:
        return False
    has_another_id = id is not None and call["id"] is not None and id != call["id"]
    has_another_name = name != call["name"] and call["text"] != ""
    is_blank = text is None or text.strip(" \t\n\r") == ""
    return has_another_id or has_another_name or (not is_blank and (id is None or id != call["id"]) and is_whole(call))


def is_whole(call: dict[str, Any]) -> bool:
    try:
        json.loads(call["text"])
    except ValueError:
        return bool(call["came_whole"])
    return True


def payload(entries: list[tuple[Any, ...]]) -> bytes:
    entries_sent = []
    for index, id, name, arguments in entries:
        function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
        fields = {"index": index, "id": id, "function": function}
        entries_sent.append({key: value for key, value in fields.items() if value is not None})
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": entries_sent}}]}).encode() + b"\n\n"


@given(entries=ENTRIES, at_once=st.booleans())
def test_an_entry_belongs_to_the_call_that_the_rules_determine(
    halves: Halves, entries: list[Any], at_once: bool
) -> None:
    calls = Calls()
    expected = [calls.add(*entry) for entry in entries]
    expected = [call for call in expected if call[1:] != (None, None, None)]
    for half in halves:
        decoder = half.StreamDecoder("openai.chat")
        payloads = [payload(entries)] if at_once else [payload([entry]) for entry in entries]
        deltas = [delta for body in payloads for delta in decoder.feed(body)]
        found = [call for delta in deltas for call in by_field(delta.tool_calls)]
        assert found == [("ToolCallDelta", *call) for call in expected]
