"""``ContentBlock``: one content block of a message while it streams, and the forms that its events show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._values import read_json

__all__ = ("ContentBlock", "finish_call", "read_delta", "start_of")

_Fields = dict[str, Any]

# The field that grows with each delta.
_GROWING = {"text": "text", "reasoning": "reasoning", "tool_call_chunk": "args", "server_tool_call_chunk": "args"}
_CALL_PIECES = ("tool_call_chunk", "server_tool_call_chunk")
# Fields that may be large: a start does not have them, since the finish does.
_LARGE = ("args", "data", "output", "transcript", "value")
# The empty forms of fields that a block of a type must have.
_REQUIRED: dict[Any, _Fields] = {
    "tool_call": {"args": {}},
    "server_tool_call": {"args": {}},
    "non_standard": {"value": {}},
}


class ContentBlock:
    """A block that grows: its number in the message, its fields, and the pieces of its text, arguments or data."""

    __slots__ = ("_fields", "_growing", "index", "pieces")

    def __init__(self, index: int, fields: _Fields) -> None:
        self.index = index
        self._begin(dict(fields))

    def _begin(self, fields: _Fields) -> None:
        self._fields = fields
        self._growing = _GROWING.get(fields.get("type", ""), "data")
        self.pieces: list[str] = [fields.get(self._growing) or ""]

    @property
    def id(self) -> str | None:
        """The block's id, if it has one."""
        return self._fields.get("id") or None

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add what a chunk has of the block; a block that does not grow is replaced, as in LangChain."""
        own, growing, type_name = self._fields, self._growing, fields.get("type")
        if type_name != own.get("type") or (growing == "data" and "data" not in fields):
            self._begin(dict(fields))
            return
        self.pieces.append(fields.get(growing) or "")
        if type_name in _CALL_PIECES:
            own.update({key: fields[key] for key in ("id", "name") if fields.get(key) is not None})
            return
        for key, value in fields.items():
            if key not in ("type", growing) and value is not None:
                is_extras = key == "extras" and isinstance(value, dict)
                own[key] = {**(own.get("extras") or {}), **value} if is_extras else value

    def finish(self) -> dict[str, Any]:
        """Return the event of the whole block."""
        if len(self.pieces) > 1:
            self._fields[self._growing] = "".join(self.pieces)
        return {"event": "content-block-finish", "index": self.index, "content": _finished(self._fields)}


def _finished(fields: _Fields) -> _Fields:
    """Return a whole block: of the pieces of a call, the call."""
    type_name = fields.get("type")
    if type_name not in _CALL_PIECES:
        return fields
    is_own = type_name == "tool_call_chunk"
    # A finished call of the client's has no index: nothing may be merged into its arguments.
    known = ("type", "id", "name", "args", *(("index",) if is_own else ()))
    extras = {key: value for key, value in fields.items() if key not in known and value is not None}
    name = "tool_call" if is_own else "server_tool_call"
    return finish_call(fields.get("args"), fields.get("id"), fields.get("name"), extras, name)


def finish_call(args: str | None, id: str | None, name: str | None, extras: Mapping[str, Any], type: str) -> _Fields:
    """Return the call of the ``type`` whose arguments are ``args`` as JSON, none if empty.

    Arguments that are not a JSON object make it an ``invalid_tool_call``, which keeps them as they are.
    """
    raw = args or "{}"
    try:
        parsed = read_json(raw)
    except (TypeError, ValueError):
        parsed = None
    if not isinstance(parsed, dict):
        error = "Failed to parse tool call arguments as JSON"
        return {"type": "invalid_tool_call", "id": id, "name": name, "args": raw, "error": error, **extras}
    return {"type": type, "id": id or "", "name": name or "", "args": parsed, **extras}


def start_of(fields: _Fields) -> _Fields:
    """Return the content of a block's start: empty, with its ids, its name and its other small fields."""
    type_name = fields.get("type", "text")
    if type_name in ("text", "reasoning"):
        kept = {key: value for key, value in fields.items() if key not in (type_name, "index", "annotations")}
        return {**kept, type_name: ""}
    if type_name == "tool_call_chunk":
        start: _Fields = {"type": type_name, "id": fields.get("id"), "name": fields.get("name"), "args": ""}
        return start if fields.get("index") is None else {**start, "index": fields["index"]}
    if type_name == "server_tool_call_chunk":
        known = {key: fields[key] for key in ("id", "name", "index") if fields.get(key) is not None}
        return {"type": type_name, "args": "", **known}
    kept = {key: value for key, value in fields.items() if key not in _LARGE}
    return {**kept, **_REQUIRED.get(type_name, {})}


def read_delta(fields: _Fields) -> _Fields | None:
    """Return the delta of what a chunk has of a block; ``None`` if that is all in the start or the finish."""
    type_name = fields.get("type")
    if type_name in ("text", "reasoning"):
        text = fields.get(type_name)
        return {"type": f"{type_name}-delta", type_name: text} if text else None
    if type_name in _CALL_PIECES:
        return {"type": "tool-call-delta", "args": fields["args"]} if fields.get("args") else None
    if not fields.get("data"):
        return None
    encoding = {"encoding": "base64"} if fields.get("encoding") == "base64" else {}
    return {"type": "data-delta", "data": fields["data"], **encoding}
