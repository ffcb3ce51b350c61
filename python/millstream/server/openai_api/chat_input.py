"""Reads requests of chat completions: their messages, and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.function import FunctionMessage
from ...messages.human import HumanMessage
from ...messages.system import SystemMessage
from ...messages.tool import ToolMessage
from ...messages.tool_calls import InvalidToolCall, ToolCall, read_raw_call
from ...providers.openai.arguments import CHAT
from .errors import RequestError
from .fields import check_fields, read_list, read_object, read_text
from .request import AnswerRequest

__all__ = ("read_calls", "read_chat")

_PARAMETERS = frozenset(CHAT) - {"model", "stream", "messages", "n", "stream_options"}
# The member that a part of each type must have, and the member of that in which a text must be: ``None`` if it is the
# text itself, an empty name if it may be any object. Parts of the type ``*_url``, which some servers know more of, are
# like images.
_PARTS: Mapping[str, tuple[str, str | None]] = {
    **{"text": ("text", None), "refusal": ("refusal", None), "image_url": ("image_url", "url")},
    **{"input_audio": ("input_audio", ""), "file": ("file", "")},
}


def read_chat(body: Mapping[str, Any]) -> AnswerRequest:
    """Return the answers that the body of a request asks for."""
    fields = check_fields("chat", body)
    if "messages" not in fields:
        raise RequestError(
            "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter"
        )
    for name in ("functions", "function_call"):
        if name in fields:
            raise RequestError(f"'{name}' is not supported: use 'tools'.", param=name, code="unsupported_parameter")
    messages = [_read_message(one, f"messages[{i}]") for i, one in enumerate(read_list(fields["messages"], "messages"))]
    return AnswerRequest(
        "chat",
        fields["model"],
        [messages],
        {name: value for name, value in fields.items() if name in _PARAMETERS},
        n=fields.get("n", 1),
        stream=fields.get("stream", False),
        include_usage=bool(fields.get("stream_options", {}).get("include_usage")),
    )


def _read_message(message: Mapping[str, Any], param: str) -> BaseMessage:
    role = message.get("role")
    name = message.get("name")
    if name is not None:
        read_text(name, f"{param}.name")
    if role == "assistant":
        return _read_assistant(message, param)
    content = _read_content(message.get("content"), f"{param}.content")
    match role:
        case "user":
            return HumanMessage(content, name=name)
        case "system":
            return SystemMessage(content, name=name)
        case "developer":
            return SystemMessage(content, name=name, additional_kwargs={"__openai_role__": "developer"})
        case "tool":
            id = read_text(message.get("tool_call_id"), f"{param}.tool_call_id")
            return ToolMessage(content, tool_call_id=id, name=name)
        case "function":
            return FunctionMessage(content, name=read_text(name, f"{param}.name"))
    raise RequestError(
        f"Invalid value for '{param}.role': expected one of 'system', 'developer', 'user', 'assistant', 'tool',"
        " 'function'.",
        param=f"{param}.role",
        code="invalid_value",
    )


def _read_content(content: object, param: str) -> Any:
    if isinstance(content, str):
        return content
    if content is None:
        raise RequestError(f"Invalid value for '{param}': expected a string, got null.", param=param)
    parts = read_list(content, param)
    return [_read_part(part, f"{param}[{place}]") for place, part in enumerate(parts)]


def _read_part(value: object, param: str) -> dict[str, Any]:
    part = read_object(value, param)
    type_name = read_text(part.get("type"), f"{param}.type")
    if type_name not in _PARTS and not type_name.endswith("_url"):
        raise RequestError(
            f"Parts of the type {type_name!r} are not supported.", param=f"{param}.type", code="unsupported_value"
        )
    member, inner = _PARTS.get(type_name, (type_name, "url"))
    value, where = part.get(member), f"{param}.{member}"
    if inner is None:
        read_text(value, where)
    else:
        found = read_object(value, where)
        if inner:
            read_text(found.get(inner), f"{where}.{inner}")
    # Other members of a file would make it a block of LangChain's.
    return {"type": type_name, member: value} if type_name == "file" else part


def _read_assistant(message: Mapping[str, Any], param: str) -> AIMessage:
    content = message.get("content")
    read = "" if content is None else _read_content(content, f"{param}.content")
    extras = {name: message[name] for name in ("audio", "function_call", "reasoning_content") if message.get(name)}
    if refusal := message.get("refusal"):
        # A message has no field for a refusal, but its content may have a part.
        part = {"type": "refusal", "refusal": read_text(refusal, f"{param}.refusal")}
        read = [*([{"type": "text", "text": read}] if isinstance(read, str) and read else read or ()), part]
    raw = message.get("tool_calls")
    calls, invalid = read_calls(raw, f"{param}.tool_calls") if raw else ([], [])
    return AIMessage(
        read, tool_calls=calls, invalid_tool_calls=invalid, name=message.get("name"), additional_kwargs=extras
    )


def read_calls(raw: object, param: str) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return tool calls from OpenAI's form: those that are valid, and those whose arguments are not a JSON object."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for place, call in enumerate(read_list(raw, param)):
        where = f"{param}[{place}]"
        if not isinstance(call, dict) or call.get("type", "function") != "function":
            raise RequestError(f"'{where}' must be a call of a function.", param=where, code="unsupported_value")
        function = call.get("function")
        read_text(call.get("id"), f"{where}.id")
        function = function if isinstance(function, dict) else {}
        read_text(function.get("name"), f"{where}.function.name")
        read_text(function.get("arguments"), f"{where}.function.arguments")
        read, broken = read_raw_call(call)
        if read is not None:
            calls.append(read)
        elif broken is not None:
            invalid.append(broken)
    return calls, invalid
