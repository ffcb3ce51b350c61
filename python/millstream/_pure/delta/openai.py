"""The payloads of ``openai.completions`` and ``openai.chat``: JSON objects to deltas.

Many servers speak these formats, each a little differently, so every field may be missing, null or
of a wrong type: it then counts as absent.
"""

import json
from typing import Any

import orjson

from ..._provider_errors import error_path
from ..._values import has_surrogate, read_error, read_kept
from ..json import SURELY_SHALLOW, Document, LazyJson, Path, is_exact, read, shallow
from ..text import join_surrogates
from . import Delta, ToolCallDelta
from .choices import ChoiceState, Reading, as_index
from .tools import LimitPassedError

__all__ = ("INFO_MEMBERS", "MAX_CHOICES", "Choices", "chat_text", "completions_text", "response_info")

MAX_CHOICES = 1024
"""How many choices one stream may have."""

INFO_MEMBERS = ("id", "model", "system_fingerprint", "service_tier")
"""The members that describe the response. The first is kept once, the others whenever they change."""


def completions_text(raw: bytes, one: bool) -> str | dict[str, Any] | None:
    """Return the text of an ordinary payload: text for choice 0 and nothing else.

    A ``dict`` is the value of a payload of another kind, which :class:`Choices` reads; ``None`` says
    that the payload is neither, or has to be read with more care.
    """
    try:
        payload = orjson.loads(raw)
    except ValueError:
        return None
    try:
        (choice,) = payload["choices"]
        text = choice["text"]
        if text and type(text) is str and _has_nothing_else(payload, choice, one):
            return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
    except (ValueError, KeyError, TypeError):
        pass
    return payload if type(payload) is dict and is_exact(raw) else None


def response_info(payload: Any) -> dict[str, str]:
    """Return the strings that describe the response, under the names of :data:`INFO_MEMBERS`."""
    if not isinstance(payload, dict):
        return {}
    found = {name: _string(payload.get(name)) for name in INFO_MEMBERS}
    return {name: text for name, text in found.items() if text is not None}


def chat_text(raw: bytes, one: bool) -> str | dict[str, Any] | None:
    """Return the text of an ordinary payload, or the value of another one, as :func:`completions_text` does."""
    try:
        payload = orjson.loads(raw)
    except ValueError:
        return None
    try:
        (choice,) = payload["choices"]
        delta = choice["delta"]
        text = delta["content"]
        if text and type(text) is str and _is_alone("content", delta) and _has_nothing_else(payload, choice, one):
            return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
    except (ValueError, KeyError, TypeError):
        pass
    return payload if type(payload) is dict and is_exact(raw) else None


def _is_alone(name: str, delta: dict[str, Any]) -> bool:
    """Return whether ``delta`` says nothing beside ``name``, which is in it."""
    return len(delta) == 1 or all(value is None for other, value in delta.items() if other != name)


def _has_nothing_else(payload: dict[str, Any], choice: dict[str, Any], one: bool) -> bool:
    """Return whether ``payload``, with its only ``choice``, which is choice 0, has nothing beside what that says."""
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


