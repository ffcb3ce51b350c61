"""Output items of the Responses API, and the events that stream them, as OpenAI sends them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = (
    *("CALL", "CODE", "COMPACTION", "COMPUTER", "CUSTOM_CALL", "FILE_SEARCH", "IMAGE", "ITEMS", "MCP_CALL"),
    *("MCP_TOOLS", "MESSAGE", "REASONING", "REFUSAL", "USAGE", "WEB_SEARCH", "events_of", "message", "response"),
    "stream_body",
)

USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 21,
}


def message(*parts: Any, id: str = "msg_1", **fields: Any) -> dict[str, Any]:
    """Return a message of the model's; a part is a text, or a content part."""
    content = [
        {"type": "output_text", "text": part, "annotations": [], "logprobs": []} if isinstance(part, str) else part
        for part in parts
    ]
    return {
        "type": "message",
        "id": id,
        "role": "assistant",
        "status": "completed",
        "phase": None,
        "content": content,
        **fields,
    }


MESSAGE = message("Hello, wörld!")
CITED = message(
    {
        "type": "output_text",
        "text": "See there.",
        "logprobs": [],
        "annotations": [
            {"type": "url_citation", "url": "https://x/y", "title": "Y", "start_index": 0, "end_index": 3},
            {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 4},
            {"type": "container_file_citation", "container_id": "c", "file_id": "f", "filename": "b.png"}
            | {"start_index": 1, "end_index": 2},
        ],
    },
    "And here.",
    id="msg_2",
)
REFUSAL = message({"type": "refusal", "refusal": "I cannot do that."}, id="msg_3")
PHASED = message("So far.", id="msg_4", phase="commentary")
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "First this."}, {"type": "summary_text", "text": "Then that."}],
    "encrypted_content": None,
    "status": None,
}
ENCRYPTED: dict[str, Any] = {
    "type": "reasoning",
    "id": "rs_2",
    "summary": [],
    "encrypted_content": "gAAAA",
    "content": None,
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city": "Bonn"}',
    "status": "completed",
    "namespace": None,
}
BROKEN_CALL = {**CALL, "id": "fc_2", "call_id": "call_2", "arguments": '{"city": "Bo'}
CUSTOM_CALL = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "call_3",
    "name": "python",
    "input": 'print("hi")',
    "status": "completed",
}
WEB_SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "q", "queries": ["q"], "sources": None},
}
FILE_SEARCH = {
    "type": "file_search_call",
    "id": "fs_1",
    "status": "completed",
    "queries": ["q"],
    "results": [{"file_id": "f", "filename": "a.txt", "score": 0.5, "text": "t", "attributes": {"a": 1}}],
}
CODE = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "status": "completed",
    "code": "1 + 1",
    "container_id": "cntr_1",
    "outputs": [{"type": "logs", "logs": "2"}],
}
IMAGE = {
    "type": "image_generation_call",
    "id": "ig_1",
    "status": "completed",
    "result": "aGVsbG8=",
    "output_format": "png",
    "quality": "low",
    "size": "1x1",
    "revised_prompt": "a cat",
}
MCP_TOOLS = {
    "type": "mcp_list_tools",
    "id": "mcpl_1",
    "server_label": "s",
    "error": None,
    "tools": [{"name": "t", "input_schema": {"type": "object", "default": None}, "annotations": None}],
}
MCP_CALL = {
    "type": "mcp_call",
    "id": "mcp_1",
    "server_label": "s",
    "name": "t",
    "arguments": '{"a": 1}',
    "output": "o",
    "error": None,
    "approval_request_id": None,
}
MCP_APPROVAL = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "t", "arguments": "{}"}
COMPUTER = {
    "type": "computer_call",
    "id": "cu_1",
    "call_id": "call_4",
    "status": "completed",
    "action": {"type": "click", "button": "left", "x": 1, "y": 2},
    "pending_safety_checks": [{"id": "sc_1", "code": "malicious", "message": "m"}],
}
COMPACTION = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gBBB", "created_by": None}
TOOL_SEARCH = {
    "type": "tool_search_call",
    "id": "tsc_1",
    "call_id": None,
    "arguments": {"query": None},
    "execution": "server",
    "status": "completed",
}
TOOLS_FOUND = {
    "type": "tool_search_output",
    "id": "tso_1",
    "call_id": None,
    "execution": "server",
    "status": "completed",
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
}
PATCH = {
    "type": "apply_patch_call",
    "id": "apc_1",
    "call_id": "call_5",
    "status": "completed",
    "operation": {"type": "delete_file", "path": "a"},
}
UNKNOWN = {"type": "dream", "id": "d_1", "dream": "sheep"}

