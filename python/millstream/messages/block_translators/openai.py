"""OpenAI's answers, of chat completions and of responses, as standard blocks. Also LangChain's path of conversions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..._late import lazy_names
from ..content import KNOWN_BLOCK_TYPES, block_type
from .openai_tools import SERVER_TOOLS
from .parts import add_extras, add_index, blocks_in, call_blocks, reasoning_blocks, rest_of, single_piece

__all__ = ("order_items", "translate_content", "translate_content_chunk")

_Block = dict[str, Any]

_CALL_IDS = "__openai_function_call_ids__"
# The order of the items of a response in messages that an older version of LangChain made.
_ORDER = (
    *("reasoning", "code_interpreter_call", "mcp_call", "image_generation_call", "text", "refusal", "function_call"),
    *("computer_call", "mcp_list_tools", "mcp_approval_request"),
)
_IMAGE_EXTRAS = ("status", "background", "output_format", "quality", "revised_prompt", "size")


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer of OpenAI as standard blocks."""
    if isinstance(message.content, str):
        text = [{"type": "text", "text": message.content}] if message.content else []
        return [*reasoning_blocks(message), *text, *call_blocks(message), *_refusal(message)]
    content = order_items(message)
    return [one for block in content for one in _translate(dict(block), message, content)]


translate_content_chunk = translate_content


def _refusal(message: Any) -> list[_Block]:
    refusal = message.additional_kwargs.get("refusal")
    return [{"type": "refusal", "refusal": refusal}] if refusal else []


def _translate(block: _Block, message: Any, content: list[Any]) -> Iterator[_Block]:
    """Yield the standard blocks for an item of a response."""
    type_name = block_type(block)
    if type_name == "function_call":
        yield from _translate_call(block, message)
    elif type_name in _TRANSLATORS and (found := list(_TRANSLATORS[type_name](block, content))):
        yield from found
    elif type_name in KNOWN_BLOCK_TYPES:
        yield block
    else:
        yield add_index({"type": "non_standard", "value": rest_of(block, "index")}, block, "lc_ns")


def _translate_text(block: _Block, content: list[Any]) -> Iterator[_Block]:
    text = {**block, "text": block.get("text", "")}
    if "annotations" in block:
        annotations = block["annotations"]
        text["annotations"] = list(map(_translate_annotation, annotations if isinstance(annotations, list) else ()))
    yield add_index(text, block, "lc_txt")


def _translate_refusal(block: _Block, content: list[Any]) -> Iterator[_Block]:
    known: _Block = {key: block[key] for key in ("id", "index") if key in block}
    extras = {**(block.get("extras") or {}), **rest_of(block, "type", "refusal", "id", "index", "extras")}
    yield add_extras({"type": "refusal", "refusal": block.get("refusal", ""), **known}, extras)


def _translate_annotation(annotation: Any) -> _Block:
    if not isinstance(annotation, Mapping):
        return {"type": "non_standard_annotation", "value": annotation}
    known = ("type", "title", "cited_text", "start_index", "end_index")
    if annotation.get("type") == "url_citation":
        kept = {key: annotation[key] for key in ("end_index", "start_index", "title") if key in annotation}
        citation = {**kept, "type": "citation", **({"url": annotation["url"]} if "url" in annotation else {})}
        return add_extras(citation, rest_of(annotation, *known, "url"))
    if annotation.get("type") == "file_citation":
        title = {"title": annotation["filename"]} if "filename" in annotation else {}
        return add_extras({"type": "citation", **title}, rest_of(annotation, *known, "filename"))
    return {"type": "non_standard_annotation", "value": annotation}


def _translate_reasoning(block: _Block, content: list[Any]) -> Iterator[_Block]:
    """Yield a block for each part of a summary; data of the whole item is in the first one."""
    if "summary" not in block:
        yield block
        return
    known = {key: value for key, value in block.items() if key in ("type", "reasoning", "id", "index")}
    rest = rest_of(block, "summary", *known)
    summary = block["summary"]
    parts = [part for part in summary if isinstance(part, Mapping)] if isinstance(summary, list) else []
    if not parts:
        yield _index_reasoning(add_extras(dict(known), rest), 0)
    for number, part in enumerate(parts):
        one = {**known, "reasoning": part.get("text", ""), **(rest if number == 0 else {})}
        yield _index_reasoning(one, part.get("index", 0))


