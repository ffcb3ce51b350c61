"""Converts messages to the input items of a request to the Responses API."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.block_translators.openai import order_items
from ...messages.content import block_type, convert_block, is_data_content_block
from ...messages.openai import add_breakpoint, convert_to_openai_data_block, openai_role, raw_calls
from ...messages.tool import ToolMessage
from ...messages.validation import LC_AUTO_PREFIX
from .responses_blocks import to_response_blocks
from .responses_items import REPLAYED_ITEMS, annotation_from_block, without_index

__all__ = ("build_input", "split_at_response")

_Block = dict[str, Any]
# Blocks of other providers, which the API rejects.
_NOT_SENT = frozenset({"tool_use", "thinking", "reasoning_content"})
_INPUT_ROLES = frozenset({"user", "system", "developer"})
_INPUT_BLOCKS = frozenset({"input_text", "input_image", "input_file"})
# Blocks that are data, which a model must not answer without.
_MEDIA = frozenset({"audio", "image", "input_audio", "video"})
_CHAT_BLOCKS = frozenset({"text", "image_url", "file"})
# Blocks in the content of a user's message that are items of their own.
_INPUT_ITEMS = frozenset(
    {"mcp_approval_response", "tool_search_output", "apply_patch_call_output", "configuration_update"}
)
_ADDITIONAL_TOOLS = "additional_tools"


def split_at_response(messages: Sequence[BaseMessage]) -> tuple[Sequence[BaseMessage], str | None]:
    """Return the messages after the last answer of the Responses API, and the id of its response.

    Without such an answer, all messages and ``None`` are returned.
    """
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        id = (message._response_metadata or {}).get("id") if isinstance(message, AIMessage) else None
        if isinstance(id, str) and id.startswith("resp_"):
            return messages[place + 1 :], id
    return messages, None


def build_input(messages: Iterable[BaseMessage], *, store: bool | None) -> list[_Block]:
    """Return the input items for ``messages``.

    With ``store=False`` the server keeps no items. The ids of answers are left out then, and reasoning is sent
    only if it is encrypted. Raises :class:`ValueError` for a block that the API does not support.
    """
    items = _Items(store)
    for message in messages:
        role = openai_role(message)
        if role == "assistant":
            items.add_answer(message)
        elif isinstance(message, ToolMessage):
            items.add(_convert_tool_message(message))
        elif role in _INPUT_ROLES:
            items.add_input(message, role)
        else:
            items.add({"content": _convert_content(message), "role": role})
    return items.items


class _Items:
    """The items so far, the messages among them by id, and the ids of the calls."""

    def __init__(self, store: bool | None) -> None:
        self.items: list[_Block] = []
        self._is_stored = store is not False
        self._by_id: dict[str, _Block] = {}
        self._call_ids: set[Any] = set()

    def add(self, item: _Block) -> None:
        self.items.append(item)
        if isinstance(id := item.get("id"), str):
            self._by_id.setdefault(id, item)
        if item.get("type") in ("function_call", "custom_tool_call"):
            self._call_ids.add(item.get("call_id"))

    # The user's messages, and the system's.

    def add_input(self, message: BaseMessage, role: str) -> None:
        content = _convert_content(message)
        if not isinstance(content, list):
            self.add({"content": content, "role": role, "type": "message"})
            return
        blocks = []
        for block in map(_as_block, content):
            type_name = block_type(block)
            if type_name in _CHAT_BLOCKS:
                blocks.append(convert_block(_convert_chat_block, block))
            elif type_name in _INPUT_BLOCKS:
                blocks.append(block)
            elif type_name in _INPUT_ITEMS or type_name == _ADDITIONAL_TOOLS:
                self.add(block)
            elif role != "user":
                warnings.warn(
                    f"Content block {type_name!r} was dropped from a system message: the Responses API has no input"
                    " item of that type, so it cannot be placed in the request.",
                    stacklevel=2,
                )
            elif type_name in _MEDIA:
                raise ValueError(
                    f"A content block of the type {type_name!r} with the keys {sorted(block)} cannot be sent: the"
                    " Responses API has no input of that form."
                )
        if blocks:
            self.add({"content": blocks, "role": role, "type": "message"})

    # Answers.

    def add_answer(self, message: BaseMessage) -> None:
        calls = raw_calls(message) if isinstance(message, AIMessage) else []
        content = _convert_answer(message)
        if isinstance(content, list):
            for block in content:
                self._add_block(block)
        elif content or not calls:
            self._add_text({"type": "output_text", "text": content, "annotations": []}, {})
        known = frozenset(self._call_ids)
        for call in calls:
            if call.get("id") not in known:
                function = call["function"]
                self.add(
                    {
                        "type": "function_call",
                        "name": function["name"],
                        "arguments": function["arguments"],
                        "call_id": call.get("id"),
                    }
                )

    def _add_block(self, block: _Block) -> None:
        type_name = block_type(block)
        if type_name in ("text", "output_text"):
            if block.get("text") is not None:
                notes = [annotation_from_block(note) for note in block.get("annotations") or ()]
                self._add_text({"type": "output_text", "text": block["text"], "annotations": notes}, block)
        elif type_name == "refusal":
            self._add_text({"type": "refusal", "refusal": block["refusal"]}, block)
        elif type_name == "reasoning":
            if self._is_stored or block.get("encrypted_content"):
                self.add(without_index(block))
        elif type_name in REPLAYED_ITEMS:
            self.add(without_index(block))
        elif type_name == "image_generation_call":
            item = {"type": type_name, "id": block["id"]} if self._is_stored else without_index(block)
            # An id alone refers to an image that the server has stored.
            if self._is_stored or item.keys() - {"type", "id"}:
                self.add(item)

    def _add_text(self, part: _Block, block: Mapping[str, Any]) -> None:
        """Add a part of a message of the model's, to the item with the block's id if there is one."""
        id, phase = block.get("id"), block.get("phase")
        item = self._by_id.get(id) if isinstance(id, str) else None
        if item is None:
            item = {"type": "message", "content": [], "role": "assistant"}
            # The API rejects ids that it did not make.
            if self._is_stored and isinstance(id, str) and id and not id.startswith(LC_AUTO_PREFIX):
                item["id"] = id
            self.add(item)
        item.setdefault("content", []).append(part)
        if phase is not None:
            item["phase"] = phase


def _convert_answer(message: BaseMessage) -> Any:
    if not isinstance(message.content, list):
        return message.content
    blocks = order_items(message) if isinstance(message, AIMessage) else message.content
    texts: Iterable[_Block] = (_as_block(block) for block in blocks)
    converted = [one for block in texts if (one := convert_block(_convert_answers_block, block)) is not None]
    return to_response_blocks(converted, message.tool_calls) if isinstance(message, AIMessage) else converted


def _as_block(block: str | _Block) -> _Block:
    return {"type": "text", "text": block} if isinstance(block, str) else block


def _convert_answers_block(block: _Block) -> _Block | None:
    type_name = block_type(block)
    if type_name in _NOT_SENT:
        return None
    extras = block.get("extras")
    if type_name == "text" and isinstance(extras, dict) and "prompt_cache_breakpoint" in extras:
        return add_breakpoint(block, {"type": "text", "text": block["text"]})
    return block


# Content of the user's messages, and of the system's and tools'.


def _convert_content(message: BaseMessage) -> Any:
    if not isinstance(message.content, list):
        return message.content
    converted = (convert_block(_convert_block, one) if isinstance(one, dict) else one for one in message.content)
    blocks = [block for block in converted if block is not None]
    types = [block_type(block) for block in blocks if isinstance(block, dict)]
    if message.type != "system" and _ADDITIONAL_TOOLS in types:
        raise ValueError(
            "`additional_tools` must be carried on a `SystemMessage`. OpenAI restricts the input item to"
            ' `role: "developer"`, so it cannot be sent on any other message.'
        )
    return blocks


def _convert_block(block: _Block) -> _Block | None:
    """Return a block in OpenAI's format; ``None`` if the API rejects it."""
    type_name = block_type(block)
    if type_name in _NOT_SENT:
        return None
    if is_data_content_block(block):
        return add_breakpoint(block, convert_to_openai_data_block(block, api="responses"))
    if type_name == "image" and isinstance(source := block.get("source"), dict):
        return _convert_anthropic_image(source)
    if type_name == "non_standard":
        value: _Block = block["value"]
        return value
    extras = block.get("extras")
    if type_name == "text" and "text" in block and isinstance(extras, dict) and "prompt_cache_breakpoint" in extras:
        return add_breakpoint(block, {"type": "text", "text": block["text"]})
    return block


