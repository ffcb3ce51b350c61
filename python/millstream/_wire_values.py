"""The arguments of a ``WireWriter``, checked by both halves of the core, and the error for a part that a wire lacks.

Each has one definition, so that both halves raise the same messages. The Rust core imports this module.
"""

from collections.abc import Mapping
from typing import Any

from ._values import check_option, has_surrogate, whole_text
from .errors import UnsupportedError

__all__ = ("WIRES", "check_wire_number", "check_wire_options", "check_wire_text", "unsupported_on_wire")

WIRES = ("ag-ui", "ndjson", "openai.chat", "openai.completions", "openai.responses", "text", "vercel.ui")
"""The wires of a ``WireWriter``."""

# The wires that can carry several choices.
_CHOICE_WIRES = ("ndjson", "openai.chat", "openai.completions")

# The parts of an answer that some wires cannot carry, and what to do.
_INSTEAD = {
    "data": "convert the output to text, or use 'ndjson', 'vercel.ui' or 'ag-ui'",
    "several choices": "write the first choice alone, or use 'openai.chat', 'openai.completions' or 'ndjson'",
    "snapshots": "wait for slow clients, or use 'ndjson' or 'vercel.ui'",
    "snapshots of more than text": "wait for slow clients",
    "sources": "leave them out, or use 'openai.chat', 'openai.responses', 'vercel.ui', 'ag-ui' or 'ndjson'",
}


def check_wire_options(
    wire: object, id: object, created: object, options: Mapping[str, object]
) -> tuple[str, str, int, dict[str, Any]]:
    """Return the arguments of a ``WireWriter`` if they are valid, strings without lone surrogates."""
    name = check_option("wire", wire, WIRES)
    checked: dict[str, Any] = {}
    for option, value in options.items():
        if option in ("include_usage", "all_choices"):
            if not isinstance(value, bool):
                raise TypeError(f"{option} must be a bool, not {type(value).__name__}")
            checked[option] = value
        else:
            checked[option] = check_wire_text(option, value)
    if checked["all_choices"] and name not in _CHOICE_WIRES:
        raise unsupported_on_wire(name, "several choices")
    seconds = check_wire_number("created", created, 0, 2**53 - 1)
    if not (token := check_wire_text("id", id)):
        raise ValueError("id must not be empty")
    return name, token, seconds, checked


def check_wire_number(name: str, value: object, least: int, most: int) -> int:
    """Return ``value``, the argument ``name``, if it is an integer of the range."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {value}")
    return int(value)


def check_wire_text(name: str, value: object) -> str:
    """Return ``value``, the argument ``name``, if it is a string, without lone surrogates."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    return whole_text(value) if has_surrogate(value) else str(value)


def unsupported_on_wire(wire: str, what: str) -> UnsupportedError:
    """Return the error for a part of an answer that ``wire`` cannot carry."""
    return UnsupportedError(f"the wire {wire!r} cannot carry {what}: {_INSTEAD[what]}")
