"""Payloads that differ from an earlier one in a few strings and a number, which is how a model's text arrives.

A :class:`Shape` is learned from a payload: its JSON as literal pieces with a *hole* at each value that is
expected to change, and the object that it became as a function that copies its dictionaries. A payload that has
the same pieces becomes an object without being parsed.

The pieces decide what is parsed: the state of a JSON parser after a piece that ends in an opening quote
depends on that piece alone, and a hole is read by the function with which ``json`` reads strings. A hole for a
number takes the digits of an integer, and the piece after it does not begin with a digit. Where the values
go is not derived from the JSON but seen in an object that was built from it, with a marker in each hole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from json import decoder
from operator import itemgetter
from typing import Any

from pydantic import BaseModel

from .._pydantic_object import make_object

__all__ = ("Shape", "Shapes", "learn_shape")

Make = Callable[[list[Any]], Any]

# The keys whose strings change from payload to payload, and the one whose number does.
_HOLE = re.compile(
    r'"(?:arguments|content|delta|obfuscation|partial_json|reasoning|reasoning_content|refusal|text|thinking)"'
    r'\s*:\s*"(?=((?:[^"\\]|\\.)*)")'
    r'|"sequence_number"\s*:\s*(?=(0|[1-9]\d{0,15})(?![\d.eE]))'
)
_NUMBER = re.compile(r"0|[1-9]\d{0,15}(?!\d)")
# The markers of numbers in a payload begin here.
_MARKER = 8_770_000_000_000_000
# Reads a JSON string from its first character on: returns it and the index after its closing quote.
_scan: Callable[[str, int, bool], tuple[str, int]] = vars(decoder)["scanstring"]
# A payload with more characters, or more holes, is not a piece of a model's text.
_MAX_LENGTH = 16384
_MAX_HOLES = 8
_MAX_SHAPES = 4
_CREDIT = 8
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONSTANTS = (str, int, float, bool, type(None))


class _NotAShapeError(Exception):
    """An object is not made of copies of dictionaries alone."""


def _object_maker(like: BaseModel, markers: Sequence[Any], found: list[int]) -> Make:
    """Return a function that makes an object like ``like``; add the holes in it to ``found``."""
    if like.__pydantic_private__ is not None or type(like.__pydantic_fields_set__) is not set:
        raise _NotAShapeError
    model = type(like)
    fields = dict(vars(like))
    extra = dict(like.__pydantic_extra__ or {})
    made_fields = [
        (key, _field_maker(model, key, value, markers, found))
        for key, value in fields.items()
        if type(value) not in _CONSTANTS or value in markers
    ]
    made_extra = [
        (key, _text_maker(value, markers, found) if value in markers else partial(_copy_value, value))
        for key, value in extra.items()
        if type(value) not in _CONSTANTS or value in markers
    ]
    copy_fields, copy_extra, copy_set = fields.copy, extra.copy, like.__pydantic_fields_set__.copy

    def make(texts: list[Any]) -> Any:
        fields = copy_fields()
        for key, make_value in made_fields:
            fields[key] = make_value(texts)
        extra = copy_extra()
        for key, make_value in made_extra:
            extra[key] = make_value(texts)
        return make_object(model, fields, copy_set(), extra)

    return make


def _field_maker(model: type[BaseModel], key: str, value: Any, markers: Sequence[Any], found: list[int]) -> Make:
    """Return a function that makes a value like ``value``, that of the field ``key``."""
    if type(value) in (str, int):
        field = model.model_fields[key]
        # Only such a field keeps every string, or every integer, as it is.
        if not field.metadata and field.annotation in (type(value), type(value) | None):
            return _text_maker(value, markers, found)
    if isinstance(value, BaseModel):
        return _object_maker(value, markers, found)
    if type(value) is list and all(isinstance(item, BaseModel) for item in value):
        return _list_maker([_object_maker(item, markers, found) for item in value])
    raise _NotAShapeError


def _text_maker(marker: Any, markers: Sequence[Any], found: list[int]) -> Make:
    hole = markers.index(marker)
    found.append(hole)
    return itemgetter(hole)


def _list_maker(makers: Sequence[Make]) -> Make:
    if len(makers) == 1:
        (only,) = makers
        return lambda texts: [only(texts)]
    return lambda texts: [make(texts) for make in makers]


def _copy_value(value: Any, texts: object) -> Any:
    """Return a copy of a JSON value."""
    if type(value) is dict:
        return {key: _copy_value(item, texts) for key, item in value.items()}
    return [_copy_value(item, texts) for item in value] if type(value) is list else value


class Shape:
    """The pieces of a payload around its holes, and how its object is made."""

    __slots__ = ("_end", "_make", "_pieces")

    def __init__(self, pieces: Sequence[str], are_numbers: Sequence[bool], make: Make) -> None:
        """Make a shape of one piece more than there are holes; ``are_numbers`` says which kind each hole is."""
        *leading, self._end = pieces
        self._pieces = [(piece, len(piece), number) for piece, number in zip(leading, are_numbers, strict=True)]
        self._make = make

    def read(self, payload: str) -> Any:
        """Return the object of ``payload``, or ``None`` if it has another shape."""
        at = 0
        values: list[Any] = []
        for piece, length, is_number in self._pieces:
            if not payload.startswith(piece, at):
                return None
            begin = at + length
            if is_number:
                if (number := _NUMBER.match(payload, begin)) is None:
                    return None
                values.append(int(number[0]))
                at = number.end()
                continue
            try:
                text, at = _scan(payload, begin, True)
            except ValueError:
                return None
            # Half of a character can only come from an escape, and pydantic does not accept it.
            if at - begin != len(text) + 1 and _SURROGATE.search(text):
                return None
            values.append(text)
        if payload[at:] != self._end:
            return None
        return self._make(values)


def learn_shape(payload: str, build: Callable[[Any], Any]) -> Shape | None:
    """Return the shape of ``payload``, or ``None`` if it has none; ``build`` returns the object of its JSON."""
    if len(payload) > _MAX_LENGTH:
        return None
    pieces: list[str] = []
    are_numbers: list[bool] = []
    at = 0
    for match in _HOLE.finditer(payload):
        pieces.append(payload[at : match.end()])
        are_numbers.append(match[1] is None)
        at = match.end(1 if match[1] is not None else 2)
    if not 0 < len(pieces) <= _MAX_HOLES or all(are_numbers):
        return None
    # Each piece after a string begins with its closing quote.
    pieces.append(payload[at:])
    markers: list[Any] = [
        _MARKER + place if is_number else f"hole {place} of {len(are_numbers)}"
        for place, is_number in enumerate(are_numbers)
    ]
    if any(str(marker) in payload for marker in markers):
        return None
    marked = "".join([f"{piece}{marker}" for piece, marker in zip(pieces, markers, strict=False)] + [pieces[-1]])
    found: list[int] = []
    try:
        make = _object_maker(build(json.loads(marked)), markers, found)
    except (_NotAShapeError, ValueError):
        return None
    # A marker in a key, or in an object inside of an unknown field, is not found.
    if sorted(found) != list(range(len(markers))):
        return None
    literals = [piece if number else piece[1:] for piece, number in zip(pieces[1:], are_numbers, strict=True)]
    return Shape([pieces[0], *literals], are_numbers, make)


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
