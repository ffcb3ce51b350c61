"""The choices of one stream: their state between payloads, and what a payload has for each."""

import json
from itertools import groupby
from operator import itemgetter

from ..._provider_errors import error_path
from ..._values import has_surrogate, read_error
from ..json import Document, LazyJson, Path, read
from ..text import is_high, join_surrogates
from . import Delta, ToolCallDelta
from .shape import Choice, Payload
from .tools import Entry, LimitPassedError, Tools

__all__ = ("MAX_CHOICES", "Choices", "Reading")

MAX_CHOICES = 1024
"""How many choices one stream may have."""


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
    """What one payload has for one choice.

    :meth:`settle` finds the tool calls that its entries belong to. It is called for all choices of a
    payload, which may pass a limit, before :meth:`read` returns the deltas of any.
    """

    __slots__ = (
        *("_choice", "_deltas", "_entries", "_is_repeated", "_state"),
        *("finish_reason", "reasoning", "refusal", "role", "text", "tools"),
    )

    def __init__(self, choice: Choice, state: ChoiceState) -> None:
        self._choice = choice
        self._state = state
        self._is_repeated = choice.may_repeat and state.has_handed_out
        self._entries: list[Entry] = []
        self._deltas: list[Delta] = []
        self.role: str | None = None
        self.text = self.reasoning = self.refusal = ""
        self.tools: list[ToolCallDelta] = []
        self.finish_reason: str | None = None

    def settle(self) -> None:
        """Find which tool calls the entries belong to; nothing is handed out.

        Raises :class:`~.tools.LimitPassedError`.
        """
        if not self._is_repeated:
            settle, is_whole = self._state.tools.settle, self._choice.is_whole
            self._entries = [settle(entry, is_whole=is_whole) for entry in self._choice.entries]

    def read(self) -> list[Delta]:
        """Return the deltas of the choice."""
        if not self._is_repeated:
            self._read_message()
        reason = self._choice.finish_reason
        if reason is not None and reason != self._state.finish_reason:
            self._state.finish_reason = self.finish_reason = reason
            self.release()
        return self.hand_out(is_last=True)

    def _read_message(self) -> None:
        choice, state = self._choice, self._state
        self.role = choice.role
        for piece in choice.reasoning:
            self.reasoning += state.whole_piece("reasoning", piece)
        for piece in choice.refusal:
            self.refusal += state.whole_piece("refusal", piece)
        self._read_content()
        for entry in self._entries:
            self._add_tool(entry)

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

    def hand_out(self, *, is_last: bool) -> list[Delta]:
        """Return the deltas: one, or one for each run of pieces, or none where there was nothing.

        What belongs to no piece comes with the last one.
        """
        fields = (self.role, self.text or None, self.reasoning or None, self.refusal or None, tuple(self.tools))
        logprobs = self._choice.logprobs if is_last else None
        audio = self._choice.audio if is_last and not self._is_repeated else None
        if any(fields) or self.finish_reason or logprobs or audio:
            ends = (self.finish_reason, None, None, logprobs, audio)
            self._deltas.append(Delta._made((self._choice.index, *fields, *ends)))
            self._state.has_handed_out = True
        return self._deltas

    def _read_content(self) -> None:
        """Take in the content; where the kind of its pieces changes, the text so far becomes a delta of its own."""
        is_first = True
        for field, pieces in groupby(self._choice.content, itemgetter(0)):
            if not is_first:
                self.hand_out(is_last=False)
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


class Choices:
    """The choices of one stream: what payloads have in, deltas out.

    ``usage`` and ``error`` are the last ones that came, ready to be read. ``plain`` says whether
    an ordinary payload means its text: choice 0 has handed something out, and holds nothing back.
    """

    __slots__ = ("_choices", "_join", "error", "plain", "usage")

    def __init__(self, *, join: bool) -> None:
        self._join = join
        self._choices: dict[int, ChoiceState] = {}
        self.plain = False
        self.usage: LazyJson | None = None
        self.error: LazyJson | None = None

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

    @property
    def take_arguments(self) -> bool:
        """Whether a piece of a tool call's arguments, alone in its payload, is an ordinary payload."""
        return self.plain and self._choices[0].tools.have_begun

    def read_arguments(self, index: int, args: str) -> Delta | None:
        """Return the delta of ``args``, a piece of the arguments of choice 0's call ``index``.

        ``None`` says that it has to be read with more care; nothing is taken in then.
        """
        settled = None if has_surrogate(args) else self._choices[0].tools.settle_piece(index, args)
        if settled is None:
            return None
        calls = (ToolCallDelta._made((settled, None, None, args)),)
        return Delta._made((0, None, None, None, None, calls, None, None, None, None, None))

    def settle(self, choices: list[Choice]) -> list[Reading]:
        """Return the readings of ``choices``, those of one payload; nothing is handed out yet.

        Raises :class:`~.tools.LimitPassedError` where the payload passes a limit.
        """
        settled = []
        for choice in choices:
            reading = Reading(choice, self._state(choice.index))
            reading.settle()
            settled.append(reading)
        return settled

    def take(self, settled: list[Reading], payload: Payload) -> list[Delta]:
        """Return the deltas of ``payload``: first its choices, then its usage, then its error."""
        deltas = [delta for reading in settled for delta in reading.read()]
        first = self._choices.get(0)
        self.plain = first is not None and first.has_handed_out and not first.held
        if payload.usage is not None:
            self.usage = payload.usage
            deltas.append(Delta._made((0, None, None, None, None, (), None, self.usage, None, None, None)))
        return deltas if payload.error is None else deltas + self.fail(payload.error)

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
        return self.fail(LazyJson(Document(raw), path, read_error))

    def flush(self) -> list[Delta]:
        """Return the deltas for held halves, which nothing will complete."""
        deltas: list[Delta] = []
        for index, state in sorted(self._choices.items()):
            if state.held:
                reading = Reading(Choice(index), state)
                reading.release()
                deltas += reading.hand_out(is_last=True)
        return deltas

    def fail(self, error: LazyJson) -> list[Delta]:
        """Return the delta of the provider's ``error``, after those for held halves."""
        self.error = error
        return [*self.flush(), Delta._made((0, None, None, None, None, (), None, None, error, None, None))]

    def _state(self, index: int) -> ChoiceState:
        """Return the choice ``index``, which has begun with this if it had not."""
        state = self._choices.get(index)
        if state is None:
            if len(self._choices) == MAX_CHOICES:
                raise LimitPassedError(f"the stream has more than {MAX_CHOICES} choices")
            state = self._choices[index] = ChoiceState(self._join)
        return state
