"""Samples of messages of every class, constructed in both libraries."""

import copy
from typing import Any
from uuid import UUID

from langchain_core import messages as theirs

from millstream import messages as ours

__all__ = ("BLOCKS", "CALL", "PNG", "SAMPLES", "SENT", "USAGE", "Made", "make_both")

CALL = {"name": "f", "args": {"a": 1}, "id": "c1"}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "input_token_details": {"cache_read": 1, "x": 2}}
BLOCKS = ["a", {"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
Made = tuple[str, dict[str, Any]]
SAMPLES: list[Made] = [
    ("HumanMessage", {"content": "x"}),
    ("HumanMessage", {"content": BLOCKS, "name": "bob", "id": 5}),
    ("HumanMessage", {"content": ("a", {"b": 1}), "example": True, "foo": [1]}),
    ("SystemMessage", {"content": "s", "additional_kwargs": {"__openai_role__": "developer"}}),
    ("AIMessage", {"content": ""}),
    (
        "AIMessage",
        {"content": "a", "tool_calls": [{**CALL, "extras": {"q": 1}}], "usage_metadata": {**USAGE, "foo": 2}},
    ),
    ("AIMessage", {"content": "a", "invalid_tool_calls": [{"name": "f", "args": "{", "id": "1", "error": "e"}]}),
    ("AIMessage", {"content_blocks": [{"type": "text", "text": "x"}, {"type": "tool_call", **CALL}]}),
    ("AIMessage", {"content": "", "response_metadata": {"finish_reason": "stop", "n": {"m": [1]}}, "id": "r"}),
    (
        "AIMessage",
        {
            "content": "x",
            "additional_kwargs": {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]},
        },
    ),
    (
        "AIMessage",
        {
            "content": "x",
            "additional_kwargs": {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}, {}]},
        },
    ),
    ("AIMessage", {"content": "x", "additional_kwargs": {"tool_calls": [{"id": "1", "function": {}}]}}),
    ("ToolMessage", {"content": "r", "tool_call_id": 3, "artifact": {"a": 1}}),
    ("ToolMessage", {"content": ("a", 1, {"b": 2}), "tool_call_id": "x", "status": "error", "name": "n"}),
    ("ToolMessage", {"content": None, "tool_call_id": UUID(int=5)}),
    ("ChatMessage", {"content": "c", "role": "r"}),
    ("FunctionMessage", {"content": "c", "name": "f"}),
    ("HumanMessageChunk", {"content": "x", "id": "i"}),
    ("SystemMessageChunk", {"content": "x"}),
    ("ToolMessageChunk", {"content": "x", "tool_call_id": "1"}),
    ("ChatMessageChunk", {"content": "x", "role": "r"}),
    ("FunctionMessageChunk", {"content": "x", "name": "f"}),
    ("AIMessageChunk", {"content": "x", "type": "AIMessageChunk", "chunk_position": "last"}),
    ("AIMessageChunk", {"content": "", "tool_call_chunks": [{"name": "f", "args": '{"a":', "id": "1", "index": 0}]}),
    (
        "AIMessageChunk",
        {"content": "", "tool_call_chunks": [{"args": "[1"}, {"args": "x"}, {"args": ""}, {"name": "n"}]},
    ),
    ("AIMessageChunk", {"content": "", "tool_calls": [{**CALL, "args": {"é": 1}}], "usage_metadata": USAGE}),
    (
        "AIMessageChunk",
        {
            "content": "",
            "additional_kwargs": {
                "tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{"}}, {"id": "2"}]
            },
        },
    ),
    ("BaseMessage", {"content": "x", "type": "q"}),
]


def make_both(sample: Made) -> tuple[Any, Any]:
    name, fields = sample
    return getattr(ours, name)(**copy.deepcopy(fields)), getattr(theirs, name)(**copy.deepcopy(fields))


PNG = "data:image/png;base64,AAA="
SENT: list[Any] = [
    *(BLOCKS, [{"type": "text", "text": "x", "extras": {"prompt_cache_breakpoint": {"a": 1}}}]),
    [{"type": "image", "url": "https://x"}, {"type": "image", "base64": "AA", "mime_type": "image/png"}],
    [{"type": "image", "source_type": "base64", "data": "AA", "mime_type": "image/png"}],
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        {"type": "image_url", "image_url": {"url": PNG}},
    ],
    [{"type": "image", "source": {"type": "url", "url": "https://x"}}, {"type": "image", "source": {"type": "other"}}],
    [
        {"type": "file", "base64": "AA", "mime_type": "application/pdf", "filename": "n.pdf"},
        {"type": "file", "file_id": "i"},
    ],
    [
        {"type": "audio", "base64": "AA", "mime_type": "audio/wav"},
        {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}},
    ],
    [
        {"type": "thinking", "thinking": "t"},
        {"type": "text", "text": "x"},
        {"type": "tool_use", "id": "1", "name": "f", "input": {}},
    ],
    [{"type": "file", "url": "https://x"}],
    [{"type": "video", "url": "https://x"}],
    [{"type": "image", "base64": "AA"}],
    [],
]
