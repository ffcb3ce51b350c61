"""The payloads of ``openai.responses``: events of a response, its output items and their pieces."""

import json
from typing import Any

from ..._values import read_error, read_kept
from ..json import Document, LazyJson, Path
from .shape import (
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

__all__ = ("Responses",)

# Beside each piece that was handed out, an event may repeat it; so many pieces are kept apart.
_MAX_KEYS = 1024

# For the deltas of text: the kind of piece, and the name of its second index.
_DELTAS = {
    "response.output_text.delta": ("text", "content_index"),
    "response.refusal.delta": ("refusal", "content_index"),
    "response.reasoning_summary_text.delta": ("summary", "summary_index"),
    "response.reasoning_text.delta": ("reasoning", "content_index"),
}
# For the events that repeat what deltas had: the same, and the member that has all of it.
_DONE = {
    "response.output_text.done": ("text", "content_index", "text"),
    "response.refusal.done": ("refusal", "content_index", "refusal"),
    "response.reasoning_summary_text.done": ("summary", "summary_index", "text"),
    "response.reasoning_text.done": ("reasoning", "content_index", "text"),
    "response.content_part.done": ("", "content_index", "part"),
    "response.reasoning_summary_part.done": ("", "summary_index", "part"),
}
_ARGUMENTS = {
    "response.function_call_arguments.delta": "delta",
    "response.custom_tool_call_input.delta": "delta",
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
}
# For the kinds of parts: the kind of piece, and the member that has it.
_PARTS = {
    "output_text": ("text", "text"),
    "refusal": ("refusal", "refusal"),
    "summary_text": ("summary", "text"),
    "reasoning_text": ("reasoning", "text"),
}
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.cancelled": "cancelled",
    "response.failed": "failed",
}
_FAILED = Document(b'{"message": "the response failed"}')

_Key = tuple[str, int, int]


