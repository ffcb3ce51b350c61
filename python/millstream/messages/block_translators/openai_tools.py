"""Calls of tools that OpenAI runs itself, as standard blocks: a call, and its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .parts import add_extras, add_index, rest_of

__all__ = ("SERVER_TOOLS",)

_Block = dict[str, Any]


def _call(block: Mapping[str, Any], name: str, mark: str, args: object = None, **more: Any) -> _Block:
    call = {"type": "server_tool_call", "name": name, "id": block["id"], **more}
    if args is not None:
        call["args"] = args
    return add_index(call, block, mark)


def _result(block: Mapping[str, Any], mark: str, output: object = None) -> _Block:
    result: _Block = {"type": "server_tool_result", "tool_call_id": block["id"]}
    if output is not None:
        result["output"] = output
    return add_index(result, block, mark, offset=1)


def _add_status(result: _Block, status: str | None) -> _Block:
    if status in ("failed", "completed"):
        result["status"] = "error" if status == "failed" else "success"
    elif status:
        result["extras"] = {"status": status}
    return result


def _add_error(result: _Block, error: object) -> _Block:
    result["status"] = "error" if error else "success"
    return add_extras(result, {"error": error} if error else {})


def _web_search(block: _Block, content: list[Any]) -> Iterator[_Block]:
    action = block.get("action")
    args, sources = ({}, None) if not isinstance(action, dict) else (rest_of(action, "sources"), action.get("sources"))
    more = rest_of(block, "type", "id", "action", "status", "index")
    yield _call(block, "web_search", "lc_wsc", args, **more)
    if not any(_is_result_of(other, block["id"]) for other in content):
        yield _add_status(_result(block, "lc_wsr", {"sources": sources} if sources else None), block.get("status"))


def _is_result_of(block: object, call_id: str) -> bool:
    return isinstance(block, dict) and block.get("type") == "web_search_result" and block.get("id") == call_id


def _file_search(block: _Block, content: list[Any]) -> Iterator[_Block]:
    more = rest_of(block, "type", "id", "queries", "results", "status", "index")
    yield _call(block, "file_search", "lc_fsc", {"queries": block.get("queries", [])}, **more)
    yield _add_status(_result(block, "lc_fsr", block.get("results") or None), block.get("status"))


def _code_interpreter(block: _Block, content: list[Any]) -> Iterator[_Block]:
    args = {"code": block["code"]} if "code" in block else None
    call = _call(block, "code_interpreter", "lc_cic", args)
    yield add_extras(call, rest_of(block, "type", "id", "outputs", "status", "code", "extras", "index"))
    result = _result(block, "lc_cir")
    if "outputs" in block:
        result["output"] = block["outputs"]
    yield _add_status(result, block.get("status"))


def _mcp_call(block: _Block, content: list[Any]) -> Iterator[_Block]:
    call = _call(block, "remote_mcp", "lc_mcp")
    arguments = block.get("arguments")
    if arguments and isinstance(arguments, str):
        try:
            call["args"] = json.loads(arguments)
        except json.JSONDecodeError:
            call["extras"] = {"arguments": arguments}
    names = {key: block[name] for key, name in (("tool_name", "name"), ("server_label",) * 2) if name in block}
    known = ("type", "id", "arguments", "name", "server_label", "output", "error", "extras", "index")
    yield add_extras(call, {**names, **rest_of(block, *known)})
    yield _add_error(_result(block, "lc_mcpr", block.get("output") or None), block.get("error"))


def _mcp_list_tools(block: _Block, content: list[Any]) -> Iterator[_Block]:
    label = {"server_label": block["server_label"]} if "server_label" in block else {}
    known = ("type", "id", "name", "server_label", "tools", "error", "extras", "index")
    yield add_extras(_call(block, "mcp_list_tools", "lc_mlt", {}), {**label, **rest_of(block, *known)})
    yield _add_error(_result(block, "lc_mltr", block.get("tools") or None), block.get("error"))


def _tool_search_call(block: _Block, content: list[Any]) -> Iterator[_Block]:
    if block.get("execution") == "server":
        call = _call(block, "tool_search", "lc_tsc", block.get("arguments", {}))
        yield add_extras(call, rest_of(block, "type", "id", "arguments", "index"))


def _tool_search_output(block: _Block, content: list[Any]) -> Iterator[_Block]:
    if block.get("execution") == "server":
        result = {
            "type": "server_tool_result",
            "tool_call_id": block["id"],
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
