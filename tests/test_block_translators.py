"""Answers and inputs of other providers as standard blocks, compared with LangChain's."""

import copy
from enum import Enum
from typing import Any

import pytest
from langchain_core import messages as theirs
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS as THEIR_TRANSLATORS

from millstream import messages as ours
from millstream.messages.block_translators import PROVIDER_TRANSLATORS

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
PLAIN: list[Any] = ["", "text", []]
CONTENTS: list[tuple[str, Any]] = [
    *(("anthropic", [block]) for block in ANTHROPIC),
    *(("bedrock", [block]) for block in ANTHROPIC[:7]),
    *(("bedrock_converse", [block]) for block in CONVERSE),
    *(("google_genai", [block]) for block in GEMINI),
    *(("anthropic", ANTHROPIC), ("bedrock", ANTHROPIC), ("bedrock_converse", CONVERSE), ("google_vertexai", GEMINI)),
    *((provider, content) for provider in PROVIDER_TRANSLATORS for content in PLAIN),
]
CALLS = [{"name": "f", "args": {"a": 1}, "id": "c1"}, {"name": "g", "args": {}, "id": "c2"}]
PIECES = [{"name": "f", "args": '{"a"', "id": "c1", "index": 0}, {"name": "g", "args": "", "id": "c2", "index": 1}]


def blocks_of(name: str, **fields: Any) -> tuple[list[Any], list[Any]]:
    """Return the blocks of a message in both libraries, without generated ids; the content stays as it is."""
    own, their = (getattr(module, name)(**copy.deepcopy(fields)) for module in (ours, theirs))
    found = own.content_blocks, their.content_blocks
    assert own.content == fields["content"]
    return without_ids(found[0]), without_ids(found[1])


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_ids(one) for key, one in value.items() if not str(one).startswith("lc_") or key != "id"}


@pytest.mark.parametrize(("provider", "content"), CONTENTS, ids=range(len(CONTENTS)))
@pytest.mark.parametrize("number", [0, 1, 2])
def test_content_becomes_standard_as_in_langchain(provider: str, content: Any, number: int) -> None:
    metadata = {"model_provider": provider, "model_name": "claude"}
    own, their = blocks_of("AIMessage", content=content, tool_calls=CALLS[:number], response_metadata=metadata)
    assert own == their
    for position in (None, "last"):
        fields = {"tool_call_chunks": PIECES[:number], "chunk_position": position, "response_metadata": metadata}
        if provider == "bedrock" and isinstance(content, str) and not number:
            continue
        if provider == "openai" and not isinstance(content, str):
            continue
        own, their = blocks_of("AIMessageChunk", content=content, **fields)
        assert own == their


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


@pytest.mark.parametrize(("provider", "metadata"), METADATA, ids=range(len(METADATA)))
@pytest.mark.parametrize("content", ["text", "", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]])
def test_metadata_of_answers_become_blocks_as_in_langchain(provider: str, metadata: Any, content: Any) -> None:
    own, their = blocks_of("AIMessage", content=content, response_metadata={**metadata, "model_provider": provider})
    assert own == their


TOOLS: list[dict[str, Any]] = [
    {"type": "search", "arguments": '{"q": 1}', "output": "o", "search_results": [1], "index": 0},
    {"type": "python", "arguments": '{"code": "print("x")"}', "output": "o"},
    {"type": "python", "arguments": "nothing"},
    {"type": "function", "name": "python", "arguments": "1 + 1", "output": "2"},
    {"type": "other", "arguments": "{"},
    {"type": "other", "arguments": "[1]", "output": "o"},
    {"type": "other"},
]


def test_tools_of_groq_become_blocks_as_in_langchain() -> None:
    for tools in ([*TOOLS], *([tool] for tool in TOOLS)):
        own, their = blocks_of(
            "AIMessage",
            content="text",
            additional_kwargs={"executed_tools": tools, "reasoning_content": "r"},
            response_metadata={"model_provider": "groq"},
            tool_calls=CALLS,
        )
        assert own == their


def test_audio_of_gemini_becomes_a_block_as_in_langchain() -> None:
    for content in ("", ["a"]):
        own, their = blocks_of(
            "AIMessage",
            content=content,
            additional_kwargs={"audio": b"wave"},
            response_metadata={"model_provider": "google_genai"},
            tool_calls=CALLS,
        )
        assert own == their


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


@pytest.mark.parametrize("block", INPUTS, ids=range(len(INPUTS)))
def test_inputs_of_other_providers_become_standard_as_in_langchain(block: dict[str, Any]) -> None:
    own, their = blocks_of("HumanMessage", content=["a", block])
    assert own == their


def test_the_same_providers_are_known() -> None:
    assert PROVIDER_TRANSLATORS.keys() == THEIR_TRANSLATORS.keys()
