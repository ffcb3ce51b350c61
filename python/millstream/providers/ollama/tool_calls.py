"""Reads the tool calls of Ollama's answers."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ...messages.tool_calls import InvalidToolCall, ToolCall, invalid_tool_call, tool_call

__all__ = ("read_tool_calls",)

# How a JSON document or a Python literal begins that is an object, a list, or one in parentheses.
_OPENINGS = ("{", "[", "(")


def read_tool_calls(calls: object) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return the calls in a message's ``tool_calls``, and those whose arguments are no object.

    As in LangChain, each has an id of its own, and an argument that is the text of an object or a list is that
    object or list: some models encode them twice. Entries without a name are passed over.
    """
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
            continue
        arguments = function.get("arguments")
        read = _read_arguments(arguments)
        if read is None:
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            invalid.append(invalid_tool_call(name=name, args=text, id=str(uuid4()), error=None))
        else:
            valid.append(tool_call(name=name, args=_read_nested(read, name), id=str(uuid4())))
    return valid, invalid


def _read_arguments(arguments: object) -> dict[str, Any] | None:
    """Return the arguments as an object; ``None`` if they are none."""
    if arguments is None or arguments == "":
        return {}
    if isinstance(arguments, str):
        arguments = _read_literal(arguments)
    return arguments if isinstance(arguments, dict) else None


def _read_nested(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return ``arguments`` with texts of objects and lists read, and without the function's name, if it is repeated."""
    read = {}
    for key, value in arguments.items():
        if key == "functionName" and value == name:
            continue
        nested = _read_literal(value) if isinstance(value, str) else None
        read[key] = nested if isinstance(nested, dict | list) else value
    return read


def _read_literal(text: str) -> Any:
    """Return the value of a JSON document or a Python literal that may be an object or a list; otherwise ``None``."""
    if not text.lstrip().startswith(_OPENINGS):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
