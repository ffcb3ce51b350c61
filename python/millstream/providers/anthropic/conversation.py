"""``format_messages``: messages as Anthropic's system prompt and turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...messages.ai import AIMessage
from ...messages.human import HumanMessage
from ...messages.system import SystemMessage
from ...messages.tool import ToolMessage
from .blocks import add_missing_calls, format_content
from .system import System, allows_system_after, format_system, warn_hoisted
from .tool_ids import normalize_id

__all__ = ("format_messages",)

_Block = dict[str, Any]
_SEVERAL = "Received multiple non-consecutive system messages."


def format_messages(
    messages: Sequence[Any], *, model: str | None, mid_conversation_system_messages: bool = False
) -> tuple[System | None, list[dict[str, Any]]]:
    """Return the system prompt, if there is one, and the turns of the conversation.

    Neighbouring messages of the user and results of tools are one turn. A system message that is not the first
    one stays in its place if ``mid_conversation_system_messages`` says that ``model`` accepts it there; otherwise it
    becomes the system prompt, with a warning.

    Raises :class:`ValueError` for a second system prompt, and for content that Anthropic does not accept.
    """
    conversation = _Conversation(model, accepts_system=mid_conversation_system_messages)
    merged = _merge(messages)
    last = max((place for place, turn in enumerate(merged) if turn.role != "system"), default=-1)
    for place, turn in enumerate(merged):
        if turn.role == "system":
            conversation.add_system(turn.content, is_first=place == 0)
        else:
            conversation.add(turn, is_last=place == last, is_before=place < last)
    conversation.place_pending()
    return conversation.system, conversation.turns


class _Turn(NamedTuple):
    """One or more messages of one role; ``message`` is the answer, if it is one."""

    role: str
    content: str | list[Any]
    message: AIMessage | None


def _merge(messages: Sequence[Any]) -> list[_Turn]:
    merged: list[_Turn] = []
    for message in messages:
        turn = _to_turn(message)
        if merged and turn.role == merged[-1].role != "assistant":
            joined = [*_as_blocks(merged.pop().content), *_as_blocks(turn.content)]
            turn = turn._replace(content=joined)
        merged.append(turn)
    return merged


def _to_turn(message: Any) -> _Turn:
    content = message.content
    if not isinstance(content, str | list):
        raise ValueError("Anthropic message content must be str or list of dicts")
    if isinstance(message, AIMessage):
        return _Turn("assistant", content, message)
    if isinstance(message, SystemMessage):
        return _Turn("system", content, None)
    if isinstance(message, ToolMessage):
        is_whole = isinstance(content, list) and content and all(map(_is_tool_result, content))
        return _Turn("user", content if is_whole else [_tool_result(message)], None)
    if isinstance(message, HumanMessage):
        return _Turn("user", content, None)
    raise ValueError(f"Anthropic has no messages of the type {message.type!r}")


def _as_blocks(content: str | list[Any]) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _is_tool_result(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _tool_result(message: ToolMessage) -> _Block:
    """Return the block of a tool's result; a cache mark of a part moves to it, since a part may not have one."""
    content: Any = message.content
    marks: list[Any] = []
    if isinstance(content, list):
        marks = [block["cache_control"] for block in content if isinstance(block, dict) and "cache_control" in block]
        content = [
            {key: value for key, value in block.items() if key != "cache_control"} if isinstance(block, dict) else block
            for block in content
        ]
    result = {
        "type": "tool_result",
        "content": content,
        "tool_use_id": normalize_id(message.tool_call_id),
        "is_error": message.status == "error",
    }
    return result | ({"cache_control": marks[-1]} if marks and marks[-1] else {})


class _Conversation:
    """The system prompt and the turns so far."""

    def __init__(self, model: str | None, *, accepts_system: bool) -> None:
        self._model = model
        self._accepts_system = accepts_system
        # System messages that stay in their place if an answer follows, or nothing.
        self._pending: list[str | list[Any]] = []
        self._toolsets: dict[str, str] = {}
        self.system: System | None = None
        self.turns: list[dict[str, Any]] = []

    def add_system(self, content: str | list[Any], *, is_first: bool) -> None:
        """Add a system message."""
        if is_first:
            self.system = format_system(content, self._model, in_place=True)
        elif self._accepts_system and (self._pending or allows_system_after(self.turns[-1] if self.turns else None)):
            self._pending.append(content)
        else:
            self._hoist(content)

    def add(self, turn: _Turn, *, is_last: bool, is_before: bool) -> None:
        """Add a turn; an empty answer with other turns behind it (``is_before``) is left out."""
        content: str | list[_Block] = turn.content
        message = turn.message
        if isinstance(content, list):
            content = format_content(content, message)
        if message is not None:
            if message.tool_calls or message.invalid_tool_calls:
                content = add_missing_calls(content, message)
            if is_last:
                # Anthropic rejects white space at the end of a prefilled answer.
                content = _strip_end(content)
            if not content and is_before:
                return
        if message is not None:
            self.place_pending()
        else:
            for pending in self._pending:
                self._hoist(pending)
            self._pending = []
        if isinstance(content, list):
            self._name_toolsets(content)
        self.turns.append({"role": turn.role, "content": content})

    def place_pending(self) -> None:
        """Add the pending system messages as turns; one without content is left out."""
        for pending in self._pending:
            content = format_system(pending, self._model, in_place=True)
            if content != []:
                self.turns.append({"role": "system", "content": content})
        self._pending = []

    def _hoist(self, content: str | list[Any]) -> None:
        if self.system is not None:
            raise ValueError(_SEVERAL)
        self.system = format_system(content, self._model, in_place=False)
        warn_hoisted(self._model)

    def _name_toolsets(self, content: list[_Block]) -> None:
        """Add the name of the toolset to the results of its calls."""
        for block in content:
            if block.get("type") == "tool_use" and block.get("toolset_name"):
                self._toolsets[block["id"]] = block["toolset_name"]
            elif _is_tool_result(block) and (name := self._toolsets.get(block.get("tool_use_id") or "")):
                block.setdefault("toolset_name", name)


def _strip_end(content: str | list[_Block]) -> str | list[_Block]:
    if isinstance(content, str):
        return content.rstrip()
    if content and content[-1].get("type") == "text":
        content[-1] = {**content[-1], "text": content[-1]["text"].rstrip()}
    return content
