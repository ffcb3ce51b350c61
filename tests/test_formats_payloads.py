"""``feed_payloads`` of every format: each payload once, alone where its reader needs no more than the text."""

import json
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each
from format_payloads import EVENTS
from format_strategies import as_array, as_lines, as_messages, as_sse
from formats import FORMATS, wire_cases
from streams import few_ways, splits

STYLE = (True, False)
NAMES = [name for name in FORMATS if name != "auto"]


def payloads_of(impl: ModuleType, name: str, pieces: list[bytes], **options: Any) -> list[Any]:
    decoder = impl.StreamDecoder(name, **options)
    found: list[Any] = [payload for piece in pieces for payload in decoder.feed_payloads(piece)]
    found += decoder.close_payloads()
    return found


def shown(impl: ModuleType, name: str, *payloads: Any) -> list[Any]:
    """Return what comes out of these payloads: a string, or the parsed payload and its text."""
    events = [payload if isinstance(payload, tuple) else ("", payload) for payload in payloads]
    body = as_messages(events, STYLE) if name == "bedrock.converse" else as_sse(events, STYLE, b"\n", True, b" ")
    found = payloads_of(impl, name, [body])
    return [item if isinstance(item, str) else (json.loads(item[0]), item[1]) for item in found]


@pytest.mark.parametrize("name", NAMES)
def test_each_payload_comes_out_once_at_every_split(impl: ModuleType, name: str) -> None:
    # Up to the first payload that ends the stream, each of which is one item; errors do not come out.
    for start in range(len(EVENTS[name])):
        events = EVENTS[name][start : start + 1]
        body = as_messages(events, STYLE) if name.startswith("bedrock") else as_sse(events, STYLE, b"\n", True, b" ")
        found = payloads_of(impl, name, [body])
        decoder = impl.StreamDecoder(name)
        decoder.feed(body)
        # Behind it, half a character that was held back may come out.
        assert [item for item in found[1:] if item != "\ufffd"] == []
        assert bool(found) == (decoder.ended != "error")
        for pieces in few_ways(body, 30):
            assert payloads_of(impl, name, pieces) == found


@each(wire_cases())
def test_the_text_in_payloads_is_choice_0_s(impl: ModuleType, case: Case) -> None:
    name, options = case["format"], case["options"]
    whole = payloads_of(impl, name, [case["body"]], **options)
    decoder = impl.StreamDecoder(name, **options)
    texts = decoder.feed_text(case["body"]) + decoder.close_text()
    assert "".join(item if isinstance(item, str) else item[1] or "" for item in whole) == "".join(texts)
    for pieces in splits(case["body"]):
        assert payloads_of(impl, name, pieces, **options) == whole


def start(index: int, kind: str = "text") -> dict[str, Any]:
    block = {"type": kind, "text": "", "thinking": "", "id": "t", "name": "f", "input": {}}
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(text: str, **index: int) -> dict[str, Any]:
    return {"type": "content_block_delta", **index, "delta": {"type": "text_delta", "text": text}}


def test_text_of_anthropics_block_that_began_last_comes_alone(impl: ModuleType) -> None:
    late = piece("late", index=0)
    payloads = [start(0), piece("a", index=0), piece("b"), start(1), piece("c", index=1), late, piece("d", index=1)]
    assert shown(impl, "anthropic.messages", *payloads) == [
        *((start(0), None), "a", "b", (start(1), None), "c", (late, "late"), "d")
    ]


def test_text_of_a_block_that_never_began_begins_it(impl: ModuleType) -> None:
    first = piece("a", index=4)
    assert shown(impl, "anthropic.messages", first, piece("b", index=4)) == [(first, "a"), "b"]


def test_text_in_the_beginning_of_a_block_comes_whole(impl: ModuleType) -> None:
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}}
    message = {"type": "message_start", "message": {"content": [{"type": "text", "text": "b"}]}}
    assert shown(impl, "anthropic.messages", begun, message) == [(begun, "a"), (message, "b")]


def delta(text: str, output: int = 0, content: int = 0) -> dict[str, Any]:
    place = {"output_index": output, "content_index": content}
    return {"type": "response.output_text.delta", **place, "delta": text}


