"""The payloads of ``openai.completions`` and ``openai.chat``: JSON objects to deltas.

Many servers speak these formats, each a little differently, so every field may be missing, null or
of a wrong type: it then counts as absent.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from ..._provider_errors import error_path
from ..._values import read_error, read_json
from ..json import SURELY_SHALLOW, Document, Kept, Path, read, shallow
from ..text import has_surrogate, is_high, joined
from . import Delta, ToolCallDelta

__all__ = ("TOLD", "Choices", "chat_text", "completions_text", "told")

_MAX_INDEX = 2**32 - 1

TOLD = ("id", "model", "system_fingerprint", "service_tier")
"""The members that describe the response. The first is kept once, the others whenever they change."""


def completions_text(raw: bytes, one: bool) -> str | None:
    """Return the text of an ordinary payload: text for choice 0 and nothing else.

    ``None`` says that the payload is of another kind, or not valid: :class:`Choices` reads those.
    """
    try:
        payload = orjson.loads(raw)
        (choice,) = payload["choices"]
        text = choice["text"]
        if text and type(text) is str and _brings_text_alone(payload, choice, one):
            return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
    except (ValueError, KeyError, TypeError):
        pass
    return None


def told(payload: Any) -> dict[str, str]:
    """Return the strings that describe the response, under the names of :data:`TOLD`."""
    if not isinstance(payload, dict):
        return {}
    found = {name: _string(payload.get(name)) for name in TOLD}
    return {name: text for name, text in found.items() if text is not None}


def chat_text(raw: bytes, one: bool) -> str | None:
    """Return the text of an ordinary payload, as :func:`completions_text` does."""
    try:
        payload = orjson.loads(raw)
        (choice,) = payload["choices"]
        delta = choice["delta"]
        text = delta["content"]
        alone = len(delta) == 1 or all(value is None for name, value in delta.items() if name != "content")
        if alone and text and type(text) is str and _brings_text_alone(payload, choice, one):
            return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
    except (ValueError, KeyError, TypeError):
        pass
    return None


def _brings_text_alone(payload: dict[str, Any], choice: dict[str, Any], one: bool) -> bool:
    """Return whether ``payload``, with its only ``choice``, has nothing beside a text."""
    return (
        (one or choice["index"] == 0)
        and ("finish_reason" not in choice or choice["finish_reason"] is None)
        and ("logprobs" not in choice or choice["logprobs"] is None)
        and ("usage" not in payload or payload["usage"] is None)
        and "usage" not in choice
        and "error" not in choice
        and "error" not in payload
        and "x_groq" not in payload
        and ("object" not in payload or payload["object"] != "error")
    )


class _Choice:
    """What is to be remembered of one choice between payloads."""

    __slots__ = ("finish_reason", "held", "highest_tool", "join", "last_tool", "tools")

    def __init__(self, join: bool) -> None:
        self.join = join
        self.finish_reason: str | None = None
        self.held: dict[str | int, str] = {}
        """High surrogates that wait for the next piece of their field: a name, or a tool index."""
        self.tools: dict[str, int] = {}
        """Tool calls by id."""
        self.highest_tool = -1
        self.last_tool = 0

    def whole(self, field: str | int, piece: str) -> str:
        """Return what can be handed out now that ``piece`` of ``field`` has come; it is not empty."""
        piece = self.held.pop(field, "") + piece
        if not has_surrogate(piece):
            return piece
        if self.join and is_high(piece[-1]):
            self.held[field] = piece[-1]
            piece = piece[:-1]
        return joined(piece)


class Choices:
    """The choices of one stream: payloads in, deltas out.

    ``usage`` and ``error`` are the last ones that came, ready to be read. ``plain`` says whether
    an ordinary payload means its text: choice 0 has begun, and holds nothing back. ``one`` says
    that the first choice of a payload is choice 0 whatever its index, and the only one.
    """

    __slots__ = ("_chat", "_choices", "_join", "error", "one", "plain", "usage")

    def __init__(self, *, chat: bool, one: bool, join: bool) -> None:
        self._chat = chat
        self.one = one
        self._join = join
        self._choices: dict[int, _Choice] = {}
        self.plain = False
        self.usage: Any = None
        self.error: Any = None

    @property
    def finish_reason(self) -> str | None:
        """Choice 0's."""
        choice = self._choices.get(0)
        return choice.finish_reason if choice else None

    @property
    def begun(self) -> bool:
        """Whether a choice has begun."""
        return bool(self._choices)

    @property
    def complete(self) -> bool:
        """Whether a choice has begun and every one that has is finished."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    def read(self, payload: Any, raw: bytes, *, body: bool = False) -> list[Delta]:
        """Return what ``payload``, the value of ``raw``, brings.

        First its choices, then its usage, then its error. ``body`` says that the payload is a
        whole response, in which a choice has a ``message`` and no ``delta``.
        """
        if not isinstance(payload, dict):
            return []
        document = Document(raw)
        deltas: list[Delta] = []
        choices = payload.get("choices")
        if self.one and isinstance(choices, list):
            choices = _up_to_first(choices)
            payload = {**payload, "choices": choices}
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, dict):
                deltas += self._read_choice(choice, position, document, body)
        self.plain = 0 in self._choices and not self._choices[0].held
        usage = _usage_path(payload)
        if usage:
            self.usage = Kept(document, usage, read_json)
            deltas.append(Delta._made((0, None, None, None, None, (), None, self.usage, None, None)))
        error = error_path(payload)
        return deltas if error is None else deltas + self._fail(document, error)

    def read_error(self, raw: bytes) -> list[Delta]:
        """Return what ``raw``, announced by its frame as an error, brings: JSON or plain text."""
        path: Path = ()
        try:
            value = read(raw)
        except ValueError:
            value = None
        if isinstance(value, dict):
            path = error_path(value) or ()
        elif not isinstance(value, str):
            raw = json.dumps(raw.decode("utf-8", "replace")).encode()
        return self._fail(Document(raw), path)

    def flush(self) -> list[Delta]:
        """Return what was held back: nothing will come to complete it."""
        deltas: list[Delta] = []
        for index, choice in sorted(self._choices.items()):
            if choice.held:
                brought = _Brought(index, choice)
                brought.release()
                deltas += brought.hand_out()
        return deltas

    def _fail(self, document: Document, path: Path) -> list[Delta]:
        """Return what the provider's error at ``path`` brings, after whatever was held back."""
        self.error = Kept(document, path, read_error)
        return [*self.flush(), Delta._made((0, None, None, None, None, (), None, None, self.error, None))]

    def _read_choice(self, choice: dict[str, Any], position: int, document: Document, body: bool) -> list[Delta]:
        index = 0 if self.one else _index(choice.get("index"))
        if index is None:
            index = position
        state = self._choices.get(index)
        if state is None:
            state = self._choices[index] = _Choice(self._join)
        brought = _Brought(index, state)
        if not self._chat:
            text = choice.get("text")
            if text and isinstance(text, str):
                brought.text = state.whole("text", text)
        elif isinstance(delta := choice.get("message" if body else "delta"), dict):
            brought.read_chat(delta)
        reason = _string(choice.get("finish_reason"))
        if reason is not None and reason != state.finish_reason:
            state.finish_reason = brought.finish_reason = reason
            brought.release()
        if isinstance(choice.get("logprobs"), dict):
            brought.logprobs = Kept(document, ("choices", position, "logprobs"), read_json)
        return brought.hand_out()


