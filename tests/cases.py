"""The vectors: cases in JSON that cargo's tests read as well (``vectors/README.md`` says what they hold)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parent / "vectors"
Case = dict[str, Any]


def load(name: str) -> list[Case]:
    """Return the cases of ``vectors/NAME.json``."""
    cases: list[Case] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]
    return cases


def load_wire(*formats: str) -> list[Case]:
    """Return the wire cases in ``formats``, each with its ``body``."""
    paths = sorted((VECTORS / "wire").glob("*.expected.json"))
    cases: list[Case] = [json.loads(path.read_text("utf-8")) for path in paths]
    return [_with_body(case) for case in cases if case["format"] in formats]


def _with_body(case: Case) -> Case:
    """Return a wire case with its ``name``, its ``body`` and the ``options`` of its decoder."""
    body = (VECTORS / "wire" / case["file"]).read_bytes()
    return {**case, "name": case["file"], "body": body, "options": {"n": case["n"]} if "n" in case else {}}


def choices_in(case: Case) -> int:
    """Return how many choices a wire case has: what the request must have asked for."""
    return len(case["final"]["choices"]) or 1


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """Run a test once for each case."""
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def each_of(**lists: list[Case]) -> pytest.MarkDecorator:
    """Run a test once for each list of cases, which takes less time than once for each case."""
    return pytest.mark.parametrize("cases", lists.values(), ids=lists)


def delta_fields(listed: Case) -> tuple[Any, ...]:
    """Return a delta of ``decode.json`` as ``streams.by_field`` gives one."""
    names = ["role", "text", "reasoning", "refusal", "tool_calls", "finish_reason"]
    names += ["usage", "error", "logprobs", "audio"]
    assert set(listed) <= {"index", *names}
    calls = [("ToolCallDelta", *call) for call in listed.get("tool_calls", [])]
    return ("Delta", listed.get("index", 0), *(calls if name == "tool_calls" else listed.get(name) for name in names))


def event_fields(listed: Case) -> tuple[Any, ...]:
    """Return an event of ``sse.json`` as ``streams.by_field`` gives one."""
    return ("ServerSentEvent", listed["event"], listed["data"], listed["id"], listed["retry"])


def failure_fields(listed: Case | None) -> Case | None:
    """Return a failure of the vectors as ``streams.described`` gives one."""
    if listed is None:
        return None
    rest = {name: listed[name] for name in ("type", "message", "offset", "text", "deltas_seen")}
    rest["text_complete"] = listed.get("text_complete", True)
    return {**rest, "frame": base64.b64decode(listed["frame_b64"])}
