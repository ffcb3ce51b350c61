"""Tool calls: as a model's chunks bring them, whole, and where their arguments cannot be read."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

from .._values import read_json
from .partial_json import read_partial_json

__all__ = (
    "InvalidToolCall",
    "ToolCall",
    "ToolCallChunk",
    "default_tool_chunk_parser",
    "default_tool_parser",
    "invalid_tool_call",
    "parsed_calls",
    "tool_call",
    "tool_call_chunk",
)


class ToolCall(TypedDict):
    """A model's wish to call the tool ``name`` with ``args``; ``id`` tells which call a result is of."""

    name: str
    args: dict[str, Any]
    id: str | None
    type: NotRequired[Literal["tool_call"]]


class ToolCallChunk(TypedDict):
    """A piece of a tool call: ``args`` is JSON on its way; pieces with the same ``index`` add up."""

    name: str | None
    args: str | None
    id: str | None
    index: int | None
    type: NotRequired[Literal["tool_call_chunk"]]


class InvalidToolCall(TypedDict):
    """A tool call whose ``args`` are no JSON object; ``error`` says why, if anybody did."""

    type: Literal["invalid_tool_call"]
    id: str | None
    name: str | None
    args: str | None
    error: str | None
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


def tool_call(*, name: str, args: dict[str, Any], id: str | None) -> ToolCall:
    """Return a tool call."""
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def tool_call_chunk(
    *, name: str | None = None, args: str | None = None, id: str | None = None, index: int | None = None
) -> ToolCallChunk:
    """Return a piece of a tool call."""
    return {"name": name, "args": args, "id": id, "index": index, "type": "tool_call_chunk"}


def invalid_tool_call(
    *, name: str | None = None, args: str | None = None, id: str | None = None, error: str | None = None
) -> InvalidToolCall:
    """Return a tool call that cannot be read."""
    return {"name": name, "args": args, "id": id, "error": error, "type": "invalid_tool_call"}


def default_tool_parser(raw: Iterable[Mapping[str, Any]]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return OpenAI's tool calls in our form: those whose arguments are JSON, and the others."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in raw:
        if "function" not in call:
            continue
        name, text = call["function"]["name"], call["function"]["arguments"]
        try:
            calls.append(tool_call(name=name or "", args=read_json(text) or {}, id=call.get("id")))
        except ValueError:
            invalid.append(invalid_tool_call(name=name, args=text, id=call.get("id")))
    return calls, invalid


def default_tool_chunk_parser(raw: Iterable[Mapping[str, Any]]) -> list[ToolCallChunk]:
    """Return OpenAI's pieces of tool calls in our form."""
    chunks = []
    for call in raw:
        function = call.get("function", {"name": None, "arguments": None})
        name, args = function["name"], function["arguments"]
        chunks.append(tool_call_chunk(name=name, args=args, id=call.get("id"), index=call.get("index")))
    return chunks


def parsed_calls(chunks: Iterable[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return the calls as far as the pieces tell them: arguments as far as they go, and those that are none."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for chunk in chunks:
        text = chunk["args"]
        try:
            args = read_partial_json(text) if text else {}
        except (ValueError, RecursionError):
            args = None
        if isinstance(args, dict):
            calls.append(tool_call(name=chunk["name"] or "", args=args, id=chunk["id"]))
        else:
            invalid.append(invalid_tool_call(name=chunk["name"], args=text, id=chunk["id"]))
    return calls, invalid