class _Brought:
    """What one payload brings for one choice, on its way to becoming deltas."""

    __slots__ = (
        "_deltas",
        "_index",
        "_state",
        "finish_reason",
        "logprobs",
        "reasoning",
        "refusal",
        "role",
        "text",
        "tools",
    )

    def __init__(self, index: int, state: _Choice) -> None:
        self._index = index
        self._state = state
        self._deltas: list[Delta] = []
        self.role: str | None = None
        self.text = self.reasoning = self.refusal = ""
        self.tools: list[ToolCallDelta] = []
        self.finish_reason: str | None = None
        self.logprobs: Any = None

    def read_chat(self, delta: dict[str, Any]) -> None:
        """Take in the ``delta``, or ``message``, of a chat completion."""
        state = self._state
        self.role = _string(delta.get("role"))
        reasoning = _piece(delta.get("reasoning_content")) or _piece(delta.get("reasoning"))
        if reasoning:
            self.reasoning = state.whole("reasoning", reasoning)
        if refusal := _piece(delta.get("refusal")):
            self.refusal = state.whole("refusal", refusal)
        content = delta.get("content")
        if isinstance(content, list):
            self._read_parts(content)
        elif content and isinstance(content, str):
            self.text = state.whole("text", content)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                id = _string(call.get("id"))
                self._read_tool(_tool_index(call, id, state), id, call.get("function"))
        call = delta.get("function_call")
        if isinstance(call, dict):
            self._read_tool(_tool_index({"index": 0}, None, state), None, call)

    def release(self) -> None:
        """Take in U+FFFD for whatever the choice holds back: its other half will not come."""
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
        if any(fields) or self.finish_reason or self.logprobs:
            self._deltas.append(Delta._made((self._index, *fields, self.finish_reason, None, None, self.logprobs)))
        return self._deltas

    def _read_parts(self, content: list[Any]) -> None:
        """Take in typed parts; where their kind changes, what there is becomes a delta of its own."""
        is_first = True
        for field, pieces in groupby(_pieces(content), itemgetter(0)):
            if not is_first:
                self.hand_out()
                self.role = None
                self.text = self.reasoning = self.refusal = ""
            is_first = False
            run = "".join(self._state.whole(field, piece) for _, piece in pieces)
            if field == "text":
                self.text = run
            else:
                self.reasoning += run

    def _read_tool(self, index: int, id: str | None, function: Any) -> None:
        name = args = None
        if isinstance(function, dict):
            name = _string(function.get("name"))
            args = function.get("arguments")
            if not isinstance(args, str):
                args = None
            elif args:
                args = self._state.whole(index, args)
        if id is not None or name is not None or args is not None:
            self.tools.append(ToolCallDelta._made((index, id, name, args)))


