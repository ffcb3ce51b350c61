"""The payloads of ``anthropic.messages``: events of a message, its content blocks and their deltas."""

from typing import Any

from ..._values import read_kept
from ..json import Document, LazyJson, Path
from .shape import (
    MAX_BLOCKS,
    Blocks,
    Choice,
    Family,
    Payload,
    as_arguments,
    as_id,
    as_index,
    as_text,
    find_error,
    is_bare,
    only_texts,
)
from .tools import Entry

__all__ = ("Anthropic",)

_KNOWN = frozenset(
    (
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "ping"),
    )
)
_IDENTIFYING = frozenset(("message_start", "content_block_start", "content_block_delta"))


class Anthropic(Family):
    """The family of ``anthropic.messages``: one choice, whose blocks begin, grow and stop."""

    __slots__ = ("_blocks", "_has_call")

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        # Which blocks have begun under their indexes, and whether each is a call of a tool.
        self._has_call: dict[int, bool] = {}
        self._blocks = Blocks()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        kind = payload.get("type")
        if event in _IDENTIFYING or (isinstance(kind, str) and kind in _IDENTIFYING):
            return True
        return kind == "message" and "content" in payload

    def pick_text(self, payload: Any) -> Any:
        delta = payload["delta"]
        if delta["type"] == "text_delta" and payload["type"] == "content_block_delta" and self._is_last(payload):
            return delta["text"]
        return None

    def find_arguments(self, payload: Any) -> tuple[int, str] | None:
        try:
            delta, index = payload["delta"], payload["index"]
            args = delta["partial_json"]
            is_ordinary = type(args) is str and delta["type"] == "input_json_delta"
            if not is_ordinary or payload["type"] != "content_block_delta" or not self._is_last(payload):
                return None
        except (ValueError, KeyError, TypeError):
            return None
        return (index, args) if self._has_call.get(index, True) else None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload(is_plain=False)
        kind = as_text(payload.get("type")) or event
        if is_body:
            is_known = kind == "message"
            if is_known:
                self._read_message(payload, (), document, found, is_body=True)
        else:
            is_known = kind in _KNOWN
            if kind == "message_start":
                self._read_message(payload.get("message"), ("message",), document, found, is_body=False)
            elif kind == "content_block_start":
                self._start_block(payload, document, found)
            elif kind == "content_block_delta":
                self._read_block(payload, found)
            elif kind == "message_delta":
                _read_end(payload, document, found)
            found.ends = kind == "message_stop"
        found.error = find_error(payload, document, is_known=is_known, is_typed=True)
        return found

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        message = payload if payload.get("type") == "message" else payload.get("message")
        if not isinstance(message, dict):
            return {}
        usage = message.get("usage")
        tier = usage.get("service_tier") if isinstance(usage, dict) else None
        return only_texts({"id": message.get("id"), "model": message.get("model"), "service_tier": tier})

    def _is_last(self, payload: dict[str, Any]) -> bool:
        """Return whether ``payload``, a piece of a block, is one of the block that began last, and nothing else."""
        return type(payload["index"]) is int and payload["index"] == self._blocks.last and is_bare(payload)

    def _read_message(self, message: Any, path: Path, document: Document, found: Payload, *, is_body: bool) -> None:
        """Read the message at ``path``: the beginning of one, or a whole one."""
        if not isinstance(message, dict):
            return
        choice = Choice(0, as_text(message.get("role")), is_whole=is_body)
        content = message.get("content")
        for position, block in enumerate(content if isinstance(content, list) else ()):
            if isinstance(block, dict):
                self._begin(choice, position, block, (*path, "content", position), document, is_body=is_body)
        if is_body:
            choice.finish_reason = as_text(message.get("stop_reason"))
        found.choices.append(choice)
        if isinstance(message.get("usage"), dict):
            found.usage = LazyJson(document, (*path, "usage"), read_kept)

    def _start_block(self, payload: dict[str, Any], document: Document, found: Payload) -> None:
        block = payload.get("content_block")
        if isinstance(block, dict):
            index = as_index(payload.get("index"))
            if index is None:
                index = self._blocks.next_index()
            choice = Choice(0)
            self._begin(choice, index, block, ("content_block",), document, is_body=False)
            found.choices.append(choice)

    def _begin(
        self, choice: Choice, index: int, block: dict[str, Any], path: Path, document: Document, *, is_body: bool
    ) -> None:
        """Read a block that begins, or a whole one."""
        kind = block.get("type")
        self._blocks.begin(index)
        if index in self._has_call or len(self._has_call) < MAX_BLOCKS:
            self._has_call[index] = kind == "tool_use"
        if kind == "text" and block.get("text") and isinstance(block["text"], str):
            choice.content.append(("text", block["text"]))
        elif kind == "thinking" and block.get("thinking") and isinstance(block["thinking"], str):
            choice.content.append(("reasoning", block["thinking"]))
        elif kind == "tool_use":
            args, is_json = as_arguments(block.get("input"), (*path, "input"), document)
            if args is None or not (block["input"] or is_body):
                args, is_json = "", False
            choice.entries.append(Entry(index, as_id(block.get("id")), as_text(block.get("name")), args, is_json))

    def _read_block(self, payload: dict[str, Any], found: Payload) -> None:
        """Read a piece of a block."""
        delta = payload.get("delta")
        if not isinstance(delta, dict):
            return
        choice = Choice(0)
        found.choices.append(choice)
        kind, index = delta.get("type"), as_index(payload.get("index"))
        if index is None:
            index = self._blocks.last or 0
        found.is_plain = self._blocks.is_last(index)
        if kind == "text_delta" and delta.get("text") and isinstance(delta["text"], str):
            choice.content.append(("text", delta["text"]))
        elif kind == "thinking_delta" and delta.get("thinking") and isinstance(delta["thinking"], str):
            choice.content.append(("reasoning", delta["thinking"]))
        elif kind == "input_json_delta" and self._has_call.get(index, True):
            args = delta.get("partial_json")
            choice.entries += [Entry(index, None, None, args)] if isinstance(args, str) else []


def _read_end(payload: dict[str, Any], document: Document, found: Payload) -> None:
    """Read why the message ended, and its usage."""
    delta = payload.get("delta")
    if isinstance(delta, dict):
        found.choices.append(Choice(0, finish_reason=as_text(delta.get("stop_reason"))))
    if isinstance(payload.get("usage"), dict):
        found.usage = LazyJson(document, ("usage",), read_kept)
