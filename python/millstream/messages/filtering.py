"""``filter_messages``: selects messages by name, type, id and tool calls."""

from collections.abc import Collection
from typing import Any

from .ai import AIMessage, AIMessageChunk
from .base import BaseMessage
from .conversion import convert_to_messages
from .steps import MessageTypes, has_type, usable_as_step
from .tool import ToolMessage

__all__ = ("filter_messages",)


@usable_as_step
def filter_messages(
    messages: Any,
    *,
    include_names: Collection[str] | None = None,
    exclude_names: Collection[str] | None = None,
    include_types: MessageTypes | None = None,
    exclude_types: MessageTypes | None = None,
    include_ids: Collection[str] | None = None,
    exclude_ids: Collection[str] | None = None,
    exclude_tool_calls: Collection[str] | bool | None = None,
) -> list[BaseMessage]:
    """Return the messages that match one of the ``include_…`` conditions, if any, and no ``exclude_…`` condition.

    ``exclude_tool_calls=True`` drops the messages with tool calls and their results. With ids, only these
    calls and their results are dropped, and a message without other calls. The messages themselves are not
    changed. Without ``messages``, returns a Runnable that filters its input.
    """
    include_ids, exclude_ids = _as_set(include_ids), _as_set(exclude_ids)
    if exclude_tool_calls and exclude_tool_calls is not True:
        exclude_tool_calls = _as_set(exclude_tool_calls)
    kept = []
    for message in convert_to_messages(messages):
        if (
            (exclude_names and message.name in exclude_names)
            or (exclude_types and has_type(message, exclude_types))
            or (exclude_ids and message.id in exclude_ids)
        ):
            continue
        rest = _drop_calls(message, exclude_tool_calls)
        if rest is not None and (
            not (include_types or include_ids or include_names)
            or (include_names and rest.name in include_names)
            or (include_types and has_type(rest, include_types))
            or (include_ids and rest.id in include_ids)
        ):
            kept.append(rest)
    return kept


def _drop_calls(message: BaseMessage, excluded: Collection[str] | bool | None) -> BaseMessage | None:
    """Return ``message`` without the excluded calls; ``None`` if it is excluded itself."""
    if not excluded:
        return message
    if isinstance(message, ToolMessage):
        return None if excluded is True or message.tool_call_id in excluded else message
    if not isinstance(message, AIMessage) or not message.tool_calls:
        return message
    calls = [] if excluded is True else [call for call in message.tool_calls if call["id"] not in excluded]
    if not calls or excluded is True:
        return None
    content = message.content
    if isinstance(content, list):
        # Anthropic's messages have the calls in their content too.
        content = [block for block in content if not _is_call(block, excluded)]
    update: dict[str, Any] = {"tool_calls": calls, "content": content}
    if isinstance(message, AIMessageChunk):
        update["tool_call_chunks"] = [piece for piece in message.tool_call_chunks if piece["id"] not in excluded]
    return message.model_copy(update=update)


def _as_set(ids: Collection[str] | None) -> Collection[str] | None:
    """Return a long list of ids as a set, in which each message is looked up at once."""
    return frozenset(ids) if isinstance(ids, list | tuple) else ids


def _is_call(block: str | dict[str, Any], ids: Collection[str]) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_use" and block.get("id") in ids
