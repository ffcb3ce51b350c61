"""Validates the body of a request as the OpenAI API does: types and a few ranges."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ("check_body",)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_stop(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and len(value) <= 4 and all(isinstance(one, str) for one in value)
    )


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _is_tool_choice(value: Any) -> bool:
    return isinstance(value, str | dict)


_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("temperature",), ("a number from 0 to 2", lambda value: _is_number(value) and 0 <= value <= 2)),
    **dict.fromkeys(("top_p",), ("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)),
    **dict.fromkeys(
        ("presence_penalty", "frequency_penalty"),
        ("a number from -2 to 2", lambda value: _is_number(value) and -2 <= value <= 2),
    ),
    **dict.fromkeys(("seed",), ("an integer", _is_integer)),
    **dict.fromkeys(
        ("max_tokens", "max_completion_tokens"), ("an integer above 0", lambda value: _is_integer(value) and value > 0)
    ),
    "n": ("an integer from 1 to 128", lambda value: _is_integer(value) and 1 <= value <= 128),
    "model": ("a string", lambda value: isinstance(value, str)),
    "stop": ("a string or a list of up to 4 strings", _is_stop),
    "stream": ("true or false", lambda value: isinstance(value, bool)),
    "tools": ("a list of objects", _is_list_of_objects),
    "tool_choice": ("a string or an object", _is_tool_choice),
    **dict.fromkeys(
        ("logit_bias", "metadata", "response_format", "stream_options"),
        ("an object", lambda value: isinstance(value, dict)),
    ),
}


def check_body(body: Mapping[str, Any]) -> None:
    """Raise :class:`ValueError` for the first member of ``body`` with a wrong type or range."""
    for name, value in body.items():
        if value is None or name not in _KINDS:
            continue
        wanted, is_right = _KINDS[name]
        if not is_right(value):
            raise ValueError(f"{name} must be {wanted}")
