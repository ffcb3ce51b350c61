"""The UI message stream: its chunks are those of the reader's schemas, and it can build a message from them."""

import json
from types import ModuleType
from typing import Any

import pytest

from cases import Case
from wire_answers import ANSWERS, Meaning, play, whole

CASES = [case for case in ANSWERS if "vercel.ui" in case["expected"]]
# The members of each chunk that the schemas require, and those that they allow beside them.
CHUNKS: dict[str, tuple[set[str], set[str]]] = {
    "start": (set(), {"messageId"}),
    "start-step": (set(), set()),
    "text-start": ({"id"}, set()),
    "text-delta": ({"id", "delta"}, set()),
    "text-end": ({"id"}, set()),
    "reasoning-start": ({"id"}, set()),
    "reasoning-delta": ({"id", "delta"}, set()),
    "reasoning-end": ({"id"}, set()),
    "tool-input-start": ({"toolCallId", "toolName"}, set()),
    "tool-input-delta": ({"toolCallId", "inputTextDelta"}, set()),
    "tool-input-available": ({"toolCallId", "toolName", "input"}, set()),
    "tool-input-error": ({"toolCallId", "toolName", "input", "errorText"}, set()),
    "tool-output-available": ({"toolCallId", "output"}, set()),
    "source-url": ({"sourceId", "url"}, {"title"}),
    "data-chunk": ({"data"}, set()),
    "data-snapshot": ({"data"}, set()),
    "finish-step": (set(), set()),
    "finish": (set(), {"finishReason", "messageMetadata"}),
    "error": ({"errorText"}, set()),
}
REASONS = ("stop", "length", "content-filter", "tool-calls", "error", "other")
ANYTHING = ("input", "output", "data", "messageMetadata")
each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def chunks_of(impl: ModuleType, case: Case) -> list[Any]:
    blocks = b"".join(play(impl, "vercel.ui", case)).decode().split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


class Message:
    """The parts of a message as the reader builds them; it refuses pieces and ends of parts that have not begun."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.texts: dict[tuple[str, str], Any] = {}
        self.inputs: dict[str, str] = {}
        self.calls: dict[str, Any] = {}
        self.ended: list[str] = []

    def read(self, chunk: Any) -> None:
        kind, _, event = chunk["type"].partition("-")
        if kind in ("text", "reasoning"):
            self._read_text(kind, event, chunk)
        elif kind == "tool":
            self._read_tool(event, chunk)
        elif chunk["type"] == "finish-step":
            self.texts.clear()
        elif kind in ("source", "data", "error"):
            self.parts.append(chunk)
        if kind in ("finish", "error") and chunk["type"] != "finish-step":
            self.ended.append(chunk["type"])

    def _read_text(self, kind: str, event: str, chunk: Any) -> None:
        key = (kind, chunk["id"])
        if event == "start":
            assert key not in self.texts
            self.texts[key] = {"type": kind, "text": ""}
            self.parts.append(self.texts[key])
        elif event == "delta":
            self.texts[key]["text"] += chunk["delta"]
        else:
            del self.texts[key]

    def _read_tool(self, event: str, chunk: Any) -> None:
        id = chunk["toolCallId"]
        if event == "input-start":
            self.inputs[id] = ""
            self.calls[id] = {"type": "tool", "id": id, "name": chunk["toolName"]}
            self.parts.append(self.calls[id])
        elif event == "input-delta":
            self.inputs[id] += chunk["inputTextDelta"]
        else:
            assert id in self.calls
            self.calls[id].update({event: chunk.get("input", chunk.get("output"))})


@each_case
def test_every_chunk_is_one_of_the_schemas(impl: ModuleType, case: Case) -> None:
    for chunk in chunks_of(impl, case):
        required, allowed = CHUNKS[chunk["type"]]
        assert required | {"type"} <= set(chunk) <= required | allowed | {"type"}
        assert [name for name, value in chunk.items() if name not in ANYTHING and type(value) is not str] == []
        assert chunk.get("finishReason", "stop") in REASONS


@each_case
def test_a_message_is_built_from_the_chunks(impl: ModuleType, case: Case) -> None:
    meant, message = Meaning(case), Message()
    chunks = chunks_of(impl, case)
    for chunk in chunks:
        message.read(chunk)
    assert message.ended == (["finish"] if meant.error is None else ["error"])
    text = "".join(part["text"] for part in message.parts if part["type"] == "text")
    pieces = [arguments for method, arguments in case["calls"] if method in ("write", "write_text")]
    expected = "".join(p.get("text", "") + p.get("refusal", "") for p in pieces if not p.get("index"))
    assert text == whole(expected)
    assert "".join(part["text"] for part in message.parts if part["type"] == "reasoning") == meant.reasoning
    assert [part["url"] for part in message.parts if part["type"] == "source-url"] == meant.sources
    if meant.error is not None:
        assert chunks[-1] == {"type": "error", "errorText": meant.error}
        assert [call for call in message.calls.values() if "input-available" in call] == []
    elif case["name"] != "arguments without a call":
        names = [call["name"] for call in message.calls.values()]
        assert names == [name for _, name, _ in meant.calls]
        for call in message.calls.values():
            assert ("input-available" in call) != ("input-error" in call)
            assert call.get("output-available") == dict(meant.results).get(call["id"])


def test_an_agents_later_message_is_another_step(impl: ModuleType) -> None:
    case = next(case for case in CASES if case["name"].startswith("an agent"))
    kinds = [chunk["type"] for chunk in chunks_of(impl, case)]
    steps = "\n".join(kinds).split("start-step\n")[1:]
    ends = [step.removesuffix("finish-step\n").removesuffix("finish-step\nfinish").split() for step in steps]
    assert [step[-1] for step in ends] == ["tool-output-available", "tool-output-available", "text-end"]


def test_arguments_are_sent_as_the_json_that_they_are(impl: ModuleType) -> None:
    for args, expected in (
        ('{"a":\n1.50}', b'"input":{"a":1.50}'),
        ("", b'"input":{}'),
        (" \n", b'"input":{}'),
        ("[1e400,-0]", b'"input":[1e400,-0]'),
        ('{"a":1', b'"input":"{\\"a\\":1"'),
        ('{"a":1}}', b'"input":"{\\"a\\":1}}"'),
        ('{"a":"\n"}', b'"input":"{\\"a\\":\\"\\n\\"}"'),
    ):
        calls = [["write", {"tool_calls": [[0, "c1", "f", args]]}], ["close", {}]]
        assert expected in b"".join(play(impl, "vercel.ui", {"calls": calls}))
