"""The changes of a document that grows, as operations like those of JSON Patch (RFC 6902)."""

from typing import Any

from .tape import ARRAY, END, OBJECT, Number, Tape, Text, build

__all__ = ("Cursor", "Operation")

Operation = dict[str, Any]
"""``op``, ``path`` (a JSON Pointer) and ``value``."""


class Cursor:
    """The position up to which a tape has been reported."""

    __slots__ = ("_at", "_growing", "_open", "_pieces", "_value")

    def __init__(self) -> None:
        # The tokens before this one were reported. The last of them may have grown since: how many pieces
        # of it were reported, if it is a string, and its value, if it was a number that might go on.
        self._at = 0
        self._pieces = 0
        self._growing: Number | None = None
        self._value: int | float = 0
        # For each container that is open there: the position, or the key, that was reported last.
        self._open: list[int | str] = []

    def changes(self, tape: Tape, *, append: bool) -> list[Operation]:
        """Return the changes since the last call; ``append`` says how a string that grew is reported."""
        changes = self._change_last(tape, append)
        while self._at < len(tape) and not self._is_lone_key(tape):
            if _is_value(tape[self._at]):
                changes.append(self._add_value(tape))
            else:
                self._skip(tape)
        last = tape[self._at - 1] if self._at else None
        if isinstance(last, Text):
            self._pieces = len(last.pieces)
        self._growing = last if isinstance(last, Number) and last.grows else None
        if self._growing is not None:
            self._value = self._growing.value()
        return changes

    def _change_last(self, tape: Tape, append: bool) -> list[Operation]:
        """Return the change of the last token reported: a string that grew, or a number whose value changed."""
        last = tape[self._at - 1] if self._at else None
        if isinstance(last, Text) and len(last.pieces) > self._pieces:
            if append:
                return [self._operation("append", last.since(self._pieces))]
            return [self._operation("replace", last.since(0))]
        if self._growing is not None and (value := self._growing.value()) != self._value:
            return [self._operation("replace", value)]
        return []

    def _add_value(self, tape: Tape) -> Operation:
        """Return the change for a new value, with everything in it."""
        place, depth = self._at, len(self._open)
        self._count()
        added = self._operation("add" if depth else "replace", build(tape, place))
        self._begin(tape)
        while len(self._open) > depth and self._at < len(tape) and not self._is_lone_key(tape):
            if _is_value(tape[self._at]):
                self._count()
                self._begin(tape)
            else:
                self._skip(tape)
        return added

    def _is_lone_key(self, tape: Tape) -> bool:
        """Return whether the next token is a key whose value has not begun."""
        token = tape[self._at]
        return isinstance(token, Text) and token.is_key and self._at + 1 == len(tape)

    def _skip(self, tape: Tape) -> None:
        """Pass over the end of a container, or over a key."""
        token = tape[self._at]
        if token is END:
            self._open.pop()
        else:
            self._open[-1] = token.since(0)
        self._at += 1

    def _begin(self, tape: Tape) -> None:
        """Pass over the first token of a value."""
        token = tape[self._at]
        if token is ARRAY:
            self._open.append(-1)
        elif token is OBJECT:
            self._open.append("")
        self._at += 1

    def _count(self) -> None:
        """Count a value that begins, if it is an array's."""
        if self._open and isinstance(position := self._open[-1], int):
            self._open[-1] = position + 1

    def _operation(self, name: str, value: Any) -> Operation:
        """Return an operation on the value reported last."""
        return {"op": name, "path": "".join([f"/{_escape(step)}" for step in self._open]), "value": value}


def _is_value(token: Any) -> bool:
    return token is not END and not (isinstance(token, Text) and token.is_key)


def _escape(step: int | str) -> int | str:
    """Return a step of a path, encoded.

    "the characters '~' (%x7E) and '/' (%x2F) [...] need to be encoded as '~0' and '~1'"
    """
    return step.replace("~", "~0").replace("/", "~1") if isinstance(step, str) else step
