"""How each format of the mock server is asked: the path and the body, streaming and not."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

from millstream.testing import MockServer, Recorder

__all__ = ("FORMATS", "FormatRequest", "read")

_MESSAGES = [{"role": "user", "content": "one two"}]


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """How one format is asked; ``whole_path`` and ``whole`` are those of a request that does not stream."""

    name: str
    path: str
    body: dict[str, Any]
    content_type: str = "text/event-stream"
    streaming: dict[str, Any] = field(default_factory=lambda: {"stream": True})
    whole: dict[str, Any] = field(default_factory=dict)
    whole_path: str | None = None


def _path_says(name: str, path: str, whole_path: str, body: dict[str, Any], content_type: str) -> FormatRequest:
    return FormatRequest(name, path, body, content_type, {}, {}, whole_path)


_CLAUDE = {"max_tokens": 99, "messages": _MESSAGES}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "one two"}]}]}
_CONVERSE = {"messages": [{"role": "user", "content": [{"text": "one two"}]}]}
_AWS = "application/vnd.amazon.eventstream"

FORMATS: tuple[FormatRequest, ...] = (
    FormatRequest("openai.chat", "/v1/chat/completions", {"model": "m", "messages": _MESSAGES}),
    FormatRequest("openai.completions", "/v1/completions", {"model": "m", "prompt": "one two"}),
    FormatRequest("openai.responses", "/v1/responses", {"model": "m", "input": "one two"}),
    FormatRequest("anthropic.messages", "/v1/messages", {"model": "m", **_CLAUDE}),
    _path_says(
        "gemini.generate",
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        "/v1beta/models/m:generateContent",
        _GEMINI,
        "text/event-stream",
    ),
    _path_says(
        "gemini.generate",
        "/v1beta/models/m:streamGenerateContent",
        "/v1beta/models/m:generateContent",
        _GEMINI,
        "application/json",
    ),
    FormatRequest("cohere.v2", "/v2/chat", {"model": "m", "messages": _MESSAGES}),
    FormatRequest(
        "ollama.chat", "/api/chat", {"model": "m", "messages": _MESSAGES}, "application/x-ndjson", {}, {"stream": False}
    ),
    FormatRequest(
        "ollama.generate", "/api/generate", {"model": "m", "prompt": "one two"}, "application/x-ndjson", {},
        {"stream": False},
    ),
    FormatRequest("llamacpp.completion", "/completion", {"prompt": "one two"}),
    _path_says("tgi.generate", "/generate_stream", "/generate", {"inputs": "one two"}, "text/event-stream"),
    _path_says("bedrock.converse", "/model/m/converse-stream", "/model/m/converse", _CONVERSE, _AWS),
    _path_says(
        "bedrock.anthropic", "/model/m/invoke-with-response-stream", "/model/m/invoke", _CLAUDE, _AWS
    ),
)  # fmt: skip


def read(server: MockServer | Recorder, asked: FormatRequest, *, stream: bool = True) -> httpx2.Response:
    """Return the answer to a request, read to its end."""
    path = asked.path if stream else asked.whole_path or asked.path
    body = {**asked.body, **(asked.streaming if stream else asked.whole)}
    return httpx2.post(server.origin + path, json=body)