ITEMS: dict[str, dict[str, Any]] = {
    **{"message": MESSAGE, "cited": CITED, "refusal": REFUSAL, "phased": PHASED, "reasoning": REASONING},
    **{"encrypted": ENCRYPTED, "call": CALL, "custom call": CUSTOM_CALL, "web search": WEB_SEARCH},
    **{"file search": FILE_SEARCH, "code": CODE, "image": IMAGE, "mcp tools": MCP_TOOLS, "mcp call": MCP_CALL},
    **{"mcp approval": MCP_APPROVAL, "computer": COMPUTER, "compaction": COMPACTION, "tool search": TOOL_SEARCH},
    **{"tools found": TOOLS_FOUND, "patch": PATCH, "unknown": UNKNOWN, "broken call": BROKEN_CALL},
}
"""Items by their names."""


def response(*output: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a response with the items ``output``."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {"k": "v"},
        "model": "gpt-x-2026",
        "output": list(output),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "service_tier": "default",
        "text": {"format": {"type": "text"}},
        "usage": USAGE,
        "user": None,
        **fields,
    }


def events_of(*output: Mapping[str, Any], step: int = 5, **fields: Any) -> list[dict[str, Any]]:
    """Return the events that stream a response, in deltas of ``step`` characters."""
    whole = response(*output, **fields)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for place, item in enumerate(output):
        events += _events_of_item(item, place, step)
    end = "incomplete" if whole["status"] == "incomplete" else "completed"
    events.append({"type": f"response.{end}", "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def stream_body(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Return events as a body of server-sent events."""
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def _events_of_item(item: Mapping[str, Any], place: int, step: int) -> Iterator[dict[str, Any]]:
    where = {"output_index": place, "item_id": item["id"]}
    cut: dict[str, Any] = {
        "content": [],
        "arguments": "",
        "input": "",
        "summary": [],
        "result": None,
        "encrypted_content": None,
    }
    kept = {"tool_search_call"}
    begun = {**item, **{key: value for key, value in cut.items() if key in item and item["type"] not in kept}}
    if "status" in begun:
        begun["status"] = "in_progress"
    yield {"type": "response.output_item.added", "output_index": place, "item": begun}
    if item["type"] == "message":
        for part_index, part in enumerate(item["content"]):
            yield from _events_of_part(part, {**where, "content_index": part_index}, step)
    elif item["type"] == "reasoning":
        for number, part in enumerate(item["summary"]):
            yield from _events_of_summary(part, {**where, "summary_index": number}, step)
    elif item["type"] == "function_call":
        for delta in _cut(item["arguments"], step):
            yield {"type": "response.function_call_arguments.delta", **where, "delta": delta}
        yield {"type": "response.function_call_arguments.done", **where, "arguments": item["arguments"]}
    elif item["type"] == "custom_tool_call":
        for delta in _cut(item["input"], step):
            yield {"type": "response.custom_tool_call_input.delta", **where, "delta": delta}
    elif item["type"] == "image_generation_call":
        yield {
            "type": "response.image_generation_call.partial_image",
            **where,
            "partial_image_index": 0,
            "partial_image_b64": "aGU=",
        }
    yield {"type": "response.output_item.done", "output_index": place, "item": dict(item)}


def _events_of_part(part: Mapping[str, Any], where: dict[str, Any], step: int) -> Iterator[dict[str, Any]]:
    kind = part["type"]
    name = "text" if kind == "output_text" else "refusal"
    yield {"type": "response.content_part.added", **where, "part": {**part, name: ""}}
    for delta in _cut(part[name], step):
        more: dict[str, Any] = {"logprobs": []} if name == "text" else {}
        yield {"type": f"response.{kind}.delta", **where, "delta": delta, **more}
    for number, annotation in enumerate(part.get("annotations", ())):
        event = {"type": "response.output_text.annotation.added", **where, "annotation_index": number}
        yield {**event, "annotation": annotation}
    yield {"type": f"response.{kind}.done", **where, name: part[name]}
    yield {"type": "response.content_part.done", **where, "part": dict(part)}


def _events_of_summary(part: Mapping[str, Any], where: dict[str, Any], step: int) -> Iterator[dict[str, Any]]:
    yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
    for delta in _cut(part["text"], step):
        yield {"type": "response.reasoning_summary_text.delta", **where, "delta": delta}
    yield {"type": "response.reasoning_summary_text.done", **where, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **where, "part": dict(part)}


def _cut(text: str, step: int) -> Sequence[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]
