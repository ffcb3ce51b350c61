"""JSON in the text of a model, read by functions, and the changes between two documents as a JSON Patch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .._backend import JSONAssembler
from ..exceptions import OutputParserException

__all__ = ("make_patch", "parse_and_check_json_markdown", "parse_json_markdown", "parse_partial_json")

_FENCE = "```"
_ABSENT = object()
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


def make_patch(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return the operations of a JSON Patch (RFC 6902) that turn ``before`` into ``after``."""
    patch: list[dict[str, Any]] = []
    _compare("", before, after, patch)
    return patch


def _compare(path: str, before: Any, after: Any, patch: list[dict[str, Any]]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        patch += [{"op": "remove", "path": f"{path}/{_escape(key)}"} for key in before if key not in after]
        for key, value in after.items():
            _compare_member(f"{path}/{_escape(key)}", before.get(key, _ABSENT), value, patch)
    elif isinstance(before, list) and isinstance(after, list):
        kept = len(after)
        patch += [{"op": "remove", "path": f"{path}/{index}"} for index in range(len(before) - 1, kept - 1, -1)]
        for index, value in enumerate(after):
            _compare_member(f"{path}/{index}", before[index] if index < len(before) else _ABSENT, value, patch)
    elif type(before) is not type(after) or before != after:
        patch.append({"op": "replace", "path": path, "value": after})


def _compare_member(path: str, before: Any, after: Any, patch: list[dict[str, Any]]) -> None:
    if before is _ABSENT:
        patch.append({"op": "add", "path": path, "value": after})
    else:
        _compare(path, before, after, patch)


def _escape(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
