"""Streams and whole answers of Anthropic, as its documentation shows them."""

import json
from collections.abc import Iterable
from typing import Any

from millstream.testing import Reply

__all__ = (
    *("ANSWERS", "STREAMS", "TEXT", "USAGE", "answer", "body_of", "event", "start", "stop", "stream_reply"),
    *("text_block", "tool_block", "whole_reply"),
)

Payload = dict[str, Any]

USAGE = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 4,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
    "output_tokens": 1,
    "service_tier": "standard",
}
END = {"input_tokens": 12, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 15}


def event(payload: Payload) -> bytes:
    """Return a payload as an event."""
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


def body_of(payloads: Iterable[Payload]) -> bytes:
    """Return the body of a stream."""
    return b"".join(map(event, payloads))


def stream_reply(payloads: Iterable[Payload], **options: Any) -> Reply:
    """Return the reply of a stream."""
    return Reply(body=body_of(payloads), content_type="text/event-stream", **options)


def whole_reply(answer: Payload) -> Reply:
    """Return the reply of a whole answer."""
    return Reply(body=json.dumps(answer).encode(), content_type="application/json", framing="length")


def start(**message: Any) -> Payload:
    """Return the first payload of a stream."""
    begun = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    return {
        "type": "message_start",
        "message": {**begun, "stop_reason": None, "stop_sequence": None, "usage": USAGE, **message},
    }


def stop(
    reason: str | None = "end_turn", *, usage: Any = END, sequence: str | None = None, **more: Any
) -> list[Payload]:
    """Return the last payloads of a stream; ``more`` are members of the last delta."""
    delta = {"stop_reason": reason, "stop_sequence": sequence, **more}
    return [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]


def block(index: int, begun: Payload, *deltas: Payload) -> list[Payload]:
    """Return the payloads of a block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text_block(index: int, *texts: str) -> list[Payload]:
    """Return the payloads of a text."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in texts))


def thinking_block(index: int, *texts: str) -> list[Payload]:
    """Return the payloads of thinking, with its signature."""
    deltas = [{"type": "thinking_delta", "thinking": text} for text in texts]
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    return block(index, begun, *deltas, {"type": "signature_delta", "signature": "c2ln"})


def tool_block(index: int, name: str, *parts: str) -> list[Payload]:
    """Return the payloads of a tool call, whose arguments arrive in ``parts``."""
    begun = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    return block(index, begun, *json_deltas(*parts))


def json_deltas(*parts: str) -> list[Payload]:
    """Return deltas with parts of the arguments of a call."""
    return [{"type": "input_json_delta", "partial_json": part} for part in parts]


PING = {"type": "ping"}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
SERVER_TOOL = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_result", "title": "t", "url": "https://x", "encrypted_content": "e"}
RESULT = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [FOUND]}
CITATION = {"type": "web_search_result_location", "cited_text": "c", "url": "https://x", "encrypted_index": "i"}
CHARS = {"type": "char_location", "cited_text": "c", "document_index": 0, "start_char_index": 0, "end_char_index": 2}
MCP = {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "s", "input": {}}
MCP_RESULT = {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []}