def _index(value: Any) -> int | None:
    """Return ``value`` if it can be an index."""
    return value if type(value) is int and 0 <= value <= _MAX_INDEX else None


def _tool_index(call: dict[str, Any], id: str | None, state: _Choice) -> int:
    """Return which tool call an entry belongs to: by its index, its id, or its neighbourhood."""
    index = _index(call.get("index"))
    if index is None:
        index = state.last_tool
        if id is not None:
            index = state.tools.get(id, min(state.highest_tool + 1, _MAX_INDEX))
    if id is not None:
        state.tools[id] = index
    state.last_tool = index
    state.highest_tool = max(state.highest_tool, index)
    return index


def _string(value: Any) -> str | None:
    """Return ``value`` if it is a string with something in it, whole code points only."""
    return joined(value) if isinstance(value, str) and value else None


def _piece(value: Any) -> str:
    """Return ``value`` if it is a string."""
    return value if isinstance(value, str) else ""


def _pieces(content: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield the field and the string, not empty, of each piece of text in ``content``."""
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and _piece(part.get("text")):
            yield "text", part["text"]
        elif kind == "thinking":
            thinking = part.get("thinking")
            if isinstance(thinking, str):
                thinking = [{"type": "text", "text": thinking}]
            for inner in thinking if isinstance(thinking, list) else ():
                if isinstance(inner, dict) and inner.get("type") == "text" and _piece(inner.get("text")):
                    yield "reasoning", inner["text"]


def _up_to_first(choices: list[Any]) -> list[Any]:
    """Return ``choices`` without what follows the first one."""
    first = next((position for position, choice in enumerate(choices) if isinstance(choice, dict)), len(choices))
    return choices[: first + 1]


def _usage_path(payload: dict[str, Any]) -> Path:
    """Return where ``payload`` has its usage, or nothing: Groq has it in ``x_groq``, others in a choice."""
    if isinstance(payload.get("usage"), dict):
        return ("usage",)
    groq = payload.get("x_groq")
    if isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
        return ("x_groq", "usage")
    choices = payload.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and isinstance(choice.get("usage"), dict):
            return ("choices", position, "usage")
    return ()