def _convert_anthropic_image(source: _Block) -> _Block | None:
    url = source.get("url") if source.get("type") == "url" else None
    if source.get("type") == "base64" and source.get("media_type") and source.get("data"):
        url = f"data:{source['media_type']};base64,{source['data']}"
    return {"type": "image_url", "image_url": {"url": url}} if url else None


def _convert_chat_block(block: _Block) -> _Block:
    """Return a block in the format of chat completions as an input block."""
    kept = {key: block[key] for key in ("prompt_cache_breakpoint",) if key in block}
    if block["type"] == "text":
        return {"type": "input_text", "text": block["text"], **kept}
    if block["type"] == "file":
        return {"type": "input_file", **block["file"], **kept}
    image = block["image_url"]
    detail = {"detail": image["detail"]} if image.get("detail") else {}
    return {"type": "input_image", "image_url": image["url"], **detail, **kept}


# Results of tools.


def _convert_tool_message(message: ToolMessage) -> _Block:
    if (output := _find_computer_output(message)) is not None:
        return output
    blocks = message.content if isinstance(message.content, list) else []
    if (output := _find_value(blocks, "custom_tool_call_output")) is not None:
        return output
    for block in blocks:
        if isinstance(block, dict) and block_type(block) == "custom_tool_call_output":
            return {"type": block["type"], "call_id": message.tool_call_id, "output": block.get("output") or ""}
    return {
        "type": "function_call_output",
        "output": _convert_output(_convert_content(message)),
        "call_id": message.tool_call_id,
    }


