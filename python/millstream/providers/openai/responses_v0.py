"""``output_version="v0"``: items other than text are in ``additional_kwargs``; a message has the id of its text."""

from __future__ import annotations

from typing import Any, TypeVar

from ...messages.ai import AIMessage
from ...messages.content import block_type
from .responses_items import CALL_IDS, TOOL_OUTPUTS, as_text

__all__ = ("to_v0",)

Message = TypeVar("Message", bound=AIMessage)


def to_v0(message: Message, *, has_reasoning: bool = False) -> Message:
    """Change a message of the Responses API to LangChain's first format, and return it.

    With ``has_reasoning`` an earlier chunk had reasoning, whose id and type would be merged with those of this one.
    """
    content: list[Any] = []
    kwargs = dict(message._additional_kwargs or {})
    for block in message.content:
        assert isinstance(block, dict)
        type_name = block_type(block)
        if type_name == "reasoning":
            dropped = ("index", "id", "type") if has_reasoning else ("index",)
            kwargs["reasoning"] = {key: value for key, value in block.items() if key not in dropped}
        elif type_name in TOOL_OUTPUTS:
            kwargs.setdefault("tool_outputs", []).append(block)
        elif type_name == "function_call":
            ids = kwargs.setdefault(CALL_IDS, {})
            call_id, item_id = as_text(block.get("call_id")), as_text(block.get("id"))
            if call_id and item_id:
                ids[call_id] = item_id
        elif type_name == "refusal" and block.get("refusal"):
            kwargs["refusal"] = block["refusal"]
        elif type_name == "text":
            if "id" in block:
                message.id = as_text(block["id"])
            content.append({key: value for key, value in block.items() if key != "id"})
        else:
            content.append(block)
    message.content = content
    message._additional_kwargs = kwargs or None
    if message.id is not None and message.id.startswith("resp_"):
        message.id = None
    return message