def test_text_of_the_part_of_a_response_that_began_last_comes_alone(impl: ModuleType) -> None:
    item = {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message"}}
    part = {"type": "response.content_part.added", "output_index": 1, "content_index": 1, "part": {}}
    old, new = delta("b", 1), delta("c", 2)
    payloads = [item, delta("a", 1), part, delta("x", 1, 1), old, new, delta("d", 2)]
    assert shown(impl, "openai.responses", *payloads) == [
        *((item, None), "a", (part, None), "x", (old, "b"), (new, "c"), "d")
    ]


def test_text_of_converses_block_comes_alone_after_its_first_piece(impl: ModuleType) -> None:
    def text(text: str, index: int) -> tuple[str, dict[str, Any]]:
        return "contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}}

    assert shown(impl, "bedrock.converse", text("a", 0), text("b", 0), text("c", 1), text("d", 0), text("e", 1)) == [
        *((text("a", 0)[1], "a"), "b", (text("c", 1)[1], "c"), (text("d", 0)[1], "d"), "e")
    ]


def answer(*parts: Any, **members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [*parts], "role": "model"}, "index": 0}], **members}


def test_a_part_of_gemini_comes_alone_if_it_is_text_of_the_model_that_is_known(impl: ModuleType) -> None:
    first = answer({"text": "a"}, modelVersion="m")
    signed = answer({"text": "c", "thoughtSignature": "s"}, modelVersion="m")
    two = answer({"text": "d"}, {"text": "e"}, modelVersion="m")
    other = answer({"text": "f"}, modelVersion="n")
    counted = answer({"text": "g"}, modelVersion="n", usageMetadata={"totalTokenCount": 1})
    graded = answer({"text": "h"}, modelVersion="n")
    graded["candidates"][0]["safetyRatings"] = []
    payloads = [first, answer({"text": "b"}, modelVersion="m", responseId="r"), signed, two, other, counted, graded]
    assert shown(impl, "gemini.generate", *payloads) == [
        *((first, "a"), "b", (signed, "c"), (two, "de"), (other, "f"), (counted, "g"), (graded, "h"))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_json_that_is_no_object_says_nothing(impl: ModuleType, name: str) -> None:
    for event, _ in EVENTS[name]:
        if event == "error":
            continue
        decoder = impl.StreamDecoder(name)
        assert decoder.feed(b"event: %s\ndata: [12]\n\n" % (event or "x").encode()) == []
        assert (decoder._has_choices, decoder.done) == (False, False)


def test_parts_of_several_kinds_are_one_payload(impl: ModuleType) -> None:
    mixed = answer({"text": "a"}, {"text": "t", "thought": True}, {"text": "b"})
    mixed["candidates"][0]["finishReason"] = "STOP"
    assert shown(impl, "gemini.generate", mixed) == [(mixed, "ab")]


def test_log_probabilities_of_ollama_come_with_their_text(impl: ModuleType) -> None:
    lines = [
        {"message": {"role": "assistant", "content": "a"}, "done": False},
        {"message": {"role": "assistant", "content": "b"}, "done": False, "logprobs": [{"token": "b"}]},
        {"message": {"role": "assistant", "content": "c"}, "done": False, "logprobs": None},
    ]
    found = payloads_of(impl, "ollama.chat", [as_lines([("", line) for line in lines], STYLE, b"\n")])
    assert found == ["a", (json.dumps(lines[1], separators=(",", ":")), "b"), "c"]


def test_elements_and_wrapped_payloads_come_out_as_they_are(impl: ModuleType) -> None:
    first = answer({"text": "a"}, modelVersion="m")
    raw = json.dumps(first, separators=(",", ":"))
    assert payloads_of(impl, "gemini.generate", [as_array([("", first)], STYLE, b",")]) == [(raw, "a")]
    name, chunk = EVENTS["bedrock.anthropic"][0]
    ((inner, text),) = payloads_of(impl, "bedrock.anthropic", [as_messages([(name, chunk)], STYLE)])
    assert (json.loads(inner), text) == (EVENTS["anthropic.messages"][0][1], None)


def test_a_half_of_a_character_is_held_back_for_the_next_payload(impl: ModuleType) -> None:
    half, rest = piece("a\ud83d", index=0), piece("\ude00b", index=0)
    assert shown(impl, "anthropic.messages", start(0), half, rest) == [(start(0), None), "a", "\U0001f600b"]
