"""Converts messages to the dicts of OpenAI's chat completions requests."""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from .ai import AIMessage
from .base import BaseMessage
from .chat import ChatMessage
from .content import block_type, convert_block, is_data_content_block
from .function import FunctionMessage
from .human import HumanMessage
from .system import SystemMessage
from .tool import ToolMessage
from .tool_calls import InvalidToolCall, ToolCall

__all__ = (
    "add_breakpoint",
    "convert_to_openai_data_block",
    "convert_to_openai_image_block",
    "openai_calls",
    "openai_role",
    "raw_calls",
    "to_openai_message",
)

_Block = dict[str, Any]
# Content blocks of other APIs that chat completions rejects in a request.
_NOT_SENT = frozenset(
    {"tool_use", "thinking", "reasoning", "reasoning_content", "function_call", "code_interpreter_call"}
    | {"tool_call", "tool_call_chunk", "invalid_tool_call"}
)
_ROLES: dict[type[BaseMessage], str] = {
    **{AIMessage: "assistant", HumanMessage: "user", ToolMessage: "tool"},
    **{SystemMessage: "system", FunctionMessage: "function"},
}


def to_openai_message(message: BaseMessage) -> dict[str, Any]:
    """Convert a message to the dict of a chat completions request, in the key order of LangChain's requests.

    Blocks that the API rejects are left out of the content: reasoning, tool calls of other providers.
    Raises :class:`ValueError` for data that it does not support, such as files at a URL.
    """
    content = message.content
    sent: dict[str, Any] = {"content": content if isinstance(content, str) else _content(content)}
    kwargs = message._additional_kwargs or {}
    if (name := message.name or kwargs.get("name")) is not None:
        sent["name"] = name
    sent["role"] = openai_role(message)
    if isinstance(message, ToolMessage):
        return {
            "content": _strip_text_blocks(sent["content"], "prompt_cache_breakpoint"),
            "role": "tool",
            "tool_call_id": message.tool_call_id,
        }
    if isinstance(message, AIMessage):
        sent["content"] = _strip_text_blocks(sent["content"])
        sent |= _calls(message, kwargs)
        if "tool_calls" in sent or "function_call" in sent:
            # With calls, empty content is sent as null.
            sent["content"] = sent["content"] or None
        if audio := _audio(message, kwargs):
            sent["audio"] = audio
    return sent


def openai_role(message: BaseMessage) -> str:
    """Return OpenAI's name of the message's role."""
    if isinstance(message, ChatMessage):
        return message.role
    if isinstance(message, SystemMessage):
        return str((message._additional_kwargs or {}).get("__openai_role__", "system"))
    for cls, role in _ROLES.items():
        if isinstance(message, cls):
            return role
    raise ValueError(f"Unknown message type {type(message)}.")


def openai_calls(calls: Iterable[ToolCall], invalid: Iterable[InvalidToolCall] = ()) -> list[dict[str, Any]]:
    """Return tool calls in OpenAI's form; the arguments of invalid ones as they came."""
    whole = [(call["id"], call["name"], json.dumps(call["args"], ensure_ascii=False)) for call in calls]
    broken = [(call["id"], call["name"], call["args"]) for call in invalid]
    return [
        {"type": "function", "id": id, "function": {"name": name, "arguments": arguments}}
        for id, name, arguments in (*whole, *broken)
    ]


def raw_calls(message: AIMessage) -> list[dict[str, Any]]:
    """Return the tool calls of an answer in OpenAI's form: parsed ones, or else those in ``additional_kwargs``."""
    if message.tool_calls or message.invalid_tool_calls:
        return openai_calls(message.tool_calls, message.invalid_tool_calls)
    raw = (message._additional_kwargs or {}).get("tool_calls")
    sent_keys = ("id", "type", "function")
    calls = [call for call in raw if isinstance(call, Mapping)] if isinstance(raw, list) else []
    return [{key: call[key] for key in call if key in sent_keys} for call in calls]


