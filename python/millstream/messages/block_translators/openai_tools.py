"""Calls of tools that OpenAI runs itself, as standard blocks: a call, and its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .parts import add_extras, add_index, rest_of

__all__ = ("SERVER_TOOLS",)

_Block = dict[str, Any]


def _call(block: Mapping[str, Any], name: str, args: object = None) -> _Block:
    call = {"type": "server_tool_call", "name": name, "id": block.get("id", "")}
    return call if args is None else {**call, "args": args}


def _result(block: Mapping[str, Any], output: object = None) -> _Block:
    result: _Block = {"type": "server_tool_result", "tool_call_id": block.get("id", "")}
    return result if output is None else {**result, "output": output}


def _index_result(result: _Block, block: Mapping[str, Any], mark: str) -> _Block:
    return add_index(result, block, mark, offset=1)


def _add_status(result: _Block, status: str | None) -> _Block:
    if status in ("failed", "completed"):
        result["status"] = "error" if status == "failed" else "success"
    elif status:
        result["extras"] = {"status": status}
    return result


def _add_error(result: _Block, error: object) -> _Block:
    add_extras(result, {"error": error} if error else {})
    return {**result, "status": "error" if error else "success"}


def _web_search(block: _Block, content: list[Any]) -> Iterator[_Block]:
    action = block.get("action")
    args, sources = ({}, None) if not isinstance(action, dict) else (rest_of(action, "sources"), action.get("sources"))
    call = {"type": "server_tool_call", "name": "web_search", "args": args, "id": block.get("id", "")}
    yield add_index(call, block, "lc_wsc") | rest_of(block, "type", "id", "action", "status", "index")
    if not any(_is_result_of(other, block.get("id", "")) for other in content):
        result = _result(block, {"sources": sources} if sources else None)
        yield _index_result(_add_status(result, block.get("status")), block, "lc_wsr")


def _is_result_of(block: object, call_id: str) -> bool:
    return isinstance(block, dict) and block.get("type") == "web_search_result" and block.get("id") == call_id


def _file_search(block: _Block, content: list[Any]) -> Iterator[_Block]:
    call = add_index(_call(block, "file_search", {"queries": block.get("queries", [])}), block, "lc_fsc")
    yield call | rest_of(block, "type", "id", "queries", "results", "status", "index")
    result = _add_status(_result(block, block.get("results") or None), block.get("status"))
    yield _index_result(result, block, "lc_fsr")


def _code_interpreter(block: _Block, content: list[Any]) -> Iterator[_Block]:
    call = _call(block, "code_interpreter", {"code": block["code"]} if "code" in block else None)
    extras = rest_of(block, "type", "id", "outputs", "status", "code", "extras", "index")
    yield add_extras(add_index(call, block, "lc_cic"), extras)
    result = _result(block) | ({"output": block["outputs"]} if "outputs" in block else {})
    yield _index_result(_add_status(result, block.get("status")), block, "lc_cir")


def _mcp_call(block: _Block, content: list[Any]) -> Iterator[_Block]:
    call = _call(block, "remote_mcp")
    arguments = block.get("arguments")
    if arguments and isinstance(arguments, str):
        try:
            call["args"] = json.loads(arguments)
        except json.JSONDecodeError:
            call["extras"] = {"arguments": arguments}
    names = {key: block[name] for key, name in (("tool_name", "name"), ("server_label",) * 2) if name in block}
    known = ("type", "id", "arguments", "name", "server_label", "output", "error", "extras", "index")
    yield add_index(add_extras(call, {**names, **rest_of(block, *known)}), block, "lc_mcp")
    result = _add_error(_result(block, block.get("output") or None), block.get("error"))
    yield _index_result(result, block, "lc_mcpr")


def _mcp_list_tools(block: _Block, content: list[Any]) -> Iterator[_Block]:
    call = {"type": "server_tool_call", "name": "mcp_list_tools", "args": {}, "id": block.get("id", "")}
    label = {"server_label": block["server_label"]} if "server_label" in block else {}
    known = ("type", "id", "name", "server_label", "tools", "error", "extras", "index")
    yield add_extras(add_index(add_extras(call, label), block, "lc_mlt"), rest_of(block, *known))
    result = _add_error(_result(block, block.get("tools") or None), block.get("error"))
    yield _index_result(result, block, "lc_mltr")


def _tool_search_call(block: _Block, content: list[Any]) -> Iterator[_Block]:
    if block.get("execution") == "server":
        call = add_index(_call(block, "tool_search", block.get("arguments", {})), block, "lc_tsc")
        yield add_extras(call, rest_of(block, "type", "id", "arguments", "index"))


def _tool_search_output(block: _Block, content: list[Any]) -> Iterator[_Block]:
    if block.get("execution") == "server":
        result = {
            "type": "server_tool_result",
            "tool_call_id": block.get("id", ""),
            "output": {"tools": block.get("tools", [])},
        }
        if block.get("status") in ("failed", "completed"):
            _add_status(result, block["status"])
        if isinstance(block.get("index"), int):
            add_index(result, block, "lc_tso")
        yield add_extras(result, {"name": "tool_search", **rest_of(block, "type", "id", "status", "tools", "index")})


SERVER_TOOLS: dict[str, Callable[[_Block, list[Any]], Iterator[_Block]]] = {
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code_interpreter,
    "mcp_call": _mcp_call,
    "mcp_list_tools": _mcp_list_tools,
    "tool_search_call": _tool_search_call,
    "tool_search_output": _tool_search_output,
}
"""For each type of item, the function that returns its standard blocks; none if it is not of a tool of OpenAI's."""
