"""One choice of a stream: its state between payloads, and its reading in one payload."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from ..._values import has_surrogate, read_kept
from ..json import Document, LazyJson, Path
from ..text import is_high, join_surrogates
from . import Delta, ToolCallDelta
from .tools import MAX_INDEX, Entry, Tools

__all__ = ("ChoiceState", "Reading", "as_index")


class ChoiceState:
    """The state of one choice between payloads."""

    __slots__ = ("finish_reason", "has_handed_out", "held", "join", "tools")

    def __init__(self, join: bool) -> None:
        self.join = join
        self.finish_reason: str | None = None
        self.has_handed_out = False
        self.held: dict[str | int, str] = {}
        """High surrogates that wait for the next piece of their field: a name, or a tool index."""
        self.tools = Tools()

    def whole_piece(self, field: str | int, piece: str) -> str:
        """Return the text to hand out for ``piece`` of ``field``; ``piece`` is not empty."""
        piece = self.held.pop(field, "") + piece
        if not has_surrogate(piece):
            return piece
        if self.join and is_high(piece[-1]):
            self.held[field] = piece[-1]
            piece = piece[:-1]
        return join_surrogates(piece)


class Reading:
    """The reading of one choice of a payload.

    :meth:`settle` finds the tool calls that its entries belong to. It is called for all choices of a
    payload, which may pass a limit, before :meth:`read` returns the deltas of any.
    """

    __slots__ = (
        *("_choice", "_deltas", "_document", "_entries", "_index", "_message", "_name", "_path", "_state"),
        *("audio", "finish_reason", "logprobs", "reasoning", "refusal", "role", "text", "tools"),
    )

    def __init__(self, index: int, state: ChoiceState) -> None:
        self._index = index
        self._state = state
        self._deltas: list[Delta] = []
        self.role: str | None = None
        self.text = self.reasoning = self.refusal = ""
        self.tools: list[ToolCallDelta] = []
        self.finish_reason: str | None = None
        self.logprobs: Any = None
        self.audio: Any = None

    def settle(self, choice: dict[str, Any], path: Path, document: Document, *, chat: bool, body: bool) -> None:
        """Find what counts of ``choice``, at ``path`` of ``document``, and which tool calls its entries belong to.

        Nothing is handed out: raises :class:`~.tools.LimitPassedError`.
        """
        self._choice, self._path, self._document = choice, path, document
        self._name, self._message = self._find_message(body) if chat else ("", _as_message(choice.get("text")))
        settle, is_whole = self._state.tools.settle, body or self._name == "message"
        self._entries = []
        if "tool_calls" in self._message or "function_call" in self._message:
            entries = _entries(self._message, (*path, self._name), document)
            self._entries = [settle(entry, is_whole=is_whole) for entry in entries]

    def _find_message(self, body: bool) -> tuple[str, dict[str, Any]]:
        """Return the name and the value of the content of a chat choice: ``delta``, or else ``message``.

        A ``message`` in a stream counts only if the choice has handed out nothing yet: some servers
        repeat there what they have sent. In a ``body`` it goes first.
        """
        for name in ("message", "delta") if body else ("delta", "message"):
            value = self._choice.get(name)
            if isinstance(value, dict):
                is_again = name == "message" and not body and self._state.has_handed_out
                return name, {} if is_again else value
            if name == "delta" and isinstance(value, str):
                return name, _as_message(value)
        return "", {}

    def read(self) -> list[Delta]:
        """Return the deltas of the choice."""
        if self._message:
            self._read_message()
        reason = _string(self._choice.get("finish_reason"))
        if reason is not None and reason != self._state.finish_reason:
            self._state.finish_reason = self.finish_reason = reason
            self.release()
        if isinstance(self._choice.get("logprobs"), dict):
            self.logprobs = LazyJson(self._document, (*self._path, "logprobs"), read_kept)
        return self.hand_out()

    def _read_message(self) -> None:
        message, state = self._message, self._state
        self.role = _string(message.get("role"))
        if "reasoning" in message or "reasoning_content" in message:
            reasoning = [*_pieces(message.get("reasoning_content"))] or _pieces(message.get("reasoning"))
            self.reasoning = "".join(state.whole_piece("reasoning", piece) for _, piece in reasoning)
        refusal = message.get("refusal")
        if refusal and isinstance(refusal, str):
            self.refusal = state.whole_piece("refusal", refusal)
        content = message.get("content")
        if isinstance(content, str):
            self.text = state.whole_piece("text", content) if content else ""
        elif content is not None:
            self._read_parts(content)
        for entry in self._entries:
            self._add_tool(entry)
        if isinstance(message.get("audio"), dict):
            self.audio = LazyJson(self._document, (*self._path, self._name, "audio"), read_kept)

    def release(self) -> None:
        """Take in U+FFFD for each half that the choice holds back: its other half will not come."""
        held, self._state.held = self._state.held, {}
        self.text += "\ufffd" if "text" in held else ""
        self.reasoning += "\ufffd" if "reasoning" in held else ""
        self.refusal += "\ufffd" if "refusal" in held else ""
        tools = sorted(field for field in held if isinstance(field, int))
        entries = {call.index: at for at, call in enumerate(self.tools)} if tools else {}
        for index in tools:
            at = entries.get(index)
            if at is None:
                self.tools.append(ToolCallDelta._made((index, None, None, "\ufffd")))
            else:
                call = self.tools[at]
                self.tools[at] = ToolCallDelta._made((index, call.id, call.name, (call.args or "") + "\ufffd"))

    def hand_out(self) -> list[Delta]:
        """Return the deltas: one, or one for each run of parts, or none where there was nothing."""
        fields = (self.role, self.text or None, self.reasoning or None, self.refusal or None, tuple(self.tools))
        if any(fields) or self.finish_reason or self.logprobs or self.audio:
            ends = (self.finish_reason, None, None, self.logprobs, self.audio)
            self._deltas.append(Delta._made((self._index, *fields, *ends)))
            self._state.has_handed_out = True
        return self._deltas

    def _read_parts(self, content: Any) -> None:
        """Take in typed parts; where their kind changes, the text so far becomes a delta of its own."""
        is_first = True
        for field, pieces in groupby(_pieces(content), itemgetter(0)):
            if not is_first:
                self.hand_out()
                self.role = None
                self.text = self.reasoning = self.refusal = ""
            is_first = False
            run = "".join(self._state.whole_piece(field, piece) for _, piece in pieces)
            if field == "text":
                self.text = run
            else:
                self.reasoning += run

    def _add_tool(self, entry: Entry) -> None:
        id, name, args = entry.id, entry.name, entry.args
        if args and entry.index is not None:
            args = self._state.whole_piece(entry.index, args)
        if id is not None or name is not None or args is not None:
            self.tools.append(ToolCallDelta._made((entry.index, id, name, args)))


def as_index(value: Any) -> int | None:
    """Return ``value`` if it can be an index."""
    return value if type(value) is int and 0 <= value <= MAX_INDEX else None


def _string(value: Any) -> str | None:
    """Return ``value`` if it is a string with something in it, whole code points only."""
    return join_surrogates(value) if isinstance(value, str) and value else None


def _as_message(text: Any) -> dict[str, Any]:
    """Return the message that ``text`` stands for."""
    return {"content": text} if isinstance(text, str) else {}


def _entries(message: dict[str, Any], path: Path, document: Document) -> Iterator[Entry]:
    """Yield the entries of ``tool_calls``; without any, a call in OpenAI's first form."""
    calls = message.get("tool_calls")
    is_empty = True
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            is_empty = False
            id = _string(call.get("id"))
            function = call.get("function"), (*path, "tool_calls", position, "function"), document
            yield Entry(as_index(call.get("index")), None if id == "null" else id, *_function(*function))
    if is_empty and isinstance(call := message.get("function_call"), dict):
        yield Entry(0, None, *_function(call, (*path, "function_call"), document))


def _function(function: Any, path: Path, document: Document) -> tuple[str | None, str | None, bool]:
    """Return the name and the arguments of ``function``, and whether these came as an object or array."""
    if not isinstance(function, dict):
        return None, None, False
    arguments = function.get("arguments")
    is_json = isinstance(arguments, dict | list)
    if is_json:
        arguments = document.cut((*path, "arguments"))
    return _string(function.get("name")), arguments if isinstance(arguments, str) else None, is_json


def _pieces(content: Any) -> Iterator[tuple[str, str]]:
    """Yield the field and the string, not empty, of each piece of ``content``: a text, a list of parts, or one part."""
    if isinstance(content, str | dict):
        content = [{"type": "text", "text": content} if isinstance(content, str) else content]
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and part.get("text") and isinstance(part["text"], str):
            yield "text", part["text"]
        elif kind == "thinking":
            yield from (("reasoning", piece) for field, piece in _pieces(part.get("thinking")) if field == "text")
