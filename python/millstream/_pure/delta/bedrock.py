"""The payloads of ``bedrock.converse`` and ``bedrock.anthropic``: the events of AWS Bedrock's streams."""

import binascii
import json
import re
from typing import Any

from ..._values import read_error, read_kept
from ..framing.aws_events import message_of
from ..json import Document, LazyJson, Path
from .anthropic import Anthropic
from .shape import (
    Blocks,
    Choice,
    Family,
    InvalidPayloadError,
    Payload,
    as_arguments,
    as_id,
    as_index,
    as_text,
    find_error,
)
from .tools import Entry

__all__ = ("BedrockAnthropic", "Converse")

_KNOWN = frozenset(
    (
        *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("messageStop", "metadata"),
    )
)
# The names of the exceptions that AWS sends in a stream end so.
_EXCEPTION = "Exception"
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


class Converse(Family):
    """The family of ``bedrock.converse``: one choice, whose blocks of text begin with their first piece."""

    __slots__ = ("_blocks",)

    is_wrapped = True

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        self._blocks = Blocks()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        if event in _KNOWN and "type" not in payload:
            return True
        # One called "metadata" may be anything's.
        if not event and _find_enclosed(payload) in _KNOWN - {"metadata"}:
            return True
        output = payload.get("output")
        return isinstance(output, dict) and isinstance(output.get("message"), dict)

    def unwrap(self, payload: dict[str, Any], document: Document, event: str) -> tuple[str, bytes] | None:
        # AWS's SDKs hand out each event as an object with one member, whose name is the event's.
        name = "" if event else _find_enclosed(payload)
        if name in _KNOWN or name.endswith(_EXCEPTION):
            return name, document.cut((name,)).encode()
        return None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload(is_plain=False)
        kind = as_text(payload.get("type")) or event
        if is_body:
            is_known = isinstance(payload.get("output"), dict)
            if is_known:
                _read_answer(payload, document, found)
        else:
            is_known = kind in _KNOWN
            if kind == "messageStart":
                found.choices.append(Choice(0, as_text(payload.get("role"))))
            elif kind == "contentBlockStart":
                self._start_block(payload, found)
            elif kind == "contentBlockDelta":
                self._read_block(payload, found)
            elif kind == "messageStop":
                found.choices.append(Choice(0, finish_reason=as_text(payload.get("stopReason"))))
            elif kind == "metadata":
                found.usage = _usage(payload, document)
                found.ends = True
        if event.endswith(_EXCEPTION):
            error = {"type": event, "message": message_of(document.cut(()).encode())}
            found.error = LazyJson(Document(json.dumps(error).encode()), (), read_error)
        else:
            found.error = find_error(payload, document, is_known=is_known)
        return found

    def _start_block(self, payload: dict[str, Any], found: Payload) -> None:
        index = as_index(payload.get("contentBlockIndex"))
        if index is None:
            index = self._blocks.next_index()
        self._blocks.begin(index)
        choice, start = Choice(0), payload.get("start")
        found.choices.append(choice)
        call = start.get("toolUse") if isinstance(start, dict) else None
        if isinstance(call, dict):
            choice.entries.append(Entry(index, as_id(call.get("toolUseId")), as_text(call.get("name")), ""))

    def _read_block(self, payload: dict[str, Any], found: Payload) -> None:
        """Read a piece of a block."""
        index = as_index(payload.get("contentBlockIndex"))
        if index is None:
            index = self._blocks.last or 0
        found.is_plain = self._blocks.is_last(index)
        choice, delta = Choice(0), payload.get("delta")
        found.choices.append(choice)
        if not isinstance(delta, dict):
            return
        text, reasoning, call = delta.get("text"), delta.get("reasoningContent"), delta.get("toolUse")
        if text and isinstance(text, str):
            choice.content.append(("text", text))
        if isinstance(reasoning, dict) and reasoning.get("text") and isinstance(reasoning["text"], str):
            choice.reasoning.append(reasoning["text"])
        if isinstance(call, dict) and isinstance(call.get("input"), str):
            choice.entries.append(Entry(index, None, None, call["input"]))


class BedrockAnthropic(Anthropic):
    """The family of ``bedrock.anthropic``: the payloads of ``anthropic.messages`` as Base64."""

    __slots__ = ()

    is_wrapped = True

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return event == "chunk" and isinstance(payload.get("bytes"), str)

    def unwrap(self, payload: dict[str, Any], document: Document, event: str) -> tuple[str, bytes] | None:
        data = payload.get("bytes")
        if event != "chunk" or not isinstance(data, str):
            return None
        if len(data) % 4 or _BASE64.fullmatch(data) is None:
            raise InvalidPayloadError("its bytes are not base64")
        return "", binascii.a2b_base64(data)


def _find_enclosed(payload: dict[str, Any]) -> str:
    """Return the name of the only member of ``payload``, if that is an object; otherwise an empty string."""
    name = next(iter(payload)) if len(payload) == 1 else ""
    return name if isinstance(payload.get(name), dict) else ""


def _read_answer(payload: dict[str, Any], document: Document, found: Payload) -> None:
    """Read a whole answer."""
    choice = Choice(0, finish_reason=as_text(payload.get("stopReason")), is_whole=True)
    found.choices.append(choice)
    found.usage = _usage(payload, document)
    message = payload["output"].get("message")
    if not isinstance(message, dict):
        return
    choice.role = as_text(message.get("role"))
    content = message.get("content")
    for position, block in enumerate(content if isinstance(content, list) else ()):
        if isinstance(block, dict):
            _read_whole_block(choice, position, block, ("output", "message", "content", position), document)


def _read_whole_block(choice: Choice, index: int, block: dict[str, Any], path: Path, document: Document) -> None:
    text, reasoning, call = block.get("text"), block.get("reasoningContent"), block.get("toolUse")
    if text and isinstance(text, str):
        choice.content.append(("text", text))
    whole = reasoning.get("reasoningText") if isinstance(reasoning, dict) else None
    if isinstance(whole, dict) and whole.get("text") and isinstance(whole["text"], str):
        choice.content.append(("reasoning", whole["text"]))
    if isinstance(call, dict):
        args = as_arguments(call.get("input"), (*path, "toolUse", "input"), document)
        choice.entries.append(Entry(index, as_id(call.get("toolUseId")), as_text(call.get("name")), *args))


def _usage(payload: dict[str, Any], document: Document) -> LazyJson | None:
    has_usage = isinstance(payload.get("usage"), dict)
    return LazyJson(document, ("usage",), read_kept) if has_usage else None
