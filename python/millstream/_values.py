"""Helpers in Python that both halves of the core call: they check arguments, read kept JSON, rebuild pickles.

Each has one definition, so that both halves raise the same messages. The Rust core imports this module.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ._late import late
from ._provider_errors import add_message

if TYPE_CHECKING:
    from json import JSONDecoder

__all__ = (
    "FRAME_SIZE",
    "as_bytes",
    "asks_for_one",
    "check_event_size",
    "check_fields",
    "check_option",
    "describe_seen",
    "escape_line_ends",
    "has_surrogate",
    "max_digits",
    "read_error",
    "read_json",
    "read_kept",
    "rebuild",
    "replace_halves",
    "whole_text",
    "write_kept",
    "write_string",
)

FRAME_SIZE = 512
"""Bytes of a failing frame that an error carries."""

# The fields of each value class: name, type, and for numbers the largest value.
_TEXT = "str or None"
_FIELDS: dict[str, list[tuple[str, str, int | None]]] = {
    "ServerSentEvent": [
        ("event", "str", None),
        ("data", "str", None),
        ("id", "str", None),
        ("retry", "int or None", 2**64 - 1),
    ],
    "ToolCallDelta": [
        ("index", "int", 2**32 - 1),
        ("id", _TEXT, None),
        ("name", _TEXT, None),
        ("args", _TEXT, None),
    ],
    "Delta": [
        ("index", "int", 2**32 - 1),
        *((field, _TEXT, None) for field in ("role", "text", "reasoning", "refusal")),
        ("tool_calls", "tuple", None),
        ("finish_reason", _TEXT, None),
        *((field, "mapping or None", None) for field in ("usage", "error", "logprobs", "audio")),
    ],
}

_SURROGATE = re.compile("[\ud800-\udfff]")

# Each value needs a comma, a bracket or a brace, so their count bounds the values. This many take 100 MB at most.
_MAX_KEPT_VALUES = 1 << 20


def check_event_size(value: object) -> int:
    """Return ``value`` if it is a valid ``max_event_size``: an integer from 1 to the largest size of memory."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"max_event_size must be an int, not {type(value).__name__}")
    # The size of a buffer in memory: 32-bit machines have a smaller limit.
    if not 1 <= value <= sys.maxsize:
        raise ValueError(
            f"max_event_size must be at least 1 and below 2**{sys.maxsize.bit_length()} bytes, not {value}"
        )
    return value


def asks_for_one(n: object) -> bool:
    """Return whether ``n``, the requested number of choices or ``None``, is 1."""
    if n is None:
        return False
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be an integer of at least 1, or None, not {n!r}")
    return n == 1


