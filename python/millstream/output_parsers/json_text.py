"""JSON in the text of a model, read by functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .._backend import JSONAssembler
from ..exceptions import OutputParserException

__all__ = ("parse_and_check_json_markdown", "parse_json_markdown", "parse_partial_json")

_FENCE = "```"
_AROUND = " \n\r\t`"


def parse_partial_json(s: str, *, strict: bool = False) -> Any:
    """Return the value of ``s``: JSON, the beginning of it, or such with other text after it.

    ``strict`` refuses control characters in strings. Raises :class:`json.JSONDecodeError` if no value has begun.
    """
    try:
        return json.loads(s, strict=strict)
    except json.JSONDecodeError as error:
        document = JSONAssembler(strict=strict)
        document.feed(s)
        if not document.started:
            raise error
        return document.value


def parse_json_markdown(json_string: str, *, parser: Callable[[str], Any] = parse_partial_json) -> Any:
    """Return the value that ``parser`` reads in ``json_string``: in the whole text, or else after its first fence.

    Raises :class:`json.JSONDecodeError` if there is no JSON.
    """
    try:
        return parser(json_string.strip(_AROUND))
    except json.JSONDecodeError:
        before, fence, after = json_string.partition(_FENCE)
        return parser((after.removeprefix("json") if fence else before).strip(_AROUND))


def parse_and_check_json_markdown(text: str, expected_keys: list[str]) -> dict[str, Any]:
    """Return the object in ``text``, which must have the keys ``expected_keys``.

    Raises :class:`~millstream.exceptions.OutputParserException` if the text has no object, or not these keys.
    """
    try:
        found = parse_json_markdown(text)
    except json.JSONDecodeError as error:
        raise OutputParserException(f"Got invalid JSON object. Error: {error}") from error
    if not isinstance(found, dict):
        raise OutputParserException(f"Expected JSON object (dict), but got: {type(found).__name__}. ", llm_output=text)
    for key in expected_keys:
        if key not in found:
            raise OutputParserException(
                f"Got invalid return object. Expected key `{key}` to be present, but got {found}"
            )
    return found
