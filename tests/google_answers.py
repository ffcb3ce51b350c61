"""Answers of Gemini, payload by payload, as its documentation and its SDK's tests show them."""

import json
from collections.abc import Sequence
from typing import Any

from google_peer import PNG
from millstream.testing import Reply

__all__ = ("GEMINI_3", "STREAMS", "call", "merged", "part", "payload", "stream")

MODEL = "gemini-2.5-flash"
GEMINI_3 = "gemini-3-pro-preview"
SIGNATURE = "aGk/+w=="
RATING = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}
BLOCKED = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
GROUNDING = {
    "webSearchQueries": ["q"],
    "searchEntryPoint": {"renderedContent": "<div>"},
    "groundingChunks": [
        {"web": {"uri": "https://a.example", "title": "A"}},
        {"maps": {"uri": "https://m.example", "title": "M", "placeId": "p", "text": "t"}},
    ],
    "groundingSupports": [
        {
            "segment": {"startIndex": 0, "endIndex": 3, "text": "abc"},
            "groundingChunkIndices": [0],
            "confidenceScores": [0.5],
        }
    ],
    "unknown": 1,
}


def payload(*parts: Any, usage: Sequence[int] | None = None, model: str | None = MODEL, **fields: Any) -> Any:
    """Return a payload of one candidate; ``usage`` are the tokens of prompt, answer, thoughts and cache."""
    members: dict[str, Any] = {}
    if usage is not None:
        names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount")
        counts = dict(zip(names, usage, strict=False))
        members["usageMetadata"] = {**counts, "totalTokenCount": sum(usage[:3])}
    if model is not None:
        members["modelVersion"] = model
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return {"candidates": [{**content, "index": 0, **fields}], **members, "responseId": "r-1"}


def part(text: str, **fields: Any) -> dict[str, Any]:
    """Return a part with a text."""
    return {"text": text, **fields}


def call(name: str, args: Any, **fields: Any) -> dict[str, Any]:
    """Return a part with a function call."""
    return {"functionCall": {"name": name, "args": args, **fields}}


def stream(payloads: Sequence[Any], **fields: Any) -> Reply:
    """Return the reply that streams ``payloads``."""
    frames = [b"data: " + json.dumps(item).encode() + b"\r\n\r\n" for item in payloads]
    return Reply(body=frames, content_type="text/event-stream", **fields)


END: Any = {"finishReason": "STOP"}


def merged(payloads: Sequence[Any]) -> Any:
    """Return the whole answer that has the parts of all payloads, and the rest of the last one."""
    last = payloads[-1]
    if "candidates" not in last:
        return last
    contents = [item["candidates"][0].get("content", {}) for item in payloads]
    parts = [part for content in contents for part in content.get("parts", ())]
    return {**last, "candidates": [{**last["candidates"][0], "content": {"parts": parts, "role": "model"}}]}


STREAMS: dict[str, list[Any]] = {
    "text": [payload(part("Hello")), payload(part(" wor")), payload(part("ld!\n")), payload(part(""), **END)],
    "text with usage": [
        payload(part("Hel"), usage=(5, 1)),
        payload(part("lo"), usage=(5, 2)),
        payload(part("!"), usage=(4, 3), **END),
    ],
    "text without a model": [payload(part("a"), model=None), payload(part("b"), model=None, **END)],
    "text of Gemini 3": [
        payload(part("Hel"), model=GEMINI_3),
        payload(part("lo"), model=GEMINI_3),
        payload(part("!", thoughtSignature=SIGNATURE), usage=(4, 3, 7, 2), model=GEMINI_3),
        payload(part("", thoughtSignature=SIGNATURE), usage=(4, 3, 7, 2), model=GEMINI_3, **END),
    ],
    "thoughts": [
        payload(part("I think", thought=True), usage=(5, 0, 3)),
        payload(part(" more", thought=True), usage=(5, 0, 6)),
        payload(part("So: "), usage=(5, 1, 6)),
        payload(part("yes"), usage=(5, 2, 6), **END),
    ],
    "thoughts of Gemini 3": [
        payload(part("I think", thought=True), model=GEMINI_3),
        payload(part(" more", thought=True, thoughtSignature=SIGNATURE), model=GEMINI_3),
        payload(part("So"), model=GEMINI_3),
        payload({**call("f", {"a": 1.0, "b": [2.0, 2.5]}), "thoughtSignature": SIGNATURE}, model=GEMINI_3),
        payload(part(" done"), model=GEMINI_3, **END),
    ],
    "several parts": [
        payload(part("a"), part("b")),
        payload(part("t", thought=True), part("c"), part("d"), call("f", {"x": 1}), **END),
    ],
    "parallel calls": [
        payload(call("f", {"city": "Böhl"}, id="c1"), call("g", {}, id="c2")),
        payload({"functionCall": {"name": "h", "id": "c3"}}, usage=(9, 4), **END),
    ],
    "a call between texts": [
        payload(part("before")),
        payload(call("f", {"a": None}, id="c1")),
        payload(part("after"), **END),
    ],
    "safety": [
        payload(part("so"), safetyRatings=[RATING]),
        payload(finishReason="SAFETY", safetyRatings=[RATING, BLOCKED]),
    ],
    "a blocked prompt": [
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": [BLOCKED]},
            "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
            "modelVersion": MODEL,
        }
    ],
    "other endings": [payload(part("a")), payload(finishReason="MAX_TOKENS")],
    "a malformed call": [payload(finishReason="MALFORMED_FUNCTION_CALL")],
    "grounding": [payload(part("abc")), payload(part("d"), groundingMetadata=GROUNDING, **END)],
    "an empty grounding": [payload(part("abc"), groundingMetadata={}, **END)],
    "code": [
        payload({"executableCode": {"language": "PYTHON", "code": "print(1)"}}),
        payload({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}),
        payload({"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "x"}}),
        payload(part("one"), **END),
    ],
    "server tools": [
        payload({"toolCall": {"toolType": "MEDIA_PROCESSING", "id": "t1", "args": {"a": 1}}}),
        payload({"toolResponse": {"id": "t1", "response": {"b": 2}}}, part("x"), **END),
    ],
    "a picture": [
        payload(part("see"), {"inlineData": {"mimeType": "image/png", "data": PNG}}),
        payload({"inlineData": {"mimeType": "image/png", "data": PNG}, "thoughtSignature": SIGNATURE}, **END),
    ],
    "audio": [payload({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAEAAQ=="}}, **END)],
    "usage of tools": [
        {
            **payload(part("x"), **END),
            "usageMetadata": {"promptTokenCount": 3, "toolUsePromptTokenCount": 2, "totalTokenCount": 5},
        }
    ],
    "nothing but an end": [payload(**END)],
}
