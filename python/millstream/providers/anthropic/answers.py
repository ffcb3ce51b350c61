"""``build_result``: the result of a whole answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...messages.ai import AIMessage
from ...messages.tool_calls import invalid_tool_call, tool_call
from ...outputs.chat_generation import ChatGeneration, ChatResult
from .nulls import MESSAGE_NULLS, USAGE_NULLS, add_nulls, find_nulls
from .usage import create_usage_metadata

__all__ = ("build_result", "read_container")

# Nulls that LangChain leaves out of blocks.
_DROPPED = ("citations", "caller", "encrypted_content")


def build_result(body: Mapping[str, Any], *, beta: bool) -> ChatResult:
    """Return the result of the answer ``body``; ``beta`` says which API it is of.

    The content is a text if it is one text without citations, otherwise the blocks.
    """
    content = body.get("content")
    items = [item for item in content if isinstance(item, str | dict)] if isinstance(content, list) else []
    blocks = [_read_block(item, beta=beta) for item in items]
    output = _read_output(body, beta=beta)
    metadata: dict[str, Any] = {"model_provider": "anthropic"}
    if output["stop_reason"] == "refusal":
        metadata["stop_reason"] = "refusal"
        if details := output["stop_details"]:
            metadata["stop_details"] = details
    only = blocks[0] if len(blocks) == 1 and isinstance(blocks[0], dict) else {}
    is_text = only.get("type") == "text" and not only.get("citations") and isinstance(only.get("text"), str)
    message = AIMessage(only["text"] if is_text else blocks, response_metadata=metadata)
    for block in blocks:
        if isinstance(block, dict) and block.get("type") == "tool_use":
            _add_call(message, block)
    if isinstance(usage := body.get("usage"), dict):
        message.usage_metadata = create_usage_metadata(usage)
    return ChatResult([ChatGeneration(message)], output)


def _add_call(message: AIMessage, block: Mapping[str, Any]) -> None:
    """Add the call of a tool in ``block``; one whose input is not an object is invalid."""
    name, id = (value if isinstance(value := block.get(key), str) else None for key in ("name", "id"))
    input = block.get("input", {})
    if isinstance(input, dict):
        message.tool_calls.append(tool_call(name=name or "", args=input, id=id))
    else:
        args = input if isinstance(input, str) else json.dumps(input)
        message.invalid_tool_calls.append(invalid_tool_call(name=name, args=args, id=id, error=None))


def _read_block(block: Any, *, beta: bool) -> Any:
    copied = add_nulls(block, beta=beta)
    if not isinstance(copied, dict):
        return copied
    dropped = (*_DROPPED, "text") if copied.get("type") == "thinking" else _DROPPED
    return {key: value for key, value in copied.items() if not (value is None and key in dropped)}


def _read_output(body: Mapping[str, Any], *, beta: bool) -> dict[str, Any]:
    """Return what describes the answer, without its content."""
    output = {
        key: value
        for key, value in find_nulls(body, MESSAGE_NULLS[beta]).items()
        if key not in ("content", "role", "type")
    }
    if isinstance(output.get("usage"), dict):
        output["usage"] = find_nulls(output["usage"], USAGE_NULLS[beta])
    for key in ("stop_details", "diagnostics", "context_management"):
        if output.get(key):
            output[key] = add_nulls(output[key], beta=beta)
    if output["container"]:
        output["container"] = read_container(output["container"], suffix="+00:00")
    if "model" in output:
        output.setdefault("model_name", output["model"])
    return output


def read_container(container: Any, *, suffix: str) -> Any:
    """Return a container with its optional field; ``suffix`` is the sign of UTC in its time."""
    if not isinstance(container, dict):
        return container
    copied = {"skills": None, **container}
    try:
        time = datetime.fromisoformat(copied["expires_at"]).isoformat()
    except (KeyError, TypeError, ValueError):
        return copied
    return copied | {"expires_at": time.removesuffix("+00:00") + suffix if time.endswith("+00:00") else time}