class Responses(Family):
    """The family of ``openai.responses``: one choice, whose output items begin, grow and are repeated when done."""

    __slots__ = ("_blocks", "_has_handed_out", "_keys")

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        # The pieces that have handed out something: kind, output index, content or summary index.
        self._keys: set[_Key] = set()
        self._has_handed_out = False
        # By the output index and the content index.
        self._blocks = Blocks()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        kind = payload.get("type")
        if event.startswith("response.") or (isinstance(kind, str) and kind.startswith("response.")):
            return True
        return payload.get("object") == "response"

    def pick_text(self, payload: Any) -> Any:
        if payload["type"] != "response.output_text.delta" or not is_bare(payload):
            return None
        output, content, text = payload["output_index"], payload["content_index"], payload["delta"]
        if type(output) is not int or type(content) is not int or (output, content) != self._blocks.last:
            return None
        self._note(("text", output, content), text if type(text) is str else None)
        return text

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload(is_plain=False)
        kind = as_text(payload.get("type")) or event
        if is_body:
            is_known = payload.get("object") == "response"
            if is_known:
                self._read_response(payload, (), document, as_text(payload.get("status")), found)
        else:
            is_known = kind.startswith("response.")
            if kind in _DELTAS:
                self._read_delta(payload, kind, found)
            elif kind in _DONE:
                self._read_done(payload, kind, found)
            elif kind in _ARGUMENTS:
                self._read_arguments(payload, kind, found)
            elif kind in ("response.output_item.added", "response.output_item.done"):
                self._read_item_event(payload, document, kind, found)
            elif kind == "response.content_part.added":
                self._blocks.begin(_indexes(payload, "content_index"))
            elif kind in _ENDS:
                self._read_response(payload.get("response"), ("response",), document, _ENDS[kind], found)
        if found.error is None:
            found.error = self.find_error_event(payload, document) or find_error(payload, document, is_known=is_known)
        return found

    def find_error_event(self, payload: dict[str, Any], document: Document) -> LazyJson | None:
        error = payload.get("error")
        if payload.get("type") != "error" or isinstance(error, dict) or (isinstance(error, str) and error):
            return None
        # The error has no object of its own.
        names = [name for name in payload if name not in ("type", "sequence_number")]
        members = ",".join(f"{json.dumps(name)}:{document.cut((name,))}" for name in names)
        return LazyJson(Document(f"{{{members}}}".encode()), (), read_error)

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        response = payload if payload.get("object") == "response" else payload.get("response")
        if not isinstance(response, dict):
            return {}
        return only_texts({name: response.get(name) for name in ("id", "model", "service_tier")})

    def _read_delta(self, payload: dict[str, Any], kind: str, found: Payload) -> None:
        """Read a piece of text, of a refusal or of reasoning."""
        (field, name), piece = _DELTAS[kind], payload.get("delta")
        choice = Choice(0)
        found.choices.append(choice)
        if isinstance(piece, str):
            at = _indexes(payload, name)
            self._add_piece(choice, (field, *at), piece)
            found.is_plain = field == "text" and self._blocks.is_last(at)

    def _read_done(self, payload: dict[str, Any], kind: str, found: Payload) -> None:
        """Read an event with all of a piece, which counts where nothing of it was handed out."""
        field, name, member = _DONE[kind]
        at, choice = _indexes(payload, name), Choice(0)
        if field:
            self._add_done(choice, (field, *at), payload.get(member))
        else:
            self._add_part(choice, at, payload.get(member))
        if choice.content or choice.refusal:
            found.choices.append(choice)

    def _read_arguments(self, payload: dict[str, Any], kind: str, found: Payload) -> None:
        """Read a piece of a call's arguments, or all of them."""
        member = _ARGUMENTS[kind]
        args, index = payload.get(member), as_index(payload.get("output_index")) or 0
        if not isinstance(args, str):
            return
        if member == "delta" or (args and self._is_new(("args", index, 0))):
            self._note(("args", index, 0), args)
            found.choices.append(Choice(0, entries=[Entry(index, None, None, args)]))

    def _read_item_event(self, payload: dict[str, Any], document: Document, kind: str, found: Payload) -> None:
        """Read the beginning of an output item, or all of it."""
        item = payload.get("item")
        if not isinstance(item, dict):
            return
        index = as_index(payload.get("output_index")) or 0
        choice, item_kind = Choice(0), as_text(item.get("type"))
        if kind == "response.output_item.added":
            self._blocks.begin((index, 0))
            if item_kind == "message":
                choice.role = as_text(item.get("role"))
                self._note(("role", index, 0), choice.role)
            elif item_kind in _CALLS:
                self._add_call(choice, item, index, ("item",), document)
            found.choices.append(choice)
        else:
            self._add_item(choice, item, index, ("item",), document)
            if choice.content or choice.refusal or choice.entries:
                found.choices.append(choice)

    def _read_response(self, response: Any, path: Path, document: Document, status: str | None, found: Payload) -> None:
        """Read the whole response at ``path``, which has ``status``; its output counts where nothing came before."""
        if not isinstance(response, dict):
            response = {}
        choice = Choice(0)
        output = response.get("output")
        if isinstance(output, list) and not self._has_handed_out:
            for index, item in enumerate(output):
                if isinstance(item, dict):
                    self._add_item(choice, item, index, (*path, "output", index), document)
        if status in _ENDS.values():
            details = response.get("incomplete_details")
            reason = as_text(details.get("reason")) if isinstance(details, dict) else None
            choice.finish_reason = f"incomplete:{reason}" if status == "incomplete" and reason else status
            found.ends = bool(path)
        found.choices.append(choice)
        if isinstance(response.get("usage"), dict):
            found.usage = LazyJson(document, (*path, "usage"), read_kept)
        if status == "failed":
            error = response.get("error")
            has_error = isinstance(error, dict) or (isinstance(error, str) and error != "")
            source = (document, (*path, "error")) if has_error else (_FAILED, ())
            found.error = LazyJson(*source, read_error)

    def _add_item(self, choice: Choice, item: dict[str, Any], index: int, path: Path, document: Document) -> None:
        """Add what was not handed out of a whole item."""
        kind = as_text(item.get("type"))
        if kind in _CALLS:
            self._add_call(choice, item, index, path, document)
        elif kind in ("message", "reasoning"):
            before = len(choice.content) + len(choice.refusal)
            for name in ("summary", "content"):
                parts = item.get(name)
                for position, part in enumerate(parts if isinstance(parts, list) else ()):
                    self._add_part(choice, (index, position), part)
            key = "role", index, 0
            if len(choice.content) + len(choice.refusal) > before and choice.role is None and self._is_new(key):
                choice.role = as_text(item.get("role"))
                self._note(key, choice.role)

    def _add_call(self, choice: Choice, item: dict[str, Any], index: int, path: Path, document: Document) -> None:
        """Add what was not handed out of a call, which begins or is whole."""
        member = _CALLS[item["type"]]
        args, is_json = as_arguments(item.get(member), (*path, member), document)
        key = "args", index, 0
        if args and not self._is_new(key):
            args, is_json = None, False
        self._note(key, args)
        entry = Entry(index, as_id(item.get("call_id")), as_text(item.get("name")), args, is_json)
        self._has_handed_out = True
        choice.entries.append(entry)

    def _add_part(self, choice: Choice, at: tuple[int, int], part: Any) -> None:
        """Add what was not handed out of a part."""
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in _PARTS:
            field, member = _PARTS[kind]
            self._add_done(choice, (field, *at), part.get(member))

    def _add_done(self, choice: Choice, key: _Key, piece: Any) -> None:
        if piece and isinstance(piece, str) and self._is_new(key):
            self._add_piece(choice, key, piece)

    def _add_piece(self, choice: Choice, key: _Key, piece: str) -> None:
        self._note(key, piece)
        if piece and key[0] == "refusal":
            choice.refusal.append(piece)
        elif piece:
            choice.content.append(("text" if key[0] == "text" else "reasoning", piece))

    def _is_new(self, key: _Key) -> bool:
        """Return whether surely nothing was handed out under ``key``."""
        return len(self._keys) < _MAX_KEYS and key not in self._keys

    def _note(self, key: _Key, piece: str | None) -> None:
        """Note that ``piece``, if there is any, is handed out under ``key``."""
        if piece:
            self._has_handed_out = self._has_handed_out or key[0] != "role"
            if len(self._keys) < _MAX_KEYS:
                self._keys.add(key)


def _indexes(payload: dict[str, Any], name: str) -> tuple[int, int]:
    """Return the output index of ``payload`` and the index called ``name``; a missing one is 0."""
    return as_index(payload.get("output_index")) or 0, as_index(payload.get(name)) or 0