def _calls(message: AIMessage, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    if calls := raw_calls(message):
        return {"tool_calls": calls}
    return {"function_call": kwargs["function_call"]} if kwargs.get("function_call") else {}


def _audio(message: AIMessage, kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the audio of an answer; OpenAI accepts only its id in a request."""
    for block in reversed(message.content if isinstance(message.content, list) else ()):
        if isinstance(block, dict) and block.get("type") == "audio" and block.get("id"):
            return {"id": block["id"]}
    audio = kwargs.get("audio")
    if not isinstance(audio, Mapping):
        return None
    return {"id": audio["id"]} if "id" in audio else dict(audio)


def _content(content: object) -> Any:
    if not isinstance(content, list):
        return content
    blocks = (convert_block(_block, block) if isinstance(block, dict) else block for block in content)
    return [block for block in blocks if block is not None]


def _block(block: _Block) -> _Block | None:
    """Convert a block to OpenAI's format; ``None`` if the API rejects it."""
    type_name = block_type(block)
    if type_name in _NOT_SENT:
        return None
    if is_data_content_block(block):
        return add_breakpoint(block, convert_to_openai_data_block(block))
    if type_name == "image" and isinstance(source := block.get("source"), dict):
        return _anthropic_image(source)
    if type_name == "text" and "text" in block and "prompt_cache_breakpoint" in (block.get("extras") or {}):
        return add_breakpoint(block, {"type": "text", "text": block["text"]})
    return block


def add_breakpoint(block: _Block, sent: _Block) -> _Block:
    """Return ``sent`` with the mark of the prompt cache that ``block`` or its extras have."""
    for place in (block, block.get("extras") or {}):
        if "prompt_cache_breakpoint" in place:
            return {**sent, "prompt_cache_breakpoint": place["prompt_cache_breakpoint"]}
    return sent


def _anthropic_image(source: _Block) -> _Block | None:
    if source.get("type") == "base64" and source.get("media_type") and source.get("data"):
        return _image(f"data:{source['media_type']};base64,{source['data']}")
    return _image(source["url"]) if source.get("type") == "url" and source.get("url") else None


def _image(url: str) -> _Block:
    return {"type": "image_url", "image_url": {"url": url}}


def _strip_text_blocks(content: object, *kept: str) -> Any:
    """Return a content whose text blocks have only their text and the keys ``kept``."""
    if not isinstance(content, list):
        return content
    names = ("type", "text", *kept)
    return [
        {key: block[key] for key in names if key in block}
        if isinstance(block, dict) and block.get("type") == "text" and "text" in block
        else block
        for block in content
    ]


def convert_to_openai_image_block(block: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a standard image block to OpenAI's format; :class:`ValueError` if it has neither URL nor base64."""
    if "url" in block:
        return _image(block["url"])
    if "base64" not in block and block.get("source_type") != "base64":
        raise ValueError("Unsupported source type. Only 'url' and 'base64' are supported.")
    if "mime_type" not in block:
        raise ValueError("mime_type key is required for base64 data.")
    return _image(f"data:{block['mime_type']};base64,{_base64(block)}")


def convert_to_openai_data_block(
    block: Mapping[str, Any], api: Literal["chat/completions", "responses"] = "chat/completions"
) -> dict[str, Any]:
    """Convert a standard image, audio or file block to the format of chat completions, or of responses.

    Warns about a file without a name. Raises :class:`ValueError` for data that the API does not support.
    """
    if api == "responses" and block["type"] == "file" and _is_link(block):
        return {"type": "input_file", "file_url": block["url"]}
    converted = _convert_data(block)
    if api == "chat/completions" or converted["type"] == "input_audio":
        return converted
    if converted["type"] == "file":
        return {"type": "input_file", **converted["file"]}
    image = converted["image_url"]
    return {"type": "input_image", "image_url": image["url"]}


def _is_link(block: Mapping[str, Any]) -> bool:
    other = {"base64", "file_id"}.isdisjoint(block) and block.get("source_type") not in ("base64", "id")
    return other and "url" in block


def _convert_data(block: Mapping[str, Any]) -> _Block:
    converters: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "image": convert_to_openai_image_block,
        "file": _file,
        "audio": _sound,
    }
    if (converter := converters.get(block["type"])) is None:
        raise ValueError(f"Block of type {block['type']} is not supported.")
    return converter(block)


def _file(block: Mapping[str, Any]) -> _Block:
    if "base64" in block or block.get("source_type") == "base64":
        data = f"data:{block['mime_type']};base64,{_base64(block)}"
        places = (block, block.get("extras") or {}, block.get("metadata") or {})
        name = next((place["filename"] for place in places if place.get("filename")), None)
        if name is None:
            warnings.warn(
                "OpenAI may require a filename for file uploads. Specify a filename in the content block, e.g.:"
                " {'type': 'file', 'mime_type': '...', 'base64': '...', 'filename': 'my-file.pdf'}."
                " Using placeholder filename 'LC_AUTOGENERATED'.",
                stacklevel=2,
            )
        return {"type": "file", "file": {"file_data": data, "filename": name or "LC_AUTOGENERATED"}}
    if "file_id" in block or block.get("source_type") == "id":
        return {"type": "file", "file": {"file_id": block.get("file_id", block.get("id"))}}
    if "url" in block:
        raise ValueError("OpenAI Chat Completions does not support file URLs.")
    raise ValueError("Keys base64, url, or file_id required for file blocks.")


def _sound(block: Mapping[str, Any]) -> _Block:
    if "base64" not in block and block.get("source_type") != "base64":
        raise ValueError("Key base64 is required for audio blocks.")
    return {
        "type": "input_audio",
        "input_audio": {"data": _base64(block), "format": block["mime_type"].split("/")[-1]},
    }


def _base64(block: Mapping[str, Any]) -> Any:
    return block["base64"] if "base64" in block else block["data"]
