"""``convert_to_openai_messages``: converts messages of any provider to OpenAI's dicts."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from .ai import AIMessage
from .base import BaseMessage
from .content import convert_block, is_data_content_block
from .conversion import convert_to_messages
from .openai import convert_to_openai_data_block, openai_calls, openai_role
from .tool import ToolMessage

__all__ = ("convert_to_openai_messages",)

_Block = dict[str, Any]

TextFormat = Literal["string", "block"]
"""The form of a message's content: one text where it can be, or blocks."""


def convert_to_openai_messages(
    messages: object,
    *,
    text_format: TextFormat = "string",
    include_id: bool = False,
    pass_through_unknown_blocks: bool = True,
) -> Any:
    """Convert messages to a list of OpenAI's dicts, or one message to one dict.

    Contents may be in the format of OpenAI, Anthropic, Bedrock or Vertex AI. With
    ``text_format="string"``, a content of texts alone becomes one text, with the texts on separate
    lines. With ``"block"``, a text becomes a block. Raises :class:`ValueError` for a block without a
    required key, and, without ``pass_through_unknown_blocks``, for a block of an unknown type.
    """
    if text_format not in ("string", "block"):
        raise ValueError(f"Unrecognized {text_format=}, expected one of 'string' or 'block'.")
    dicts = []
    for message in convert_to_messages(messages):
        converter = _Converter(message, text_format, pass_through_unknown_blocks)
        dicts += converter.convert(include_id)
    single = isinstance(messages, BaseMessage | Mapping | str)
    return dicts[0] if single else dicts


class _Converter:
    """Converts one message. Its blocks may become tool calls, or separate messages with tool results."""

    def __init__(self, message: BaseMessage, text_format: TextFormat, pass_through: bool) -> None:
        self.message = message
        self.text_format = text_format
        self.pass_through = pass_through
        self.tool_calls = openai_calls(message.tool_calls) if isinstance(message, AIMessage) else []
        self.results: list[dict[str, Any]] = []

    def convert(self, include_id: bool) -> list[dict[str, Any]]:
        message = self.message
        content = self._content()
        converted: dict[str, Any] = {"role": openai_role(message)}
        if message.name:
            converted["name"] = message.name
        if self.tool_calls:
            converted["tool_calls"] = self.tool_calls
        if refusal := (message._additional_kwargs or {}).get("refusal"):
            converted["refusal"] = refusal
        if isinstance(message, ToolMessage):
            converted["tool_call_id"] = message.tool_call_id
        if include_id and message.id:
            converted["id"] = message.id
        converted["content"] = content
        return self.results if message.content and not content and self.results else [converted, *self.results]

    def _content(self) -> Any:
        content, as_text = self.message.content, self.text_format == "string"
        if isinstance(content, str) or not content:
            blocks: list[_Block] = [{"type": "text", "text": content}] if content else []
        else:
            converted = (convert_block(self._block, block) for block in content)
            blocks = [block for block in converted if block is not None]
        if as_text and all(block.get("type") == "text" for block in blocks):
            return "\n".join(block["text"] for block in blocks)
        return blocks

    def _block(self, block: str | _Block) -> _Block | None:
        if isinstance(block, str):
            return {"type": "text", "text": block}
        type_name = block.get("type")
        if type_name in ("text", "image_url"):
            _require(block, type_name)
            return {"type": type_name, type_name: block[type_name]}
        if is_data_content_block(block):
            return _add_filename(convert_to_openai_data_block(block))
        for name, convert in _CONVERTERS.items():
            if type_name == name or (name in _NAMED_BY_KEY and name in block):
                return convert(block)
        if type_name in ("tool_use", "function_call", "tool_result"):
            return self._tool_block(type_name, block)
        if type_name == "refusal":
            # Some providers refuse without an explanation: then there is nothing to send.
            return {"type": "refusal", "refusal": block["refusal"]} if block.get("refusal") else None
        if type_name in ("file", "input_audio", "thinking", "reasoning") or self.pass_through:
            return _add_filename(block)
        raise ValueError(
            f"Unrecognized content block, in no format of OpenAI, Anthropic, Bedrock or Vertex AI: {block}"
        )

    def _tool_block(self, type_name: str, block: _Block) -> _Block | None:
        if type_name == "tool_result":
            _require(block, "content", "tool_use_id")
            status: Literal["success", "error"] = "error" if block.get("is_error") else "success"
            result = ToolMessage(block["content"], tool_call_id=block["tool_use_id"], status=status)
            self.results += convert_to_openai_messages([result], text_format=self.text_format)
            return None
        named = {"tool_use": ("id", "name", "input"), "function_call": ("call_id", "name", "arguments")}[type_name]
        _require(block, *named)
        id, name, arguments = (block[key] for key in named)
        if not any(call["id"] == id for call in self.tool_calls):
            text = arguments if type_name == "function_call" else json.dumps(arguments, ensure_ascii=False)
            self.tool_calls.append({"type": "function", "id": id, "function": {"name": name, "arguments": text}})
        return block if type_name == "function_call" and self.pass_through else None


def _require(block: _Block, *keys: str) -> None:
    if missing := [key for key in keys if key not in block]:
        type_name = block.get("type")
        raise ValueError(
            f"Unrecognized content block of type {type_name!r}: missing expected key(s) {missing}: {block}"
        )


def _image(block: _Block) -> _Block:
    if source := block.get("source"):
        _require(source, "media_type", "type", "data")
        return _image_url(source["media_type"], source["type"], source["data"])
    if image := block.get("image"):
        _require(image, "source", "format")
        return _image_url(f"image/{image['format']}", "base64", _base64(image["source"]["bytes"]))
    raise ValueError(f"Unrecognized content block of type 'image': neither 'source' nor 'image': {block}")


def _json(block: _Block) -> _Block:
    _require(block, "json")
    return {"type": "text", "text": json.dumps(block["json"])}


def _guard_content(block: _Block) -> _Block:
    _require(block, "guard_content")
    _require(block["guard_content"], "text")
    text = block["guard_content"]["text"]
    return {"type": "text", "text": text["text"] if isinstance(text, dict) else text}


def _media(block: _Block) -> _Block:
    _require(block, "mime_type", "data")
    if "image" not in block["mime_type"]:
        raise ValueError(f"OpenAI messages can only hold text and images, not media of type {block['mime_type']}")
    return _image_url(block["mime_type"], "base64", _base64(block["data"]))


_CONVERTERS = {"image": _image, "json": _json, "guard_content": _guard_content, "media": _media}
# Bedrock's blocks have no type, but a key with its name.
_NAMED_BY_KEY = frozenset({"image", "json", "guard_content"})


def _add_filename(block: _Block) -> _Block:
    """Return a block; a file gets a name, which OpenAI requires."""
    file = block.get("file")
    if block.get("type") != "file" or not isinstance(file, dict) or file.get("filename"):
        return block
    return {**block, "file": {**file, "filename": "LC_AUTOGENERATED"}}


def _image_url(mime_type: str, encoding: str, data: str) -> _Block:
    return {"type": "image_url", "image_url": {"url": f"data:{mime_type};{encoding},{data}"}}


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()
