"""``count_tokens_approximately``: estimates the tokens of messages and tools from their length."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from .._model_classes import schema_of_model
from ..function_calling import convert_to_openai_function
from .ai import AIMessage
from .base import BaseMessage
from .conversion import convert_to_messages
from .openai import openai_role
from .tool import ToolMessage

__all__ = ("count_tokens_approximately",)

_MAX_SCALE = 1.25


def count_tokens_approximately(
    messages: Iterable[Any],
    *,
    chars_per_token: float = 4.0,
    extra_tokens_per_message: float = 3.0,
    count_name: bool = True,
    tokens_per_image: int = 85,
    use_usage_metadata_scaling: bool = False,
    tools: Sequence[Any] | None = None,
) -> int:
    """Return about how many tokens ``messages`` and the ``tools`` have.

    Contents, roles, names, tool calls and their ids count by their length, images ``tokens_per_image``. With
    ``use_usage_metadata_scaling`` the number is raised, by at most a quarter, to the scale of the latest answer's
    ``usage_metadata``, provided that all answers are of one provider.
    """
    converted = convert_to_messages(messages)
    total = 0.0
    if tools:
        total += math.ceil(sum(len(json.dumps(_describe_tool(tool))) for tool in tools) / chars_per_token)
    scale = 1.0
    providers: list[Any] = []
    for message in converted:
        # Rounded up for each message, so that the counts of single messages add up to the count of all.
        total += _images(message) * tokens_per_image
        total += math.ceil(_characters(message, count_name) / chars_per_token) + extra_tokens_per_message
        if isinstance(message, AIMessage):
            provider = (message._response_metadata or {}).get("model_provider")
            if provider is not None or providers:
                providers.append(provider)
            reported = message.usage_metadata["total_tokens"] if message.usage_metadata else None
            if isinstance(reported, int) and total > 0:
                scale = reported / total
    if use_usage_metadata_scaling and len(converted) > 1 and len(set(providers)) == 1:
        total *= min(_MAX_SCALE, max(1.0, scale))
    return math.ceil(total)


def _images(message: BaseMessage) -> int:
    if isinstance(message.content, str):
        return 0
    return sum(isinstance(block, dict) and block.get("type") in ("image", "image_url") for block in message.content)


def _characters(message: BaseMessage, count_name: bool) -> int:
    content = message.content
    texts = [content] if isinstance(content, str) else map(_text_of_block, content)
    characters = sum(map(len, texts)) + len(openai_role(message))
    if isinstance(message, AIMessage) and isinstance(content, str) and message.tool_calls:
        # A content of blocks has the calls among them.
        characters += len(repr(message.tool_calls))
    if isinstance(message, ToolMessage):
        characters += len(message.tool_call_id)
    return characters + (len(message.name) if message.name and count_name else 0)


def _text_of_block(block: str | dict[str, Any]) -> str:
    if isinstance(block, str):
        return block
    if block.get("type") in ("image", "image_url"):
        return ""
    return str(block.get("text", "")) if block.get("type") == "text" else repr(block)


def _describe_tool(tool: Any) -> dict[str, Any]:
    """Return the name, the description and the parameters of a tool; a dict as it is."""
    if isinstance(tool, dict):
        return tool
    schema = getattr(tool, "tool_call_schema", None)
    if schema is None:
        return convert_to_openai_function(tool)
    parameters = dict(schema if isinstance(schema, dict) else schema_of_model(schema))
    # The tool itself has both.
    parameters = {key: value for key, value in parameters.items() if key not in ("title", "description")}
    return {"name": tool.name, "description": tool.description, "parameters": parameters}