def _convert_output(content: Any) -> Any:
    if isinstance(content, str):
        return content
    if all(isinstance(block, dict) and block_type(block) in _CHAT_BLOCKS | _INPUT_BLOCKS for block in content):
        return [
            convert_block(_convert_chat_block, block) if block["type"] in _CHAT_BLOCKS else block for block in content
        ]
    try:
        return json.dumps(content, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(content)


def _find_value(blocks: Iterable[Any], type_name: str) -> _Block | None:
    """Return the item of a type that a block of the provider's own holds."""
    for block in blocks:
        value = block.get("value") if isinstance(block, dict) and block_type(block) == "non_standard" else None
        if isinstance(value, dict) and value.get("type") == type_name:
            return value
    return None


def _find_computer_output(message: ToolMessage) -> _Block | None:
    """Return the result of a call of the computer: a screenshot, with the safety checks that the user accepted."""
    kwargs = message._additional_kwargs or {}
    is_output = kwargs.get("type") == "computer_call_output"
    output: _Block | None = None
    if isinstance(message.content, list):
        output = _find_value(message.content, "computer_call_output")
        images = [block for block in message.content if isinstance(block, dict) and block_type(block) == "input_image"]
        image: Any = images[0] if images and output is None else None
    else:
        image = {"type": "input_image", "image_url": message.content}
    if is_output and image is not None:
        output = {"call_id": message.tool_call_id, "type": "computer_call_output", "output": image}
    if output is not None and "acknowledged_safety_checks" in kwargs:
        output = {**output, "acknowledged_safety_checks": kwargs["acknowledged_safety_checks"]}
    return output