def check_option(name: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``allowed``, the values of the option ``name``."""
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise ValueError(f"{name} must be one of {choices}, not {value!r}")
    return value


def check_fields(name: str, fields: tuple[Any, ...]) -> None:
    """Raise :class:`TypeError` or :class:`ValueError` if ``fields`` are not valid for the value class ``name``."""
    for (field, expected, most), value in zip(_FIELDS[name], fields, strict=True):
        is_none = value is None and expected.endswith("None")
        cls = (int, str, tuple, Mapping)[("int", "str", "tuple", "mapping").index(expected.split()[0])]
        if not is_none and (not isinstance(value, cls) or isinstance(value, bool)):
            raise TypeError(f"{name}: {field} must be {expected}, not {type(value).__name__}")
        if most is not None and not is_none and not 0 <= value <= most:
            raise ValueError(f"{name}: {field} must be from 0 to {most}, not {value}")


def as_bytes(data: object, method: str = "feed") -> bytes:
    """Return ``data``, the argument of ``method``, as bytes; other buffers are copied. Raises :class:`TypeError`."""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"{method}() takes bytes, not {type(data).__name__}")


def read_json(text: str | bytes, strict: bool = True, *, keep_halves: bool = False) -> Any:
    """Return the value of ``text``, valid JSON, with U+FFFD for each lone surrogate unless ``keep_halves``.

    If not ``strict``, strings may contain control characters.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        try:
            value = _json_decoder(strict).decode(text)
        except ValueError:
            # An integer may have more digits than Python reads.
            value = _json_decoder(strict, _parse_int).decode(text)
        if keep_halves or not ("\\u" in text or has_surrogate(text)):
            return value
        return replace_halves(value)
    except RecursionError:
        from json import JSONDecodeError

        raise JSONDecodeError("JSON nested too deeply", text, 0) from None


@cache
def _json_decoder(strict: bool, parse_int: Callable[[str], Any] | None = None) -> JSONDecoder:
    from json import JSONDecoder

    return JSONDecoder(parse_int=parse_int, strict=strict)


def read_kept(text: str, *, keep_halves: bool = False) -> Any:
    """Return the provider's object from ``text``, valid JSON: usage, log probabilities, an error or a payload.

    One of more than 2**20 values would cost too much memory and time. A mapping with a message that says so is
    returned instead.
    """
    if len(text) > _MAX_KEPT_VALUES and sum(map(text.count, ",[{")) > _MAX_KEPT_VALUES:
        return {"message": f"the provider sent an object of more than {_MAX_KEPT_VALUES} values, which was not read"}
    return read_json(text, keep_halves=keep_halves)


def read_error(text: str) -> dict[str, Any]:
    """Return the provider's error object from ``text``, valid JSON: an object, or a bare string.

    ``message`` is added where it is missing.
    """
    return add_message(read_kept(text))


def describe_seen(
    frames: int, event: str, keys: list[str], head: bytes, missing: str | None, format: str | None
) -> str:
    """Describe the input of a decoder; ``format`` is passed if no frame had fields of that format."""
    words = [f"{frames} frame{'' if frames == 1 else 's'}" if frames else "no frames"]
    if frames and format:
        words.append(f"none with fields of {format}")
    if event:
        words.append(f"the first with the event {event!r}")
    elif keys:
        words.append(f"the first with the keys {', '.join(map(repr, keys))}")
    if missing:
        words.append(missing)
    if not frames:
        words.append(f"beginning with {head!r}" if head else "no bytes")
    return ", ".join(words)


def write_string(text: str) -> bytes:
    """Return ``text``, which has no lone surrogates, as a JSON string in the form of event records."""
    import orjson

    return escape_line_ends(orjson.dumps(text))


def escape_line_ends(document: bytes) -> bytes:
    """Return JSON with U+2028, U+2029 and U+0085 escaped, since many line readers split at them."""
    if document.isascii():
        return document
    if b"\xe2\x80" in document:
        document = document.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return document.replace(b"\xc2\x85", b"\\u0085") if b"\xc2\x85" in document else document


def whole_text(text: str) -> str:
    """Return ``text`` with U+FFFD for every lone surrogate; two halves of a pair become one character."""
    return str.encode(text, "utf-16", "surrogatepass").decode("utf-16", "replace")


def write_kept(value: Any) -> str:
    """Return the JSON text of the object that a user gave as the usage, log probabilities or audio of a delta."""
    import json

    return whole_text(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_json))


def rebuild(name: str, fields: tuple[Any, ...]) -> Any:
    """Return an instance of the value class ``name`` of the half that runs here. Pickles call this."""
    return late(name)(*fields)


def max_digits() -> int:
    """Return the length from which an integer is read as a float: the interpreter's current limit for digits."""
    return sys.get_int_max_str_digits() or sys.maxsize


def _as_json(value: object) -> Any:
    """Return what JSON has for an object of another type."""
    return dict(value) if isinstance(value, Mapping) else str(value)


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) < max_digits() else float(digits)


def has_surrogate(text: str) -> bool:
    """Return whether ``text`` has half a surrogate pair, alone or beside its other half."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def replace_halves(value: object) -> Any:
    """Return ``value``, a value of JSON, with U+FFFD for every lone surrogate in it."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [replace_halves(item) for item in value]
    if isinstance(value, dict):
        return {replace_halves(key): replace_halves(item) for key, item in value.items()}
    return value
