"""Examples of tool calls as messages, for prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from .ai import AIMessage
from .base import BaseMessage
from .human import HumanMessage
from .tool import ToolMessage

__all__ = ("tool_example_to_messages",)

_ANSWER = "You have correctly called this tool."


def tool_example_to_messages(
    input: str,
    tool_calls: Sequence[Any],
    tool_outputs: Sequence[str] | None = None,
    *,
    ai_response: str | None = None,
) -> list[BaseMessage]:
    """Return the messages of an example: the input, the calls of tools, their outputs, and the answer if there is one.

    ``tool_calls`` are objects of the pydantic classes that describe the tools. Raises :class:`ValueError` if
    ``tool_outputs`` are not as many.
    """
    calls = [
        {
            "id": str(uuid4()),
            "type": "function",
            "function": {"name": type(call).__name__, "arguments": call.model_dump_json()},
        }
        for call in tool_calls
    ]
    if tool_outputs is not None and len(tool_outputs) != len(calls):
        raise ValueError(
            f"The number of tool_outputs ({len(tool_outputs)}) must match the number of tool_calls ({len(calls)}). Got"
            f" {len(tool_outputs)} output(s) for {len(calls)} tool call(s)."
        )
    outputs = tool_outputs or [_ANSWER] * len(calls)
    answers = [ToolMessage(output, tool_call_id=str(call["id"])) for output, call in zip(outputs, calls, strict=True)]
    end = [AIMessage(ai_response)] if ai_response else []
    return [HumanMessage(input), AIMessage("", additional_kwargs={"tool_calls": calls}), *answers, *end]
