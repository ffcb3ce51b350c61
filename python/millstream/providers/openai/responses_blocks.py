"""Converts the standard content blocks of an answer to the output items of the Responses API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...messages.content import is_data_content_block

__all__ = ("to_response_blocks",)

_Block = dict[str, Any]
_STATUSES = {"success": "completed", "error": "failed"}


def to_response_blocks(content: Sequence[_Block], calls: Sequence[Mapping[str, Any]]) -> list[_Block]:
    """Return the blocks of an answer as items of the Responses API; blocks that are items already stay as they are.

    ``calls`` are the tool calls of the message, for blocks that lack the arguments.
    """
    by_id = {call.get("id"): call for call in reversed(calls)}
    blocks = [found for block in content if (found := _convert(block, by_id)) is not None]
    return list(_join_calls(list(_join_reasoning(blocks))))


def _convert(block: _Block, calls: Mapping[Any, Mapping[str, Any]]) -> _Block | None:
    type_name = block.get("type")
    if type_name is None:
        return None
    if type_name == "text" and "annotations" in block:
        return {**block, "annotations": [_convert_annotation(one) for one in block["annotations"] or ()]}
    if type_name == "refusal":
        return _convert_refusal(block)
    if type_name == "tool_call":
        return _convert_call(block, calls)
    if type_name == "server_tool_call" and block.get("name") == "tool_search":
        return _convert_tool_search(block)
    if type_name == "server_tool_result" and (block.get("extras") or {}).get("name") == "tool_search":
        return _convert_tool_search_result(block)
    if type_name == "image" and "base64" in block and is_data_content_block(block) and _begins(block.get("id"), "ig_"):
        return {
            "type": "image_generation_call",
            "result": block["base64"],
            "id": block["id"],
            **_pick(block, ("status",)),
        }
    return block["value"] if type_name == "non_standard" and "value" in block else block


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


def _pick(block: _Block, names: tuple[str, ...]) -> _Block:
    """Return the entries ``names`` of a block, or else of its extras."""
    extras = block.get("extras") or {}
    return {name: block[name] if name in block else extras[name] for name in names if name in block or name in extras}


def _convert_annotation(annotation: Mapping[str, Any]) -> Any:
    if annotation.get("type") == "non_standard_annotation":
        return annotation["value"]
    if annotation.get("type") != "citation":
        return dict(annotation)
    places = {name: annotation[name] for name in ("end_index", "start_index") if name in annotation}
    extras = annotation.get("extras") or {}
    title = {"title": annotation["title"]} if "title" in annotation else {}
    if "url" in annotation:
        return {**places, **title, "type": "url_citation", "url": annotation["url"], **extras}
    return {**places, "type": "file_citation", **extras, **({"filename": annotation["title"]} if title else {})}


def _convert_refusal(block: _Block) -> _Block | None:
    # Refusals without text, as of other providers, cannot be sent.
    if not block.get("refusal"):
        return None
    known = {"id": block["id"]} if "id" in block else {}
    return {"type": "refusal", "refusal": block["refusal"], **known, **_pick(block, ("phase",))}


def _convert_call(block: _Block, calls: Mapping[Any, Mapping[str, Any]]) -> _Block:
    extras = block.get("extras") or {}
    item: _Block = {"type": "function_call", "call_id": block.get("id")}
    if "item_id" in extras:
        item["id"] = extras["item_id"]
    call = calls.get(block.get("id"))
    if "name" in block:
        item["name"] = block["name"]
    elif call is not None:
        item["name"] = call["name"]
    if "arguments" in extras:
        item["arguments"] = extras["arguments"]
    elif call is not None:
        item["arguments"] = json.dumps(call["args"], separators=(",", ":"))
    return {**item, **{name: extras[name] for name in ("status", "namespace", "async") if name in extras}}


def _convert_tool_search(block: _Block) -> _Block:
    extras = block.get("extras") or {}
    arguments = {"arguments": block["args"]} if "args" in block else {}
    return {"id": block["id"], **_given(extras, "status"), "type": "tool_search_call", **arguments} | _given(
        extras, "execution"
    )


def _convert_tool_search_result(block: _Block) -> _Block:
    item: _Block = {"id": block.get("tool_call_id", "")}
    if status := block.get("status"):
        item["status"] = _STATUSES.get(status, status)
    output = block.get("output", {})
    tools = {"tools": output["tools"]} if isinstance(output, dict) and "tools" in output else {}
    return {**item, "type": "tool_search_output", "execution": "server", **tools}


def _given(values: Mapping[str, Any], name: str) -> _Block:
    return {name: values[name]} if values.get(name) else {}


# Reasoning.


def _join_reasoning(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """Yield the blocks, with successive parts of one reasoning item's summary joined to the item."""
    previous: tuple[_Block, _Block] | None = None
    for block in blocks:
        if block.get("type") != "reasoning" or "summary" in block:
            previous = None
            yield dict(block)
            continue
        if previous is not None and "reasoning" in block and _same_item(previous[0], block):
            previous[1]["summary"].append(_summary(block))
            continue
        item = {key: value for key, value in block.items() if key not in ("reasoning", "extras")}
        item |= block.get("extras") or {}
        item["summary"] = [_summary(block)] if "reasoning" in block else []
        # A block without text is the whole item.
        previous = (block, item) if "reasoning" in block else None
        yield item


