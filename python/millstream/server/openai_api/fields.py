"""Checks the types of a request's fields, so that a mistake is a 400 that names the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import RequestError, missing_model

__all__ = ("check_fields", "read_list", "read_object", "read_text", "unsupported_tool", "wrong_type")

_Check = tuple[str, Callable[[Any], bool]]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


_NUMBER: _Check = ("a number", _is_number)
_INTEGER: _Check = ("an integer", _is_integer)
_COUNT: _Check = ("an integer above 0", lambda value: _is_integer(value) and value > 0)
_FLAG: _Check = ("true or false", lambda value: isinstance(value, bool))
_TEXT: _Check = ("a string", _is_text)
_OBJECT: _Check = ("an object", _is_object)
_OBJECTS: _Check = ("a list of objects", _is_objects)
_CHOICE: _Check = ("a string or an object", lambda value: _is_text(value) or _is_object(value))
_STOP: _Check = ("a string or a list of strings", lambda value: _is_text(value) or _is_texts(value))

_SAMPLING: dict[str, _Check] = {
    **dict.fromkeys(("temperature", "top_p", "frequency_penalty", "presence_penalty"), _NUMBER),
    **{"seed": _INTEGER, "n": _COUNT, "stream": _FLAG, "stream_options": _OBJECT, "user": _TEXT, "model": _TEXT},
    **{"metadata": _OBJECT, "logit_bias": _OBJECT, "service_tier": _TEXT, "store": _FLAG},
}
_FIELDS: dict[str, dict[str, _Check]] = {
    "chat": {
        **_SAMPLING,
        **{"messages": _OBJECTS, "max_tokens": _COUNT, "max_completion_tokens": _COUNT, "stop": _STOP},
        **{"tools": _OBJECTS, "tool_choice": _CHOICE, "parallel_tool_calls": _FLAG, "response_format": _OBJECT},
        **{"functions": _OBJECTS, "function_call": _CHOICE, "logprobs": _FLAG, "top_logprobs": _INTEGER},
        **{"modalities": ("a list of strings", _is_texts), "audio": _OBJECT, "reasoning_effort": _TEXT},
        **{"verbosity": _TEXT, "web_search_options": _OBJECT},
    },
    "completions": {
        **_SAMPLING,
        **{"max_tokens": ("an integer of 0 or more", lambda value: _is_integer(value) and value >= 0)},
        **{"stop": _STOP, "echo": _FLAG, "suffix": _TEXT, "best_of": _COUNT, "logprobs": _INTEGER},
    },
    "responses": {
        **_SAMPLING,
        **{"max_output_tokens": _COUNT, "instructions": _TEXT, "tools": _OBJECTS, "tool_choice": _CHOICE},
        **{"text": _OBJECT, "reasoning": _OBJECT, "include": ("a list of strings", _is_texts)},
        **{"parallel_tool_calls": _FLAG, "top_logprobs": _INTEGER, "background": _FLAG},
    },
}


def check_fields(api: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of ``body`` that are not null; a field of another type raises :class:`RequestError`."""
    checks = _FIELDS[api]
    fields = {name: value for name, value in body.items() if value is not None}
    for name, value in fields.items():
        wanted, is_right = checks.get(name, ("", None))
        if is_right is not None and not is_right(value):
            raise wrong_type(name, wanted)
    if not fields.get("model"):
        raise missing_model()
    return fields


def read_text(value: object, param: str) -> str:
    """Return ``value`` if it is a text; raise :class:`RequestError` otherwise."""
    if not isinstance(value, str):
        raise wrong_type(param, "a string")
    return value


def read_object(value: object, param: str) -> dict[str, Any]:
    """Return ``value`` if it is an object; raise :class:`RequestError` otherwise."""
    if not isinstance(value, dict):
        raise wrong_type(param, "an object")
    return value


def read_list(value: object, param: str) -> list[Any]:
    """Return ``value`` if it is a list with items; raise :class:`RequestError` otherwise."""
    if not isinstance(value, list):
        raise wrong_type(param, "a list")
    if not value:
        raise RequestError(f"Invalid '{param}': the list must not be empty.", param=param, code="empty_array")
    return value


def wrong_type(param: str, expected: str) -> RequestError:
    """Return the error for a field of another type than ``expected``."""
    return RequestError(f"Invalid type for '{param}': expected {expected}.", param=param, code="invalid_type")


def unsupported_tool(tool: Mapping[str, Any], param: str) -> RequestError:
    """Return the error for a tool that is not a function."""
    message = f"Tools of the type {tool.get('type')!r} are not supported: declare functions."
    return RequestError(message, param=f"{param}.type", code="unsupported_value")