class Choices:
    """The choices of one stream: payloads in, deltas out.

    ``usage`` and ``error`` are the last ones that came, ready to be read. ``plain`` says whether
    an ordinary payload means its text: choice 0 has handed something out, and holds nothing back. ``one`` says
    that the first choice of a payload is choice 0 whatever its index, and the only one.
    """

    __slots__ = ("_chat", "_choices", "_join", "error", "one", "plain", "usage")

    def __init__(self, *, chat: bool, one: bool, join: bool) -> None:
        self._chat = chat
        self.one = one
        self._join = join
        self._choices: dict[int, ChoiceState] = {}
        self.plain = False
        self.usage: Any = None
        self.error: Any = None

    @property
    def finish_reason(self) -> str | None:
        """Choice 0's."""
        choice = self._choices.get(0)
        return choice.finish_reason if choice else None

    @property
    def have_begun(self) -> bool:
        """Whether a choice has begun."""
        return bool(self._choices)

    @property
    def are_finished(self) -> bool:
        """Whether a choice has begun and every one that has is finished."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    def read_arguments(self, payload: Any) -> Delta | None:
        """Return the delta of a payload that is ordinary once a tool call has begun: a piece of its arguments, alone.

        ``None`` says that the payload is of another kind; nothing is taken in then.
        """
        if not self.plain or not self._choices[0].tools.have_begun:
            return None
        try:
            (choice,) = payload["choices"]
            delta = choice["delta"]
            (call,) = delta["tool_calls"]
            index, function = call["index"], call["function"]
            args = function["arguments"]
            if not (type(index) is int and type(args) is str) or call.get("id") or function.get("name"):
                return None
            if not (_is_alone("tool_calls", delta) and _has_nothing_else(payload, choice, self.one)):
                return None
        except (ValueError, KeyError, TypeError):
            return None
        settled = None if has_surrogate(args) else self._choices[0].tools.settle_piece(index, args)
        if settled is None:
            return None
        calls = (ToolCallDelta._made((settled, None, None, args)),)
        return Delta._made((0, None, None, None, None, calls, None, None, None, None, None))

    def settle(self, payload: Any, raw: bytes, *, body: bool = False) -> list[Reading]:
        """Return the readings of the choices of ``payload``, the value of ``raw``; nothing is handed out yet.

        ``body`` says that the payload is a whole response. Raises :class:`~.tools.LimitPassedError`
        where the payload passes a limit.
        """
        choices = payload.get("choices") if isinstance(payload, dict) else None
        if not isinstance(choices, list):
            return []
        document = Document(raw)
        settled = []
        for position, choice in enumerate(_up_to_first(choices) if self.one else choices):
            if isinstance(choice, dict):
                index = 0 if self.one else as_index(choice.get("index"))
                index = position if index is None else index
                reading = Reading(index, self._state(index))
                reading.settle(choice, ("choices", position), document, chat=self._chat, body=body)
                settled.append(reading)
        return settled

    def take(self, settled: list[Reading], payload: Any, raw: bytes) -> list[Delta]:
        """Return the deltas of ``payload``, the value of ``raw``: first its choices, then its usage, then its error."""
        if not isinstance(payload, dict):
            return []
        deltas = [delta for reading in settled for delta in reading.read()]
        first = self._choices.get(0)
        self.plain = first is not None and first.has_handed_out and not first.held
        if self.one and isinstance(payload.get("choices"), list):
            payload = {**payload, "choices": _up_to_first(payload["choices"])}
        document = Document(raw)
        usage = _usage_path(payload)
        if usage:
            self.usage = LazyJson(document, usage, read_kept)
            deltas.append(Delta._made((0, None, None, None, None, (), None, self.usage, None, None, None)))
        error = error_path(payload)
        return deltas if error is None else deltas + self._fail(document, error)

    def read_error(self, raw: bytes) -> list[Delta]:
        """Return the deltas of ``raw``, JSON or plain text that its frame announced as an error."""
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
        """Return the deltas for held halves, which nothing will complete."""
        deltas: list[Delta] = []
        for index, choice in sorted(self._choices.items()):
            if choice.held:
                reading = Reading(index, choice)
                reading.release()
                deltas += reading.hand_out()
        return deltas

    def _fail(self, document: Document, path: Path) -> list[Delta]:
        """Return the delta of the provider's error at ``path``, after those for held halves."""
        self.error = LazyJson(document, path, read_error)
        return [*self.flush(), Delta._made((0, None, None, None, None, (), None, None, self.error, None, None))]

    def _state(self, index: int) -> ChoiceState:
        """Return the choice ``index``, which has begun with this if it had not."""
        state = self._choices.get(index)
        if state is None:
            if len(self._choices) == MAX_CHOICES:
                raise LimitPassedError(f"the stream has more than {MAX_CHOICES} choices")
            state = self._choices[index] = ChoiceState(self._join)
        return state


def _string(value: Any) -> str | None:
    """Return ``value`` if it is a string with something in it, whole code points only."""
    return join_surrogates(value) if isinstance(value, str) and value else None


def _up_to_first(choices: list[Any]) -> list[Any]:
    """Return ``choices`` up to the first one."""
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