# The payloads, and the arguments of the call that leads to them.
STREAMS: dict[str, tuple[list[Payload], dict[str, Any]]] = {
    "text": ([start(), PING, *text_block(0, "Hel", "lo", " ☺"), *stop()], {}),
    "a text that begins with its block": (
        [start(), *block(0, {"type": "text", "text": "Hel"}, {"type": "text_delta", "text": "lo"}), *stop()],
        {},
    ),
    "no text": ([start(), *stop()], {}),
    "an empty text": ([start(), *text_block(0, ""), *stop()], {}),
    "two texts": ([start(), *text_block(0, "a"), *text_block(1, "b", "c"), *stop()], {}),
    "a stop sequence": ([start(), *text_block(0, "a"), *stop("stop_sequence", sequence="x")], {}),
    "a refusal": (
        [start(), *text_block(0, "a"), *stop("refusal", stop_details={"type": "refusal", "category": "cyber"})],
        {},
    ),
    "reasoning in the usage": (
        [start(), *text_block(0, "a"), *stop(usage={**END, "output_tokens_details": {"thinking_tokens": 9}})],
        {},
    ),
    "unknown events and deltas": (
        [
            start(),
            {"type": "future_event", "x": 1},
            *block(
                0, {"type": "text", "text": ""}, {"type": "future_delta", "x": 1}, {"type": "text_delta", "text": "a"}
            ),
            *block(1, {"type": "future_block", "x": 1}),
            *stop(),
        ],
        {},
    ),
    "thinking": (
        [start(), *thinking_block(0, "H", "m"), *text_block(1, "Yes", "!"), *stop()],
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    "thinking that is omitted": (
        [
            start(),
            *block(0, {"type": "thinking", "thinking": "", "signature": "c2ln"}),
            *block(1, {"type": "redacted_thinking", "data": "eA=="}),
            *text_block(2, "Yes"),
            *stop(),
        ],
        {"thinking": {"type": "adaptive"}},
    ),
    "thinking that nobody asked for": ([start(), *thinking_block(0, "Hm"), *text_block(1, "Yes"), *stop()], {}),
    "a tool call": (
        [
            start(),
            *text_block(0, "I ", "add"),
            *block(1, TOOL, *json_deltas("", '{"a":', ' 1, "b"', ": 2}")),
            *stop("tool_use"),
        ],
        {"tools": [{"name": "add", "input_schema": {"type": "object"}}]},
    ),
    "two tool calls": (
        [
            start(),
            *block(0, TOOL, *json_deltas('{"a": 1}')),
            *block(1, {**TOOL, "id": "toolu_2", "input": {"a": [1, "é"]}, "caller": {"type": "direct"}}),
            *stop("tool_use"),
        ],
        {"tools": [{"name": "add", "input_schema": {"type": "object"}}]},
    ),
    "a tool call that was cut": (
        [start(), *block(0, TOOL, *json_deltas('{"a": [1, "x')), *stop("max_tokens")],
        {"tools": [{"name": "add", "input_schema": {"type": "object"}}]},
    ),
    "a tool of the server": (
        [
            start(),
            *text_block(0, "I search"),
            *block(1, SERVER_TOOL, *json_deltas("", '{"query"', ': "x"}')),
            *block(2, RESULT),
            *block(
                3,
                {"type": "text", "text": "", "citations": []},
                {"type": "text_delta", "text": "found"},
                {"type": "citations_delta", "citation": CITATION},
                {"type": "text_delta", "text": " it"},
            ),
            *stop(usage={**END, "server_tool_use": {"web_search_requests": 1}}),
        ],
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ),
    "citations that nobody asked for": (
        [start(), *block(0, {"type": "text", "text": ""}, {"type": "citations_delta", "citation": CHARS}), *stop()],
        {},
    ),
    "an MCP server": (
        [start(), *block(0, MCP, *json_deltas('{"a": 1}')), *block(1, MCP_RESULT), *text_block(2, "x"), *stop()],
        {"mcp_servers": [{"type": "url", "url": "https://x", "name": "s"}]},
    ),
    "betas": (
        [
            start(),
            *thinking_block(0, "Hm"),
            *block(
                1,
                {"type": "compaction"},
                {"type": "compaction_delta", "content": "all of it", "encrypted_content": None},
            ),
            *text_block(2, "x"),
            {
                "type": "message_delta",
                "delta": {
                    "stop_reason": "end_turn",
                    "stop_sequence": None,
                    "container": {"id": "c1", "expires_at": "2026-01-02T03:04:05Z"},
                },
                "context_management": {
                    "applied_edits": [
                        {"type": "clear_thinking_20251015", "cleared_input_tokens": 1, "cleared_thinking_turns": 2}
                    ]
                },
                "usage": END,
            },
            {"type": "message_stop"},
        ],
        {"betas": ["a"], "context_management": {"edits": [{"type": "compact_20260112"}]}},
    ),
    "a container": (
        [
            start(),
            *text_block(0, "x"),
            *stop(container={"id": "c1", "expires_at": "2026-01-02T03:04:05.500000Z", "skills": []}),
        ],
        {},
    ),
    "an advisor": (
        [
            start(),
            *block(
                0,
                {"type": "advisor_tool_result", "tool_use_id": "t", "content": {"type": "advisor_result", "text": "t"}},
            ),
            *text_block(1, "x"),
            *stop(),
        ],
        {"betas": ["a"], "tools": [{"type": "advisor_20260301", "name": "advisor"}]},
    ),
}


def answer(*content: Payload, **members: Any) -> Payload:
    """Return a whole answer."""
    begun = start()["message"]
    return {**begun, "content": list(content), "stop_reason": "end_turn", **members}


TEXT = {"type": "text", "text": "Hello"}
ANSWERS: dict[str, tuple[Payload, dict[str, Any]]] = {
    "text": (answer(TEXT), {}),
    "no content": (answer(), {}),
    "two texts": (answer(TEXT, TEXT), {}),
    "nothing that is optional": (
        {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [TEXT], "usage": {
            "input_tokens": 1, "output_tokens": 2,
        }},
        {},
    ),
    "more than is known": (answer({**TEXT, "x": 1}, future=[1], usage={**USAGE, "speed": "fast", "y": 1}), {}),
    "a text with citations": (answer({**TEXT, "citations": [CHARS]}), {}),
    "a refusal": (
        answer(TEXT, stop_reason="refusal", stop_details={"type": "refusal", "category": "bio"}),
        {"betas": ["a"]},
    ),
    "thinking": (
        answer(
            {"type": "thinking", "thinking": "Hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}, TEXT
        ),
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    "a tool call": (
        answer(TEXT, {**TOOL, "input": {"a": 1}, "caller": None}, stop_reason="tool_use"),
        {"tools": [{"name": "add", "input_schema": {"type": "object"}}]},
    ),
    "tools of the server": (
        answer(
            {**SERVER_TOOL, "input": {"query": "x"}},
            RESULT,
            {**MCP, "input": {"a": 1}},
            MCP_RESULT,
            {**TEXT, "citations": [CITATION]},
            container={"id": "c1", "expires_at": "2026-01-02T03:04:05Z"},
        ),
        {"betas": ["mcp-client-2025-11-20"]},
    ),
    "betas": (
        answer(
            TEXT,
            {"type": "compaction", "content": "c", "encrypted_content": None},
            context_management={"applied_edits": []},
        ),
        {"betas": ["a"]},
    ),
}  # fmt: skip
