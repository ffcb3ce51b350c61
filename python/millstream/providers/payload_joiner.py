"""``PayloadJoiner``: payloads of one stream as values, with characters whose halves came in two payloads made whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from json import JSONDecoder
from typing import Any, NamedTuple

from .._values import read_kept, replace_halves, whole_text

__all__ = ("MAX_HELD", "PayloadJoiner")

MAX_HELD = 1024
"""How many strings of a stream may wait for the second half of a character."""

# An escaped half of a character without the other. It cannot arrive in another form: the bytes of a stream are UTF-8.
_HIGH, _LOW = r"\\u[dD][89abAB]..", r"\\u[dD][c-fC-F]"
_HALF = re.compile(f"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")
# Called for most payloads, this spares what `JSONDecoder.decode` does for white space.
_scan: Callable[[str, int], tuple[Any, int]] = vars(JSONDecoder())["scan_once"]
_SCANNED_SIZE = 1 << 16

# The members that say which string of an answer a piece belongs to.
_PLACES = ("type", "index", "output_index", "content_index", "summary_index")
# The members that a payload keeps that is made for a half that is not joined, below its top.
_KEPT = frozenset({"type", "index", "role", "thought"})

_Object = Mapping[str, Any]


class _Piece(NamedTuple):
    """A string in a payload: where it belongs, and the objects and lists that lead to it, each with its key."""

    place: tuple[Any, ...]
    steps: tuple[tuple[Any, Any], ...]

    @property
    def text(self) -> Any:
        """The string, or what stands in its place."""
        holder, name = self.steps[-1]
        return holder.get(name)

    def set(self, text: str) -> None:
        """Replace the string."""
        holder, name = self.steps[-1]
        holder[name] = text

    def alone(self, text: str) -> dict[str, Any]:
        """Return a payload that has ``text`` in place of the string, and nothing else but what places it."""
        value: Any = text
        for depth, (holder, name) in reversed([*enumerate(self.steps)]):
            if isinstance(holder, list):
                value = [value]
                continue
            kept = {
                key: item
                for key, item in holder.items()
                if (key in _KEPT if depth else isinstance(item, str | int | float))
            }
            value = {**kept, name: value}
        payload: dict[str, Any] = value
        return payload


class _Rule(NamedTuple):
    """Which strings of a format come in pieces.

    ``fields`` are paths, with ``*`` for each element of a list. ``is_text`` returns whether a string, by the payload
    and the object that has it, is the answer's text: the decoder joins that over payloads. ``is_end`` returns whether
    no piece follows a payload, for the strings that are in the same place as far as the payload has one.
    """

    fields: tuple[str, ...]
    is_end: Callable[[_Object], bool]
    is_text: Callable[[_Object, _Object], bool] = lambda payload, holder: False


def _any_has(payload: _Object, member: str, reason: str) -> bool:
    """Return whether an element of the list ``member`` has a ``reason``."""
    elements = payload.get(member)
    return isinstance(elements, list) and any(isinstance(one, dict) and one.get(reason) for one in elements)


_RULES: dict[str, _Rule] = {
    "anthropic.messages": _Rule(
        ("delta.thinking", "delta.partial_json", "delta.content"),
        lambda payload: payload.get("type") in ("content_block_stop", "message_delta"),
    ),
    "openai.responses": _Rule(
        ("delta",),
        lambda payload: str(payload.get("type")).endswith((".done", ".completed", ".incomplete", ".failed")),
        lambda payload, holder: payload.get("type") == "response.output_text.delta",
    ),
    "openai.chat": _Rule(
        (
            "choices.*.delta.reasoning_content",
            "choices.*.delta.reasoning",
            "choices.*.delta.refusal",
            "choices.*.delta.tool_calls.*.function.arguments",
            "choices.*.delta.function_call.arguments",
        ),
        lambda payload: _any_has(payload, "choices", "finish_reason"),
    ),
    "gemini.generate": _Rule(
        ("candidates.*.content.parts.*.text",),
        lambda payload: _any_has(payload, "candidates", "finishReason"),
        lambda payload, holder: not holder.get("thought"),
    ),
    "ollama.chat": _Rule(("message.thinking",), lambda payload: payload.get("done") is True),
}


class PayloadJoiner:
    """Reads the payloads of one stream of ``format``, whose texts the decoder has joined already.

    JSON may write half of a character, and a string that comes in pieces may be cut there. The first half is held back
    until the next piece of the same string; it becomes U+FFFD where that does not begin with the second half, and
    where no piece follows. Other halves become U+FFFD. ``load`` reads a payload without halves.
    """

    __slots__ = ("_held", "_load", "_rule")

    def __init__(self, format: str, load: Callable[[str], Any] | None = None) -> None:
        self._rule = _RULES.get(format)
        self._load = load or _read_payload
        # The pieces that ended in a first half, and this half.
        self._held: dict[tuple[Any, ...], tuple[_Piece, str]] = {}

    def read(self, raw: str) -> Sequence[Any]:
        """Return the value of the payload ``raw``, after payloads for the halves that it ends the wait of."""
        if not self._held and ("\\u" not in raw or _HALF.search(raw) is None):
            return (self._load(raw),)
        payload = read_kept(raw, keep_halves=True)
        if self._rule is None or not isinstance(payload, dict):
            return (replace_halves(payload),)
        is_end = self._rule.is_end(payload)
        self._join(payload, self._rule, is_end=is_end)
        ended = self._release(payload) if is_end and self._held else ()
        return (*ended, replace_halves(payload))

    def finish(self) -> Sequence[Any]:
        """Return payloads for the halves that are left when the stream ends."""
        return self._release({})

    def _join(self, payload: dict[str, Any], rule: _Rule, *, is_end: bool) -> None:
        """Join the halves in ``payload`` to those before, and hold back the first halves at the ends of its pieces."""
        place = tuple(_as_key(payload.get(name)) for name in _PLACES)
        # Texts are joined inside of the payload alone.
        texts: dict[tuple[Any, ...], tuple[_Piece, str]] = {}
        for field in rule.fields:
            for piece in _find_pieces(payload, tuple(field.split(".")), (*place, field), ()):
                text = piece.text
                if isinstance(text, str) and text:
                    held = texts if rule.is_text(payload, piece.steps[-1][0]) else self._held
                    piece.set(_join_piece(piece, text, held))
        for piece, half in texts.values():
            piece.set(piece.text + half)
        if is_end:
            for key, (piece, half) in [*self._held.items()]:
                if piece.steps[0][0] is payload:
                    piece.set(piece.text + half)
                    del self._held[key]

    def _release(self, end: _Object) -> Sequence[Any]:
        """Return payloads of U+FFFD for the halves that are held back in the place of ``end``."""
        released = [key for key, (piece, _) in self._held.items() if _is_in_place(piece.steps[0][0], end)]
        return [replace_halves(piece.alone(half)) for piece, half in map(self._held.pop, released)]


def _read_payload(raw: str) -> Any:
    if len(raw) <= _SCANNED_SIZE:
        try:
            return _scan(raw, 0)[0]
        except (ValueError, StopIteration, RecursionError):
            # An integer may have more digits than Python reads.
            pass
    return read_kept(raw)


def _join_piece(piece: _Piece, text: str, held: dict[tuple[Any, ...], tuple[_Piece, str]]) -> str:
    """Return ``text``, that of ``piece``, in whole characters: with the half before it, without one at its end."""
    before = held.pop(piece.place, None)
    if before is not None:
        text = before[1] + text
    if "\ud800" <= text[-1] <= "\udbff" and len(held) < MAX_HELD:
        held[piece.place] = piece, text[-1]
        text = text[:-1]
    return whole_text(text)


def _find_pieces(
    value: Any, path: tuple[str, ...], place: tuple[Any, ...], steps: tuple[tuple[Any, Any], ...]
) -> Iterator[_Piece]:
    """Yield the pieces at ``path`` in ``value``, which ``steps`` lead to."""
    name, *rest = path
    if name == "*":
        for at, element in enumerate(value if isinstance(value, list) else ()):
            if isinstance(element, dict):
                inner = *place, _as_key(element.get("index")), bool(element.get("thought"))
                yield from _find_pieces(element, tuple(rest), inner, (*steps, (value, at)))
    elif isinstance(value, dict) and name in value:
        found = *steps, (value, name)
        if rest:
            yield from _find_pieces(value[name], tuple(rest), place, found)
        else:
            yield _Piece(place, found)


def _is_in_place(payload: _Object, end: _Object) -> bool:
    """Return whether ``payload`` is in the place of ``end``, as far as both have one."""
    names = (name for name in _PLACES[1:] if name in end and name in payload)
    return all(payload[name] == end[name] for name in names)


def _as_key(value: Any) -> Any:
    return value if isinstance(value, str | int) else None
