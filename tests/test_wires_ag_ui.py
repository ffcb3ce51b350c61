"""AG-UI's events: the models of its Python package accept each one, and their order is what its client checks."""

import json
from types import ModuleType
from typing import Any

import pytest
from ag_ui.core import Event
from pydantic import TypeAdapter

from cases import Case
from wire_answers import ANSWERS, Meaning, play, whole

CASES = [case for case in ANSWERS if "ag-ui" in case["expected"]]
EVENTS: TypeAdapter[Any] = TypeAdapter(Event)
# For each event that ends something, the one that began it, and the member that names it.
ENDS = {
    "TEXT_MESSAGE_END": ("TEXT_MESSAGE_START", "messageId"),
    "REASONING_END": ("REASONING_START", "messageId"),
    "REASONING_MESSAGE_END": ("REASONING_MESSAGE_START", "messageId"),
    "TOOL_CALL_END": ("TOOL_CALL_START", "toolCallId"),
}
PIECES = {
    "TEXT_MESSAGE_CONTENT": ("TEXT_MESSAGE_START", "messageId"),
    "REASONING_MESSAGE_CONTENT": ("REASONING_MESSAGE_START", "messageId"),
    "TOOL_CALL_ARGS": ("TOOL_CALL_START", "toolCallId"),
}
BEGINS = dict(ENDS.values())
each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def events_of(impl: ModuleType, case: Case) -> list[Any]:
    """Return the events of an answer, which stand in blocks of one line each."""
    blocks = b"".join(play(impl, "ag-ui", case)).decode().split("\n\n")
    assert blocks.pop() == ""
    assert [block for block in blocks if "\n" in block or not block.startswith("data: ")] == []
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


@each_case
def test_the_models_accept_every_event_as_it_is(impl: ModuleType, case: Case) -> None:
    for event in events_of(impl, case):
        read = EVENTS.validate_python(event)
        assert json.loads(read.model_dump_json(by_alias=True)) == event
        assert not read.model_extra
        assert None not in event.values() or event["type"] == "CUSTOM"


@each_case
def test_events_are_in_the_order_that_a_client_accepts(impl: ModuleType, case: Case) -> None:
    events = events_of(impl, case)
    is_open: set[tuple[str, str]] = set()
    for event in events:
        kind = event["type"]
        if kind in BEGINS:
            assert (kind, event[BEGINS[kind]]) not in is_open
            is_open.add((kind, event[BEGINS[kind]]))
        elif kind in ENDS:
            begin, name = ENDS[kind]
            is_open.remove((begin, event[name]))
        elif kind in PIECES:
            begin, name = PIECES[kind]
            assert (begin, event[name]) in is_open
    kinds = [event["type"] for event in events]
    assert kinds[0] == "RUN_STARTED"
    failed = Meaning(case).error is not None
    assert kinds[-1] == ("RUN_ERROR" if failed else "RUN_FINISHED")
    assert failed or not is_open
    assert {"RUN_STARTED", "RUN_ERROR", "RUN_FINISHED"}.isdisjoint(kinds[1:-1])


@each_case
def test_the_events_mean_the_answer(impl: ModuleType, case: Case) -> None:
    meant, events = Meaning(case), events_of(impl, case)

    def joined(kind: str, name: str = "delta") -> str:
        return "".join(event[name] for event in events if event["type"] == kind)

    def listed(kind: str) -> list[Any]:
        return [event for event in events if event["type"] == kind]

    text = "".join(arguments.get("text", "") + arguments.get("refusal", "") for arguments in written(case))
    assert joined("TEXT_MESSAGE_CONTENT") == whole(text)
    assert joined("REASONING_MESSAGE_CONTENT") == meant.reasoning
    begun = listed("TOOL_CALL_START")
    found = [[event["toolCallId"], event["toolCallName"]] for event in begun]
    if meant.error is None and case["name"] != "arguments without a call":
        assert found == [[known or id, name] for (id, _), (known, name, _) in zip(found, meant.calls, strict=True)]
    results = [(event["toolCallId"], event["content"]) for event in listed("TOOL_CALL_RESULT")]
    assert results == meant.results
    assert [event["value"]["url"] for event in listed("CUSTOM") if event["name"] == "source"] == meant.sources
    if meant.error is None:
        assert events[-1]["metadata"] == {"finishReason": meant.finish_reason}
    else:
        assert events[-1]["message"] == meant.error


def written(case: Case) -> list[Case]:
    """Return the arguments of the calls that write text or a refusal of choice 0."""
    calls = [arguments for method, arguments in case["calls"] if method in ("write", "write_text")]
    return [arguments for arguments in calls if not arguments.get("index")]


def test_the_messages_of_an_agent_have_ids_of_their_own(impl: ModuleType) -> None:
    case = next(case for case in CASES if case["name"].startswith("an agent"))
    events = events_of(impl, case)
    begins = [event["messageId"] for event in events if event["type"] == "TEXT_MESSAGE_START"]
    parents = [event["parentMessageId"] for event in events if event["type"] == "TOOL_CALL_START"]
    results = [event["messageId"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert (begins, parents) == (["msg_a1_2", "msg_a1_3"], ["msg_a1", "msg_a1", "msg_a1_2"])
    assert results == ["tool_a1_1", "tool_a1_2", "tool_a1_3"]
