"""The payloads of ``cohere.v2``: events of a message, its content, its plan and its tool calls."""

from typing import Any

from ..._values import read_error, read_kept
from ..json import Document, LazyJson, Path
from .shape import Choice, Family, Payload, as_id, as_index, as_text, find_error, is_bare, only_texts, read_function
from .tools import Entry

__all__ = ("Cohere",)

_KNOWN = ("message-", "content-", "tool-", "citation-")
_IDENTIFYING = frozenset(("message-start", "content-start", "content-delta"))


class Cohere(Family):
    """The family of ``cohere.v2``: one choice."""

    __slots__ = ()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        kind = payload.get("type")
        if event in _IDENTIFYING or (isinstance(kind, str) and kind in _IDENTIFYING):
            return True
        return isinstance(payload.get("message"), dict) and "finish_reason" in payload

    def pick_text(self, payload: Any) -> Any:
        content = payload["delta"]["message"]["content"]
        is_ordinary = payload["type"] == "content-delta" and "thinking" not in content and is_bare(payload)
        return content["text"] if is_ordinary else None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload()
        kind = as_text(payload.get("type")) or event
        if is_body:
            is_known = isinstance(payload.get("message"), dict)
            if is_known:
                _read_end(payload, (), document, found).is_whole = True
                _read_message(payload["message"], ("message",), document, found)
        else:
            is_known = kind.startswith(_KNOWN)
            delta = payload.get("delta")
            if is_known and isinstance(delta, dict):
                if kind == "message-end":
                    _read_end(delta, ("delta",), document, found)
                else:
                    _read_event(payload, kind, delta, document, found)
            found.ends = kind == "message-end"
        if found.error is None:
            found.error = find_error(payload, document, is_known=is_known, is_typed=True)
        return found

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        return only_texts({"id": payload.get("id")})


def _read_event(payload: dict[str, Any], kind: str, delta: dict[str, Any], document: Document, found: Payload) -> None:
    """Read the beginning or a piece of the message."""
    message = delta.get("message")
    if not isinstance(message, dict):
        return
    choice = Choice(0)
    found.choices.append(choice)
    if kind == "message-start":
        choice.role = as_text(message.get("role"))
    elif kind in ("content-start", "content-delta"):
        content = message.get("content")
        if isinstance(content, dict):
            choice.reasoning += _strings(content.get("thinking"))
            choice.content += [("text", text) for text in _strings(content.get("text"))]
    elif kind == "tool-plan-delta":
        choice.reasoning += _strings(message.get("tool_plan"))
    elif kind in ("tool-call-start", "tool-call-delta"):
        index = as_index(payload.get("index")) or 0
        _add_calls(choice, message.get("tool_calls"), ("delta", "message", "tool_calls"), document, index)


def _read_end(end: dict[str, Any], path: Path, document: Document, found: Payload) -> Choice:
    """Read why the message ended, its usage and its error."""
    choice = Choice(0, finish_reason=as_text(end.get("finish_reason")))
    found.choices.append(choice)
    if isinstance(end.get("usage"), dict):
        found.usage = LazyJson(document, (*path, "usage"), read_kept)
    if path and _strings(end.get("error")):
        found.error = LazyJson(document, (*path, "error"), read_error)
    return choice


def _read_message(message: dict[str, Any], path: Path, document: Document, found: Payload) -> None:
    """Read a whole message into the only choice."""
    (choice,) = found.choices
    choice.role = as_text(message.get("role"))
    choice.reasoning += _strings(message.get("tool_plan"))
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            choice.content += [("reasoning", text) for text in _strings(part.get("thinking"))]
            choice.content += [("text", text) for text in _strings(part.get("text"))]
    _add_calls(choice, message.get("tool_calls"), (*path, "tool_calls"), document, None)


def _add_calls(choice: Choice, calls: Any, path: Path, document: Document, index: int | None) -> None:
    """Add a call, or a list of them, with ``index`` or the position of each."""
    if isinstance(calls, dict):
        _add_call(choice, calls, path, document, index or 0)
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            _add_call(choice, call, (*path, position), document, position if index is None else index)


def _add_call(choice: Choice, call: dict[str, Any], path: Path, document: Document, index: int) -> None:
    function = read_function(call.get("function"), (*path, "function"), document)
    choice.entries.append(Entry(index, as_id(call.get("id")), *function))


def _strings(value: Any) -> list[str]:
    """Return ``value``, in a list, if it is a string with something in it."""
    return [value] if value and isinstance(value, str) else []
