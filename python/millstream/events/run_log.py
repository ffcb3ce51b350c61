"""The log of a run, as ``astream_log`` streams it: patches, and the states that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pprint import pformat
from typing import Any, TypedDict

from .._typed_dicts import with_pydantic_schema

__all__ = ("LogEntry", "RunLog", "RunLogPatch", "RunState", "apply_patch", "diff", "escape")

Operation = dict[str, Any]
"""``op`` (``add``, ``replace`` or ``remove``), ``path`` (a JSON Pointer) and ``value``, as in JSON Patch (RFC 6902)."""


class _Inputs(TypedDict, total=False):
    inputs: Any


@with_pydantic_schema
class LogEntry(_Inputs):
    """The log of a child run. Times are texts of ISO 8601; the end and the output are ``None`` until then."""

    id: str
    name: str
    type: str
    tags: list[str]
    metadata: dict[str, Any]
    start_time: str
    streamed_output_str: list[str]
    streamed_output: list[Any]
    final_output: Any
    end_time: str | None


@with_pydantic_schema
class RunState(TypedDict):
    """The state of a run: its chunks, their sum, and the child runs under their names."""

    id: str
    streamed_output: list[Any]
    final_output: Any
    name: str
    type: str
    logs: dict[str, LogEntry]


class RunLogPatch:
    """A step of the log: operations on its state, as in JSON Patch. Two patches add up to a :class:`RunLog`."""

    def __init__(self, *ops: Operation) -> None:
        self.ops: list[Operation] = list(ops)

    def __add__(self, other: RunLogPatch) -> RunLog:
        """Return the log after both patches."""
        if type(other) is not RunLogPatch:
            raise TypeError(f"unsupported operand type(s) for +: '{type(self)}' and '{type(other)}'")
        ops = self.ops + other.ops
        return RunLog(*ops, state=apply_patch(self._state(), ops if self._state() is None else other.ops))

    def _state(self) -> Any:
        return None

    def __repr__(self) -> str:
        """Show the operations."""
        return f"RunLogPatch({pformat(self.ops)[1:-1]})"

    def __eq__(self, other: object) -> bool:
        """Compare the operations."""
        return isinstance(other, RunLogPatch) and self.ops == other.ops

    __hash__ = None  # type: ignore[assignment]


class RunLog(RunLogPatch):
    """All operations so far, and the state that they make. A log never changes: adding a patch makes another one."""

    def __init__(self, *ops: Operation, state: Any) -> None:
        super().__init__(*ops)
        self.state: RunState = state

    def _state(self) -> Any:
        return self.state

    def __repr__(self) -> str:
        """Show the state."""
        return f"RunLog({pformat(self.state)})"

    def __eq__(self, other: object) -> bool:
        """Compare the states and the operations."""
        return isinstance(other, RunLog) and self.state == other.state and super().__eq__(other)


def apply_patch(document: object, ops: Iterable[Operation]) -> Any:
    """Return ``document`` after ``ops``; the two share what the operations do not touch.

    Raises :class:`LookupError` for a path that the document does not have, :class:`ValueError` for an operation
    other than ``add``, ``replace`` and ``remove``.
    """
    for op in ops:
        change = _CHANGES.get(op["op"])
        if change is None:
            raise ValueError(f"the operation must be 'add', 'replace' or 'remove', not {op['op']!r}")
        steps = [step.replace("~1", "/").replace("~0", "~") for step in op["path"].split("/")[1:]]
        document = _apply(document, steps, change, op.get("value"))
    return document


def _apply(document: Any, steps: list[str], change: Callable[[Any, Any, Any], None], value: Any) -> Any:
    """Return a copy of ``document`` with a change at the end of the path ``steps``."""
    if not steps:
        return value
    copy = document.copy()
    key = _key(copy, steps[0])
    if len(steps) == 1:
        change(copy, key, value)
    else:
        copy[key] = _apply(copy[key], steps[1:], change, value)
    return copy


def _key(document: object, step: str) -> Any:
    """Return the key or the position that a step of a path means; ``-`` is the end of a list."""
    if isinstance(document, list):
        return len(document) if step == "-" else int(step)
    return step


def _add(document: Any, key: Any, value: Any) -> None:
    if isinstance(document, list):
        document.insert(key, value)
    else:
        document[key] = value


def _replace(document: Any, key: Any, value: Any) -> None:
    # Raises if there is nothing to replace.
    _ = document[key]
    document[key] = value


def _remove(document: Any, key: Any, value: Any) -> None:
    del document[key]


_CHANGES: dict[str, Callable[[Any, Any, Any], None]] = {"add": _add, "replace": _replace, "remove": _remove}


def diff(old: object, new: object, path: str = "") -> list[Operation]:
    """Return the operations that make ``new`` of ``old``; what is neither a dict nor a list is replaced whole."""
    if old is new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        ops = [{"op": "remove", "path": f"{path}/{escape(key)}"} for key in old if key not in new]
        ops += [{"op": "add", "path": f"{path}/{escape(key)}", "value": new[key]} for key in new if key not in old]
        for key in (key for key in old if key in new):
            ops += diff(old[key], new[key], f"{path}/{escape(key)}")
        return ops
    if isinstance(old, list) and isinstance(new, list):
        ops = []
        for position, (before, after) in enumerate(zip(old, new, strict=False)):
            ops += diff(before, after, f"{path}/{position}")
        ops += [{"op": "remove", "path": f"{path}/{len(new)}"} for _ in old[len(new) :]]
        added = enumerate(new[len(old) :], len(old))
        return ops + [{"op": "add", "path": f"{path}/{position}", "value": value} for position, value in added]
    if _are_equal(old, new):
        return []
    return [{"op": "replace", "path": path, "value": new}]


def escape(key: object) -> str:
    """Return a step of a path, encoded."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _are_equal(old: object, new: object) -> bool:
    try:
        return type(old) is type(new) and bool(old == new)
    except Exception:
        # Arrays and data frames refuse to be true or false.
        return False
