"""Blocks as providers send them, for the tests of their translators."""

from enum import Enum
from typing import Any

ANTHROPIC: list[dict[str, Any]] = [
    {"type": "text", "text": "a", "index": 1},
    {
        "type": "text",
        "text": "b",
        "citations": [
            {"type": "web_search_result_location", "cited_text": "c", "url": "u", "title": "t", "more": 1, "index": 0},
            {"type": "web_search_result_location", "cited_text": "c"},
            {"type": "char_location", "cited_text": "c", "document_title": "d", "start_char_index": 1},
            {"type": "page_location", "cited_text": "c", "title": "t"},
            {"type": "page_location"},
            {"type": "other", "cited_text": "c"},
        ],
    },
    {"type": "refusal", "refusal": "no", "extras": {"e": 1}, "index": 1},
    {"type": "refusal"},
    {"type": "thinking", "thinking": "t", "signature": "s", "index": 0},
    {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}, "index": 2, "caller": "me"},
    {"type": "tool_use", "id": "unknown", "name": "g", "input": {}, "toolset_name": "s"},
    {"type": "input_json_delta", "partial_json": '{"a', "index": 3},
    {"type": "server_tool_use", "id": "s", "name": "code_execution", "input": {"code": 1}, "index": 0, "x": 1},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}, "partial_json": '{"q": 1}'},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}, "partial_json": "{"},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "l", "input": {"a": 1}, "index": 0},
    {"type": "mcp_tool_use", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"r": 1}], "index": 1, "x": 1},
    {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {"error_code": "e"}},
    {"type": "mcp_tool_result", "tool_use_id": "s", "is_error": True, "content": "c"},
    {"type": "container_upload", "index": 4},
    {"no": "type"},
]
CONVERSE: list[dict[str, Any]] = [
    {"type": "text", "text": "a", "index": 1},
    {
        "type": "text",
        "text": "b",
        "citations": [{"title": "t", "source_content": [{"text": "a"}, {"text": "b"}], "location": 1}, {"x": 1}],
    },
    {"type": "reasoning_content", "reasoning_content": {"text": "t", "signature": "s"}, "index": 0, "more": 1},
    {"type": "reasoning_content", "reasoning_content": {"redacted_content": "r"}},
    {"type": "reasoning_content"},
    {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}, "index": 2},
    {"type": "tool_use", "id": "unknown", "name": "g", "input": {}},
    {"type": "input_json_delta", "partial_json": '{"a', "index": 3},
    {"type": "guard_content", "index": 1},
]
GEMINI: list[Any] = [
    "text",
    {"type": "text", "text": "a", "index": 1},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}, "index": 2},
    {"type": "image_url", "image_url": {"url": "not base64!"}},
    {"type": "function_call", "name": "f", "args": {"a": 1}, "id": "c1"},
    {"type": "file_data", "file_uri": "u", "mime_type": "a/b"},
    {"type": "file_data"},
    {"type": "thinking", "thinking": "t", "signature": "s", "index": 0},
    {"type": "thinking"},
    {"type": "executable_code", "executable_code": "1", "language": "python", "id": "e"},
    {"type": "code_execution_result", "code_execution_result": "1", "outcome": 2, "tool_call_id": "e"},
    {"type": "code_execution_result", "outcome": None},
    {"type": "other", "index": 5},
]
RESPONSES: list[dict[str, Any]] = [
    {"type": "text", "text": "a", "index": 3, "id": "m"},
    {
        "type": "text",
        "annotations": [
            {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2, "more": 5},
            {"type": "file_citation", "filename": "f", "file_id": "i", "index": 1},
            {"type": "file_citation"},
            {"type": "container_file_citation", "x": 1},
        ],
    },
    {"type": "refusal", "refusal": "no", "id": "m", "index": 1, "phase": "p", "extras": {"e": 1}},
    {"type": "refusal"},
    {"type": "reasoning", "id": "r", "reasoning": "plain", "index": 0},
    {"type": "reasoning", "id": "r", "summary": [], "index": 0, "encrypted_content": "e"},
    {
        "type": "reasoning",
        "id": "r",
        "index": 2,
        "summary": [{"type": "summary_text", "text": "a", "index": 0}, {"text": "b", "index": 1}, {}],
        "encrypted_content": "e",
    },
    {"type": "image_generation_call", "result": "AA", "output_format": "png", "id": "g", "index": 0, "status": "done"},
    {"type": "image_generation_call", "id": "g"},
    {"type": "function_call", "call_id": "c1", "id": "fc", "index": 4, "status": "completed", "namespace": "n"},
    {"type": "function_call", "call_id": "bad", "name": "f", "arguments": "{"},
    {"type": "function_call", "call_id": "unknown"},
    {
        "type": "web_search_call",
        "id": "w",
        "status": "completed",
        "index": 1,
        "action": {"q": 1, "sources": [2]},
        "x": 1,
    },
    {"type": "web_search_call", "id": "w2", "status": "searching"},
    {"type": "web_search_result", "id": "w2"},
    {"type": "file_search_call", "id": "s", "queries": ["q"], "results": [{"r": 1}], "status": "failed", "index": 0},
    {"type": "file_search_call", "id": "s", "x": 1},
    {
        "type": "code_interpreter_call",
        "id": "c",
        "code": "1",
        "outputs": [],
        "status": "completed",
        "container_id": "k",
    },
    {"type": "code_interpreter_call", "id": "c", "index": "text", "status": "running"},
    {
        "type": "mcp_call",
        "id": "m",
        "name": "n",
        "server_label": "l",
        "arguments": '{"a": 1}',
        "output": "o",
        "index": 1,
    },
    {"type": "mcp_call", "id": "m", "arguments": "{", "error": "e", "approval": 1},
    {"type": "mcp_list_tools", "id": "l", "server_label": "s", "tools": [{"t": 1}], "index": 0},
    {"type": "mcp_list_tools", "id": "l", "error": "e", "tools": []},
    {"type": "tool_search_call", "id": "t", "execution": "server", "arguments": {"a": 1}, "index": 0, "call_id": None},
    {"type": "tool_search_output", "id": "t", "execution": "server", "tools": [1], "status": "completed", "index": 0},
    {"type": "tool_search_call", "id": "t", "execution": "client"},
    {"type": "mcp_approval_request", "id": "a", "index": 1},
    {"type": "image", "url": "https://x"},
    {"type": "non_standard", "value": {"a": 1}},
    {"no": "type"},
]
CALLS = [{"name": "f", "args": {"a": 1}, "id": "c1"}, {"name": "g", "args": {}, "id": "c2"}]
PIECES = [{"name": "f", "args": '{"a"', "id": "c1", "index": 0}, {"name": "g", "args": "", "id": "c2", "index": 1}]


