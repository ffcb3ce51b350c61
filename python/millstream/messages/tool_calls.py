"""Tool calls: their types (complete, partial, invalid), and how they are read from a model's output.

Arguments arrive as JSON text. A call whose arguments are not a valid JSON object is an ``InvalidToolCall``.
:func:`parse_calls` reads calls that still stream; :func:`read_piece` and :func:`read_raw_call` finished ones.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

from .._typed_dicts import with_pydantic_schema
from .._values import read_json
from .partial_json import read_partial_json

__all__ = (
    "JSON_SPACE",
    "InvalidToolCall",
    "ServerToolCall",
    "ServerToolCallChunk",
    "ServerToolResult",
    "ToolCall",
    "ToolCallChunk",
    "default_tool_chunk_parser",
    "default_tool_parser",
    "invalid_tool_call",
    "parse_calls",
    "read_arguments",
    "read_piece",
    "read_raw_call",
    "tool_call",
    "tool_call_chunk",
)


JSON_SPACE = " \t\n\r"
"""The whitespace of JSON."""
_MAX_DEPTH = 128


@with_pydantic_schema
class ToolCall(TypedDict):
    """A model's request to call the tool ``name`` with ``args``; ``id`` assigns a result to the call."""

    name: str
    args: dict[str, Any]
    id: str | None
    type: NotRequired[Literal["tool_call"]]


@with_pydantic_schema
class ToolCallChunk(TypedDict):
    """A piece of a tool call: ``args`` is a part of the JSON text; pieces with the same ``index`` are merged."""

    name: str | None
    args: str | None
    id: str | None
    index: int | None
    type: NotRequired[Literal["tool_call_chunk"]]


@with_pydantic_schema
class InvalidToolCall(TypedDict):
    """A tool call whose ``args`` are not a valid JSON object; ``error`` may say why."""

    type: Literal["invalid_tool_call"]
    id: str | None
    name: str | None
    args: str | None
    error: str | None
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


@with_pydantic_schema
class ServerToolCall(TypedDict):
    """A call of a tool that the provider runs."""

    type: Literal["server_tool_call"]
    id: str
    name: str
    args: dict[str, Any]
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


@with_pydantic_schema
class ServerToolCallChunk(TypedDict):
    """A piece of a :class:`ServerToolCall`; ``args`` is a part of the JSON text."""

    type: Literal["server_tool_call_chunk"]
    name: NotRequired[str]
    args: NotRequired[str]
    id: NotRequired[str]
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


@with_pydantic_schema
class ServerToolResult(TypedDict):
    """The result of a call of a tool that the provider runs."""

    type: Literal["server_tool_result"]
    id: NotRequired[str]
    tool_call_id: str
    status: Literal["success", "error"]
    output: NotRequired[Any]
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
    """Return an invalid tool call."""
    return {"name": name, "args": args, "id": id, "error": error, "type": "invalid_tool_call"}


def read_arguments(arguments: object, *, strict: bool = False) -> dict[str, Any]:
    """Return the arguments of a tool call as a dict; ``arguments`` is a mapping, or the text of a JSON object.

    ``None``, whitespace alone and ``null`` mean an empty dict: servers send them for tools without
    parameters. If not ``strict``, strings may contain control characters. Raises :class:`ValueError` for
    anything else.
    """
    return _read(arguments, lambda text: read_json(text, strict=strict))


def _read(arguments: object, read: Callable[[str], Any]) -> dict[str, Any]:
    if isinstance(arguments, Mapping):
        return dict(arguments)
    if arguments is None or (isinstance(arguments, str) and arguments.strip(JSON_SPACE) in ("", "null")):
        return {}
    try:
        value = read(arguments) if isinstance(arguments, str) else arguments
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"the arguments must be a JSON object, not {type(value).__name__}")
    if isinstance(arguments, str) and arguments.count("[") + arguments.count("{") > _MAX_DEPTH and _is_too_deep(value):
        raise ValueError("the arguments are nested too deeply")
    return value


def _is_too_deep(value: object) -> bool:
    """Return whether containers are nested deeper than the core allows. Deeper ones would exhaust the stack later."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        containers = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [item for container in containers for item in container]
    return any(isinstance(one, dict | list) for one in level)


def _begins_null(arguments: object) -> bool:
    return isinstance(arguments, str) and "null".startswith(arguments.strip(JSON_SPACE))


def _as_text(arguments: object) -> str | None:
    """Return the arguments of a tool call, of any type, as JSON text."""
    if arguments is None or isinstance(arguments, str):
        return arguments
    try:
        return json.dumps(arguments, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return repr(type(arguments))


_ReadCall = tuple[ToolCall, None] | tuple[None, InvalidToolCall]


def read_raw_call(raw: Mapping[str, Any], *, strict: bool = False) -> _ReadCall:
    """Read a call in OpenAI's format; return a tool call, or an invalid one, whose ``error`` says why."""
    function = raw.get("function")
    function = function if isinstance(function, Mapping) else {}
    name, id = _text(function.get("name")), _text(raw.get("id"))
    return _read_call(name, function.get("arguments"), id, strict=strict)


def read_piece(piece: Mapping[str, Any]) -> _ReadCall:
    """Read a complete piece; return a tool call, or an invalid one, whose ``error`` says why."""
    return _read_call(piece.get("name"), piece.get("args"), piece.get("id"), strict=False)


def _read_call(name: str | None, arguments: object, id: str | None, *, strict: bool) -> _ReadCall:
    try:
        return tool_call(name=name or "", args=read_arguments(arguments, strict=strict), id=id), None
    except ValueError as error:
        text = _as_text(arguments)
        is_invalid = isinstance(error, json.JSONDecodeError)
        message = str(error) if is_invalid else f"the arguments of {name} are not a JSON object: {text}"
        return None, InvalidToolCall(type="invalid_tool_call", id=id, name=name, args=text, error=message)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def default_tool_parser(raw: Iterable[Mapping[str, Any]]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Read tool calls in OpenAI's format; return the valid calls, and the invalid ones."""
    described = [call for call in raw if "function" in call]
    # A call in another format must not be read as an empty one.
    if not all({"name", "arguments"} <= call["function"].keys() for call in described):
        raise KeyError("function")
    read = [read_raw_call(call, strict=True) for call in described]
    calls = [call for call, _ in read if call is not None]
    return calls, [{**invalid, "error": None} for _, invalid in read if invalid is not None]


def default_tool_chunk_parser(raw: Iterable[Mapping[str, Any]]) -> list[ToolCallChunk]:
    """Convert pieces of tool calls from OpenAI's format."""
    chunks = []
    for call in raw:
        function = call.get("function", {"name": None, "arguments": None})
        name, args = function["name"], _as_text(function["arguments"])
        chunks.append(tool_call_chunk(name=name, args=args, id=call.get("id"), index=call.get("index")))
    return chunks


def parse_calls(chunks: Iterable[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Read calls that may be incomplete; a call whose arguments do not begin a JSON object is invalid."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for chunk in chunks:
        try:
            args = {} if _begins_null(chunk["args"]) else _read(chunk["args"], read_partial_json)
        except ValueError:
            invalid.append(invalid_tool_call(name=chunk["name"], args=_as_text(chunk["args"]), id=chunk["id"]))
        else:
            calls.append(tool_call(name=chunk["name"] or "", args=args, id=chunk["id"]))
    return calls, invalid
