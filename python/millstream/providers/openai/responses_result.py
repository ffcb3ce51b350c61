"""``build_message``: the message of a complete response of the Responses API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..._model_classes import is_model_class
from ...messages.ai import AIMessage
from ...messages.content import block_type
from ...messages.tool_calls import InvalidToolCall, ToolCall
from ..usage_metadata import create_responses_usage
from .responses_items import KEPT_ITEMS, annotation_to_block, as_text, item_block
from .responses_v0 import to_v0

__all__ = ("build_message", "find_parsed", "response_metadata")

_Block = dict[str, Any]
_METADATA = frozenset(
    {"created_at", "id", "incomplete_details", "metadata", "object", "status", "user", "model", "service_tier"}
)


def build_message(
    response: Mapping[str, Any], *, schema: Any = None, metadata: Mapping[str, Any] | None = None, version: str | None
) -> AIMessage:
    """Return the message of a complete response.

    ``schema`` is the response format of the request: with one, the object that the text holds is
    ``additional_kwargs["parsed"]``. ``metadata`` is added to the message's own; ``version`` is the model's
    ``output_version``.
    """
    content: list[Any] = []
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for item in _items(response.get("output")):
        type_name = block_type(item)
        if type_name == "message":
            content += _message_blocks(item)
        elif type_name in KEPT_ITEMS or type_name == "reasoning":
            content.append(item_block(item))
        elif type_name in ("function_call", "custom_tool_call"):
            content.append(item_block(item))
            _read_call(item, calls, invalid)
    parsed = find_parsed(response, schema)
    tier = as_text(response.get("service_tier"))
    usage = response.get("usage")
    message = AIMessage(
        content,
        id=as_text(response.get("id")),
        additional_kwargs={} if parsed is None else {"parsed": parsed},
        response_metadata=response_metadata(response, metadata),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=create_responses_usage(usage, tier) if isinstance(usage, Mapping) and usage else None,
    )
    return to_v0(message) if version == "v0" else message


def response_metadata(response: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the metadata of the message of a response."""
    metadata = item_block({key: value for key, value in response.items() if key in _METADATA})
    created = metadata.get("created_at")
    if type(created) is int:
        metadata["created_at"] = float(created)
    metadata |= more or {}
    return {**metadata, "model_provider": "openai", "model_name": metadata.get("model")}


def _items(output: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in (output if isinstance(output, list) else ()) if isinstance(item, Mapping))


def _message_blocks(item: Mapping[str, Any]) -> Iterator[_Block]:
    extra = {"phase": item["phase"]} if item.get("phase") is not None else {}
    for part in _items(item.get("content")):
        if part.get("type") == "output_text":
            notes = part.get("annotations")
            annotations = [annotation_to_block(note) for note in notes] if isinstance(notes, list) else []
            text = {"type": "text", "text": as_text(part.get("text")) or "", "annotations": annotations}
            yield {**text, "id": item.get("id"), **extra}
        elif part.get("type") == "refusal":
            yield {"type": "refusal", "refusal": part.get("refusal", ""), "id": item.get("id"), **extra}


def _read_call(item: Mapping[str, Any], calls: list[ToolCall], invalid: list[InvalidToolCall]) -> None:
    name, id = as_text(item.get("name")) or "", as_text(item.get("call_id"))
    if item["type"] == "custom_tool_call":
        calls.append({"type": "tool_call", "name": name, "args": {"__arg1": item.get("input", "")}, "id": id})
        return
    arguments = as_text(item.get("arguments")) or ""
    try:
        args = json.loads(arguments, strict=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = str(error)
    else:
        if isinstance(args, dict) or args is None:
            calls.append({"type": "tool_call", "name": name, "args": args or {}, "id": id})
            return
        message = "the arguments are not a JSON object"
    invalid.append({"type": "invalid_tool_call", "name": name, "args": arguments, "id": id, "error": message})


def find_parsed(response: Mapping[str, Any], schema: Any) -> Any:
    """Return the object that the text of a response holds, if the request had a response format with a schema.

    ``None`` is returned for a text that is not valid JSON, and for one that does not fit a pydantic class.
    """
    if schema is None or not (text := _join_text(response)):
        return None
    if not is_model_class(schema) and _format_type(response) != "json_schema":
        return None
    try:
        parsed = json.loads(text)
        return schema(**parsed) if is_model_class(schema) else parsed
    except (TypeError, ValueError, RecursionError):
        return None


def _join_text(response: Mapping[str, Any]) -> str:
    parts = (part for item in _items(response.get("output")) for part in _items(item.get("content")))
    return "".join(as_text(part.get("text")) or "" for part in parts if part.get("type") == "output_text")


def _format_type(response: Mapping[str, Any]) -> Any:
    text = response.get("text")
    form = text.get("format") if isinstance(text, Mapping) else None
    return form.get("type") if isinstance(form, Mapping) else None
