"""Our own decoder reads the wires of its formats, and every event stream is one of the specification's."""

from itertools import groupby
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each, load_wire
from streams import by_field, splits
from wire_answers import ANSWERS, CHOICE_WIRES, WIRES, make_writer, play

STREAMS = load_wire("openai.chat", "openai.completions")
EVENT_WIRES = [wire for wire in WIRES if wire not in ("ndjson", "text")]


def meaning(deltas: list[Any]) -> dict[int, list[Any]]:
    """Return what deltas mean for each choice: runs of text, reasoning and refusal, the tool calls, and its end.

    What has no effect is left out: a role, and ids that a writer made.
    """
    found: dict[int, list[Any]] = {}
    for _, index, _, text, reasoning, refusal, calls, finish, usage, error, logprobs, audio in deltas:
        if usage is None and error is None:
            parts = [("reasoning", reasoning), ("text", text), ("refusal", refusal)]
            found.setdefault(index, []).extend(part for part in parts if part[1])
            found[index] += [("call", call[1], call[3], call[4] or "") for call in calls]
            ends = [("finish", finish), ("logprobs", logprobs), ("audio", audio)]
            found[index] += [part for part in ends if part[1] is not None]
    return {index: joined(parts) for index, parts in found.items() if parts}


def joined(parts: list[Any]) -> list[Any]:
    runs: list[Any] = []
    for name, group in groupby(parts, lambda part: part[0]):
        pieces = list(group)
        runs += [(name, "".join(piece[1] for piece in pieces))] if name in ("text", "reasoning", "refusal") else pieces
    return [part for part in runs if part[0] != "finish"] + sorted(part for part in runs if part[0] == "finish")


@each([case for case in STREAMS if not case["final"]["error"]])
def test_a_stream_that_is_written_again_means_the_same(impl: ModuleType, case: Case) -> None:
    deltas = impl.StreamDecoder(case["format"], **case["options"]).feed(case["body"])
    writer = make_writer(impl, case["format"], all_choices=True)
    again = b"".join(map(writer.write, deltas)) + writer.close()
    decoder = impl.StreamDecoder(case["format"])
    found = decoder.feed(again) + decoder.close()
    assert decoder.ended == "[DONE]"
    meant = meaning(by_field(deltas))
    for choice, parts in meaning(by_field(found)).items():
        expected = meant.get(choice, [])
        assert str(parts[: len(expected)]) == str(expected).replace("-inf", "None")
        # A choice without a finish reason gets one.
        assert [name for name, *_ in parts[len(expected) :]] in ([], ["finish"])
    if (usage := case["final"]["usage"]) is not None:
        assert {name: decoder.usage[name] for name in ("prompt_tokens", "completion_tokens")} == {
            name: usage[name] for name in ("prompt_tokens", "completion_tokens")
        }


@pytest.mark.parametrize("wire", ["openai.chat", "openai.completions"])
def test_an_answer_is_read_as_it_was_written_at_every_split(impl: ModuleType, wire: str) -> None:
    case = next(case for case in ANSWERS if case["name"].startswith("line separators"))
    for pieces in splits(b"".join(play(impl, wire, case))):
        decoder = impl.StreamDecoder(wire)
        texts = [text for piece in pieces for text in decoder.feed_text(piece)] + decoder.close_text()
        assert "".join(texts) == 'a\u2028b\u2029c\x85\U0001f600"\\\n\x00x\ufffdy\ufffdz'


@pytest.mark.parametrize("wire", EVENT_WIRES)
def test_every_event_is_whole_and_on_one_line(impl: ModuleType, wire: str) -> None:
    for case in ANSWERS:
        if wire not in case["expected"] or (case.get("options", {}).get("all_choices") and wire not in CHOICE_WIRES):
            continue
        calls = play(impl, wire, case)
        whole = b"".join(calls)
        # No call returns half of an event, and no other line reader finds other lines.
        assert all(found.endswith(b"\n\n") for found in calls if found)
        assert len(whole.decode().splitlines()) == whole.count(b"\n")
        parser = impl.SSEParser()
        events = parser.feed(whole) + parser.close()
        assert not parser.truncated
        assert len(events) == whole.count(b"\n\n")
        assert [event for event in events if "\n" in event.data] == []


def test_every_record_of_ndjson_is_one_line(impl: ModuleType) -> None:
    for case in ANSWERS:
        whole = b"".join(play(impl, "ndjson", case))
        assert whole.endswith(b"}\n")
        assert len(whole.decode().splitlines()) == whole.count(b"\n")
