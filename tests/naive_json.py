"""What is known of a document that was cut off, in the most obvious way: try every end, close what is open."""

import copy
import json
import re
from typing import Any

__all__ = ("NOTHING", "applied", "known")

NOTHING: Any = object()
_UNPAIRED = re.compile("[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")
_ENDS_IN_HALF = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}|[\ud800-\udbff])$")


def known(text: str, *, strict: bool = True) -> Any:
    """Return the value of the longest beginning of ``text`` that is a document once it is closed, or ``NOTHING``."""
    for end in range(len(text), -1, -1):
        closers = _closers(text[:end])
        begun = _ENDS_IN_HALF.sub("", text[:end]) if closers.startswith('"') else text[:end]
        try:
            return _whole(json.loads(begun + closers, strict=strict, parse_constant=_refuse))
        except ValueError:
            continue
    return NOTHING


def applied(document: Any, patch: list[dict[str, Any]]) -> Any:
    """Return ``document``, which is changed in place, after the operations of ``patch``."""
    root = [document]
    for operation in patch:
        path: str = operation["path"]
        *way, last = ["0", *path.split("/")[1:]]
        parent: Any = root
        for step in way:
            parent = parent[_place(parent, step)]
        place, value = _place(parent, last), copy.deepcopy(operation["value"])
        if operation["op"] == "append":
            parent[place] += value
        elif operation["op"] == "add" and isinstance(parent, list):
            assert place == len(parent)
            parent.append(value)
        else:
            assert operation["op"] == "add" or parent is root or type(parent[place]) in (str, int, float)
            parent[place] = value
    return root[0]


def _place(parent: Any, step: str) -> Any:
    return int(step) if isinstance(parent, list) else step.replace("~1", "/").replace("~0", "~")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _closers(text: str) -> str:
    """Return what closes the strings, arrays and objects that are open at the end of ``text``."""
    closers: list[str] = []
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = character != '"' or escaped
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            closers.append("]" if character == "[" else "}")
        elif character in "]}" and closers:
            closers.pop()
    return '"' * in_string + "".join(reversed(closers))


def _whole(value: Any) -> Any:
    """Return ``value`` with U+FFFD for every lone surrogate in it, and halves side by side as one character."""
    if isinstance(value, str):
        whole = _UNPAIRED.sub("\ufffd", value)
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
