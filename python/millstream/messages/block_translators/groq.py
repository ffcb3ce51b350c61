"""Groq's answers as standard blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .parts import add_extras, reasoning_blocks, rest_of

__all__ = ("translate_content", "translate_content_chunk")

_Block = dict[str, Any]

_CODE = re.compile(r'\s*\{\s*"code"\s*:\s*"(.*)"\s*\}\s*', re.DOTALL)


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer of Groq as standard blocks: its tools' calls and results come first."""
    tools = enumerate(message.additional_kwargs.get("executed_tools") or ())
    text = [{"type": "text", "text": str(message.text)}] if message.text else []
    calls = [
        {"type": "tool_call", **{key: call.get(key) for key in ("name", "args", "id")}} for call in message.tool_calls
    ]
    executed = [block for number, tool in tools for block in _translate_tool(str(number), tool)]
    return [*reasoning_blocks(message), *executed, *text, *calls]


translate_content_chunk = translate_content


def _translate_tool(call_id: str, tool: Mapping[str, Any]) -> Iterator[_Block]:
    try:
        args = _read_arguments(tool)
    except ValueError:
        return
    if isinstance(args, dict):
        name = "web_search" if tool.get("type") == "search" else "code_interpreter" if _is_code(tool) else ""
        yield {"type": "server_tool_call", "name": name, "id": call_id, "args": args}
    if output := tool.get("output"):
        result = {"type": "server_tool_result", "tool_call_id": call_id, "output": output, "status": "success"}
        yield add_extras(result, rest_of(tool, "type", "arguments", "index", "output"))


def _is_code(tool: Mapping[str, Any]) -> bool:
    return tool.get("type") == "python" or (tool.get("type") == "function" and tool.get("name") == "python")


def _read_arguments(tool: Mapping[str, Any]) -> Any:
    """Return the arguments of a tool; code may stand there without being valid JSON. Raise :class:`ValueError`."""
    arguments = tool.get("arguments")
    if not arguments:
        return None
    try:
        return json.loads(arguments)
    except json.JSONDecodeError:
        if tool.get("type") == "python":
            return _parse_code_json(arguments)
        if _is_code(tool):
            return {"code": arguments}
        raise


def _parse_code_json(text: str) -> _Block:
    """Return ``{"code": …}``, in which quotes may be unescaped; :class:`ValueError` for another text."""
    found = _CODE.fullmatch(text)
    if found is None:
        raise ValueError(
            "Could not extract Python code from Groq tool arguments. Expected a JSON object with a 'code' field."
        )
    return {"code": found[1]}
