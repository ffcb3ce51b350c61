"""Payloads that differ from an earlier one in a few strings, which is how a model's text arrives.

A :class:`Shape` is learned from a payload: its JSON as literal pieces with a *hole* at each string that is
expected to change, and the object that it became as a tree of dictionaries to copy. A payload that has the
same pieces becomes an object without being parsed.

The pieces decide what is parsed: the state of a JSON parser after a piece that ends in an opening quote
depends on that piece alone, and a hole is read by the function with which ``json`` reads strings. The tree is not
derived from the JSON but taken from an object that was built from it, with a marker in each hole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from json import decoder
from typing import Any

from openai._models import BaseModel

from .models import make_object

__all__ = ("Shape", "Shapes", "learn_shape")

# The keys whose strings change from payload to payload.
_HOLE = re.compile(
    r'"(?:arguments|content|obfuscation|reasoning|reasoning_content|refusal|text)"\s*:\s*"(?=((?:[^"\\]|\\.)*)")'
)
# Reads a JSON string from its first character on: returns it and the index after its closing quote.
_scan: Callable[[str, int, bool], tuple[str, int]] = vars(decoder)["scanstring"]
_MAX_HOLES = 8
_MAX_SHAPES = 4
_CREDIT = 8
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONSTANTS = (str, int, float, bool, type(None))


class _Template:
    """How one object of a model is made: dictionaries to copy, and the entries to set in the copies."""

    __slots__ = ("extra", "fields", "fields_set", "lists", "made", "model", "objects", "plain", "texts", "texts_extra")

    def __init__(self, made: BaseModel, markers: Sequence[str]) -> None:
        if made.__pydantic_private__ is not None or type(made.__pydantic_fields_set__) is not set:
            raise _NotAShapeError
        self.model = type(made)
        self.fields = dict(made.__dict__)
        self.fields_set = set(made.__pydantic_fields_set__)
        self.extra = dict(made.__pydantic_extra__ or {})
        self.texts: list[tuple[str, int]] = []
        self.texts_extra: list[tuple[str, int]] = []
        self.objects: list[tuple[str, _Template]] = []
        self.lists: list[tuple[str, list[_Template]]] = []
        self.plain: list[tuple[str, Any]] = []
        for key, value in self.fields.items():
            if type(value) is str and value in markers:
                self._check_text_field(key)
                self.texts.append((key, markers.index(value)))
            elif isinstance(value, BaseModel):
                self.objects.append((key, _Template(value, markers)))
            elif type(value) is list and all(isinstance(item, BaseModel) for item in value):
                self.lists.append((key, [_Template(item, markers) for item in value]))
            elif type(value) not in _CONSTANTS:
                raise _NotAShapeError
        for key, value in self.extra.items():
            if type(value) is str and value in markers:
                self.texts_extra.append((key, markers.index(value)))
            elif type(value) not in _CONSTANTS:
                self.plain.append((key, value))

    def _check_text_field(self, key: str) -> None:
        """Raise unless the field keeps every string as it is."""
        field = self.model.model_fields[key]
        if field.metadata or field.annotation not in (str, str | None):
            raise _NotAShapeError

    def make(self, texts: list[str]) -> Any:
        """Return a new object, with ``texts`` in the holes."""
        fields = self.fields.copy()
        extra = self.extra.copy()
        for key, hole in self.texts:
            fields[key] = texts[hole]
        for key, hole in self.texts_extra:
            extra[key] = texts[hole]
        for key, template in self.objects:
            fields[key] = template.make(texts)
        for key, templates in self.lists:
            fields[key] = [template.make(texts) for template in templates]
        for key, value in self.plain:
            extra[key] = _copy(value)
        return make_object(self.model, fields, self.fields_set.copy(), extra)

    def holes(self) -> list[int]:
        """Return the numbers of the holes in the whole tree."""
        holes = [hole for _, hole in self.texts + self.texts_extra]
        for _, template in self.objects:
            holes += template.holes()
        for _, templates in self.lists:
            for template in templates:
                holes += template.holes()
        return holes


class _NotAShapeError(Exception):
    """An object is not made of copies of dictionaries alone."""


class Shape:
    """The pieces of a payload around its holes, and how its object is made."""

    __slots__ = ("_end", "_pieces", "_template")

    def __init__(self, pieces: Sequence[str], template: _Template) -> None:
        *leading, self._end = pieces
        self._pieces = [(piece, len(piece)) for piece in leading]
        self._template = template

    def read(self, payload: str) -> Any:
        """Return the object of ``payload``, or ``None`` if it has another shape."""
        at = 0
        texts = []
        for piece, length in self._pieces:
            if not payload.startswith(piece, at):
                return None
            begin = at + length
            try:
                text, at = _scan(payload, begin, True)
            except ValueError:
                return None
            # Half of a character can only come from an escape, and pydantic does not accept it.
            if at - begin != len(text) + 1 and _SURROGATE.search(text):
                return None
            texts.append(text)
        if payload[at:] != self._end:
            return None
        return self._template.make(texts)


def learn_shape(payload: str, build: Callable[[Any], Any]) -> Shape | None:
    """Return the shape of ``payload``, or ``None`` if it has none; ``build`` returns the object of its JSON."""
    pieces: list[str] = []
    at = 0
    for match in _HOLE.finditer(payload):
        pieces.append(payload[at : match.end()])
        at = match.end(1)
        if len(pieces) == _MAX_HOLES:
            break
    if not pieces:
        return None
    # Each piece after the first begins with the closing quote of a hole.
    pieces.append(payload[at:])
    markers = [f"hole {number} of {len(pieces) - 1}" for number in range(len(pieces) - 1)]
    if any(marker in payload for marker in markers):
        return None
    marked = "".join([piece + marker for piece, marker in zip(pieces, markers, strict=False)] + [pieces[-1]])
    try:
        template = _Template(build(json.loads(marked)), markers)
    except (_NotAShapeError, ValueError):
        return None
    # A marker in a key, or in an object inside of an unknown field, is not found.
    if sorted(template.holes()) != list(range(len(markers))):
        return None
    return Shape([pieces[0], *(piece[1:] for piece in pieces[1:])], template)


class Shapes:
    """The shapes of one stream, the last one that fitted first.

    A shape that is learned and never fits costs as much as some payloads. So learning stops in a stream whose
    payloads differ in more than their text.
    """

    __slots__ = ("_build", "_credit", "_shapes")

    def __init__(self, build: Callable[[Any], Any]) -> None:
        self._build = build
        self._shapes: list[Shape] = []
        self._credit = _CREDIT

    def read(self, payload: str) -> Any:
        """Return the object of ``payload``, or ``None`` if it has no known shape."""
        shapes = self._shapes
        for place, shape in enumerate(shapes):
            made = shape.read(payload)
            if made is not None:
                if place:
                    shapes.insert(0, shapes.pop(place))
                self._credit = _CREDIT
                return made
        return None

    def learn(self, payload: str) -> None:
        """Keep the shape of ``payload``, which was valid JSON, if it has one."""
        if self._credit:
            self._credit -= 1
            shape = learn_shape(payload, self._build)
            if shape is not None:
                self._shapes = [shape, *self._shapes[: _MAX_SHAPES - 1]]


def _copy(value: Any) -> Any:
    """Return a copy of a JSON value."""
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if type(value) is list else value