class Reason(Enum):
    SAFETY = 3


METADATA: list[tuple[str, dict[str, Any]]] = [
    ("anthropic", {"stop_reason": "refusal"}),
    ("anthropic", {"stop_reason": "refusal", "stop_details": {"explanation": "e", "category": "c"}}),
    ("anthropic", {"stop_reason": "refusal", "stop_details": ["x"]}),
    ("google_genai", {"finish_reason": "SAFETY", "finish_message": "m"}),
    ("google_genai", {"finish_reason": Reason.SAFETY}),
    ("google_genai", {"finish_reason": "FinishReason.BLOCKLIST", "prompt_feedback": {"block_reason": "OTHER"}}),
    ("google_genai", {"prompt_feedback": {"block_reason": "BLOCKED_REASON_UNSPECIFIED"}}),
    ("google_genai", {"finish_reason": "STOP", "prompt_feedback": {"block_reason": 0}}),
    (
        "google_genai",
        {
            "grounding_metadata": {
                "web_search_queries": ["q"],
                "grounding_chunks": [{"web": {"uri": "u", "title": "t"}}, {"maps": {"uri": "m", "placeId": "p"}}],
                "grounding_supports": [
                    {"segment": {"start_index": 0, "end_index": 4, "text": "x"}, "grounding_chunk_indices": [0, 1, 9]},
                    {"grounding_chunk_indices": [0], "confidence_scores": [0.5]},
                ],
            }
        },
    ),
    ("google_genai", {"grounding_metadata": {}}),
    ("bedrock", {"model_name": "titan"}),
    ("unknown", {}),
]
TOOLS: list[dict[str, Any]] = [
    {"type": "search", "arguments": '{"q": 1}', "output": "o", "search_results": [1], "index": 0},
    {"type": "python", "arguments": '{"code": "print("x")"}', "output": "o"},
    {"type": "python", "arguments": "nothing"},
    {"type": "function", "name": "python", "arguments": "1 + 1", "output": "2"},
    {"type": "other", "arguments": "{"},
    {"type": "other", "arguments": "[1]", "output": "o"},
    {"type": "other"},
]
INPUTS: list[dict[str, Any]] = [
    *(
        {"type": kind, "source": source, "title": "t"}
        for kind in ("image", "document")
        for source in (
            {"type": "base64", "data": "AA", "media_type": "a/b"},
            {"type": "base64", "data": "AA"},
            {"type": "url", "url": "u"},
            {"type": "url"},
            {"type": "file", "file_id": "f"},
            {"type": "text", "data": "whole"},
            {"type": "other"},
            {},
        )
    ),
    {"text": "only"},
    {"text": ""},
    {"document": {"format": "pdf", "source": {"bytes": b"x"}, "name": "n"}},
    {"document": {"format": "pdf", "source": {"bytes": "eA=="}}},
    {"document": {"format": "txt", "source": {"text": "t"}, "name": "n"}},
    {"document": {"format": "csv", "source": {"bytes": b"x"}}},
    {"document": {"format": "pdf"}},
    {"document": "text"},
    {"image": {"format": "png", "source": {"bytes": b"x"}, "name": "n"}},
    {"image": {"format": "png"}},
    {"type": "file_data", "file_uri": "u", "mime_type": "a/b"},
    {"type": "file_data"},
    {"type": "function_call", "name": "f", "args": {"a": 1}, "id": "i"},
    {"type": "function_call"},
    {"type": "executable_code", "executable_code": "1"},
    {"type": "code_execution_result", "code_execution_result": "1", "outcome": 2},
    {"type": "code_execution_result", "outcome": None},
    {"type": "image", "url": "u"},
    {"type": "tool_use", "id": "i"},
]


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_ids(one) for key, one in value.items() if not str(one).startswith("lc_") or key != "id"}