def _index_reasoning(block: _Block, part: object) -> _Block:
    if "index" in block:
        marked = f"{block['index']}_{part}"
        block["index"] = f"lc_rs_{marked.encode().hex()}"
    return block


def _translate_image(block: _Block, content: list[Any]) -> Iterator[_Block]:
    """Yield the image of a call that has made one."""
    if not block.get("result"):
        return
    image = {"type": "image", "base64": block["result"]}
    if output_format := block.get("output_format"):
        image["mime_type"] = f"image/{output_format}"
    if "id" in block:
        image["id"] = block["id"]
    add_index(image, block, "lc_img")
    yield add_extras(image, {key: block[key] for key in _IMAGE_EXTRAS if key in block})


_TRANSLATORS: dict[str, Callable[[_Block, list[Any]], Iterator[_Block]]] = {
    "text": _translate_text,
    "refusal": _translate_refusal,
    "reasoning": _translate_reasoning,
    "image_generation_call": _translate_image,
    **SERVER_TOOLS,
}


def _translate_call(block: _Block, message: Any) -> Iterator[_Block]:
    """Yield the parsed call of the message that ``block`` describes; the piece, of a chunk that has only one."""
    call = _find_call(block.get("call_id", ""), message)
    if call is not None:
        add_index(add_extras(call, {"item_id": block["id"]} if "id" in block else {}), block, "lc_tc")
        yield add_extras(call, {key: block[key] for key in ("status", "namespace", "async") if key in block})


def _find_call(call_id: str, message: Any) -> _Block | None:
    if (piece := single_piece(message)) is not None:
        return dict(piece)
    for call in message.tool_calls:
        if call_id and call.get("id") == call_id:
            return {"type": "tool_call", "name": call["name"], "args": call["args"], "id": call_id}
    found = (dict(call) for call in message.invalid_tool_calls if call_id and call.get("id") == call_id)
    return next(found, None)


def order_items(message: Any) -> list[_Block]:
    """Return the blocks of an answer in the order of a response's items, also of a message in LangChain's v0 format."""
    return _order_older(message) if _is_older(message) else blocks_in(message.content)


# Messages of older versions of LangChain, which have the items of a response in `additional_kwargs`.


def _is_older(message: Any) -> bool:
    if not all(isinstance(block, dict) for block in message.content):
        return False
    if not {"reasoning", "tool_outputs", "refusal", _CALL_IDS}.isdisjoint(message.additional_kwargs):
        return True
    response_id = message.response_metadata.get("id")
    return _begins(message.id, "msg_") and _begins(response_id, "resp_")


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


def _order_older(message: Any) -> list[_Block]:
    """Return the items of a response: texts and those in ``additional_kwargs`` by type, then the others."""
    kwargs = message.additional_kwargs
    items: list[_Block] = [kwargs["reasoning"] | {"type": "reasoning"}] if kwargs.get("reasoning") else []
    items += _refusal(message)
    message_id = {"id": message.id} if _begins(message.id, "msg_") else {}
    items += [{**block, **message_id} for block in message.content if block.get("type") == "text"]
    items += [_describe_call(call, kwargs.get(_CALL_IDS) or {}) for call in _older_calls(message)]
    items += kwargs.get("tool_outputs", [])
    known = [item for name in _ORDER for item in items if item.get("type") == name]
    others = [block for block in message.content if block.get("type") != "text"]
    return known + others + [item for item in items if item.get("type") not in _ORDER]


def _older_calls(message: Any) -> list[Mapping[str, Any]]:
    piece = single_piece(message)
    return list(message.tool_calls) if piece is None else [piece]


def _describe_call(call: Mapping[str, Any], ids: Mapping[str, str]) -> _Block:
    args = call["args"]
    arguments = json.dumps(args, ensure_ascii=False) if isinstance(args, dict) else args
    described = {"type": "function_call", "name": call["name"], "arguments": arguments, "call_id": call["id"]}
    item_id = ids.get(call["id"])
    return {**described, "id": item_id} if item_id else described


# Messages import this module, and that module imports messages.
__getattr__ = lazy_names(
    globals(),
    dict.fromkeys(("convert_to_openai_data_block", "convert_to_openai_image_block"), "millstream.messages.openai"),
)