def _same_item(first: _Block, second: _Block) -> bool:
    return ("id" in first) == ("id" in second) and first.get("id") == second.get("id")


def _summary(block: _Block) -> _Block:
    return {"type": "summary_text", "text": block.get("reasoning", "")}


# Tools that OpenAI runs itself.


def _join_calls(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """Yield the blocks, with a call of a tool of OpenAI's and its result, which follows it, joined to the item."""
    waiting: _Block | None = None
    for block in blocks:
        if waiting is not None:
            call, waiting = waiting, None
            is_result = block.get("type") == "server_tool_result" and block.get("tool_call_id") == call.get("id")
            if is_result and (convert := _ITEMS.get(call.get("name") or "")) is not None:
                yield convert(call, block)
                continue
            yield call
        if block.get("type") == "server_tool_call":
            waiting = block
        else:
            yield block
    if waiting is not None:
        yield waiting


def _status(result: _Block) -> _Block:
    if status := result.get("status"):
        return {"status": _STATUSES[status]} if status in _STATUSES else {}
    return _given(result.get("extras") or {}, "status")


def _web_search(call: _Block, result: _Block) -> _Block:
    # The API rejects the sources of a search in a request.
    action = {"action": call["args"]} if "args" in call else {}
    return {"id": call["id"], **action, **_status(result), "type": "web_search_call"}


def _file_search(call: _Block, result: _Block) -> _Block:
    queries = {"queries": call["args"]["queries"]} if "queries" in (call.get("args") or {}) else {}
    results = {"results": result["output"]} if "output" in result else {}
    return {"id": call["id"], **queries, **results, **_status(result), "type": "file_search_call"}


def _code_interpreter(call: _Block, result: _Block) -> _Block:
    code = {"code": call["args"]["code"]} if "code" in (call.get("args") or {}) else {}
    outputs = {"outputs": result["output"]} if "output" in result else {}
    container = _pick(call, ("container_id",))
    return {"id": call["id"], **code, **container, **outputs, **_status(result), "type": "code_interpreter_call"}


def _mcp_call(call: _Block, result: _Block) -> _Block:
    extras = call.get("extras") or {}
    item: _Block = {"id": call["id"]}
    if "args" in call:
        item["arguments"] = json.dumps(call["args"], separators=(",", ":"))
    elif "arguments" in extras:
        item["arguments"] = extras["arguments"]
    if extras.get("tool_name"):
        item["name"] = extras["tool_name"]
    item |= {**_given(extras, "server_label"), "type": "mcp_call"}
    if extras.get("approval_request_id"):
        item["approval_request_id"] = extras["approval_request_id"]
    known = ("server_label", "arguments", "tool_name", "error")
    return {**item, **_result_of_mcp(result, "output"), **{key: extras[key] for key in extras if key not in known}}


def _mcp_list_tools(call: _Block, result: _Block) -> _Block:
    extras = call.get("extras") or {}
    rest = {key: value for key, value in extras.items() if key not in ("server_label", "error")}
    item = {"id": call["id"], **_given(extras, "server_label"), "type": "mcp_list_tools"}
    return {**item, **_result_of_mcp(result, "tools"), **rest}


def _result_of_mcp(result: _Block, name: str) -> _Block:
    output = {name: result["output"]} if "output" in result else {}
    return {**_given(result.get("extras") or {}, "error"), **output}


_ITEMS: dict[str, Callable[[_Block, _Block], _Block]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code_interpreter,
    "remote_mcp": _mcp_call,
    "mcp_list_tools": _mcp_list_tools,
}
