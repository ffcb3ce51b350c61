"""Values of agents: an action, the step that performs it, and the final result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .messages import AIMessage, BaseMessage, FunctionMessage, HumanMessage

__all__ = ("AgentAction", "AgentActionMessageLog", "AgentFinish", "AgentStep")


@dataclass
class AgentAction:
    """The decision to call ``tool`` with ``tool_input``; ``log`` is what the model wrote about it."""

    tool: str
    tool_input: str | dict[Any, Any]
    log: str
    type: Literal["AgentAction", "AgentActionMessageLog"] = field(default="AgentAction", kw_only=True, repr=False)

    @property
    def messages(self) -> Sequence[BaseMessage]:
        """The model's messages with the decision."""
        return [AIMessage(self.log)]


@dataclass
class AgentActionMessageLog(AgentAction):
    """An :class:`AgentAction` of a chat model; ``message_log`` are the messages that it was read from."""

    message_log: Sequence[BaseMessage] = field(kw_only=True)
    type: Literal["AgentAction", "AgentActionMessageLog"] = field(
        default="AgentActionMessageLog", kw_only=True, repr=False
    )

    @property
    def messages(self) -> Sequence[BaseMessage]:
        """The model's messages with the decision."""
        return self.message_log


@dataclass
class AgentStep:
    """An action, and what its tool returned."""

    action: AgentAction
    observation: Any

    @property
    def messages(self) -> Sequence[BaseMessage]:
        """The messages that report the observation to the model."""
        text = _to_text(self.observation)
        if isinstance(self.action, AgentActionMessageLog):
            return [FunctionMessage(text, name=self.action.tool)]
        return [HumanMessage(text)]


@dataclass
class AgentFinish:
    """The result of an agent; ``log`` is what the model wrote about it."""

    return_values: dict[Any, Any]
    log: str
    type: Literal["AgentFinish"] = field(default="AgentFinish", kw_only=True, repr=False)

    @property
    def messages(self) -> Sequence[BaseMessage]:
        """The model's messages with the result."""
        return [AIMessage(self.log)]


def _to_text(observation: object) -> str:
    if isinstance(observation, str):
        return observation
    try:
        return json.dumps(observation, ensure_ascii=False)
    except Exception:
        return str(observation)
