"""``PatchedDocument``: JSON Patches of a document that grows, equal to those of ``jsonpatch.make_patch``.

``jsonpatch`` compares two whole documents. The operations of :meth:`millstream.JSONAssembler.diff` cost what they
change, and only their order differs: ``jsonpatch`` names the new members of an object before the changes inside of
its old ones, and the new elements of an array after those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import groupby
from typing import Any

__all__ = ("PatchedDocument",)

_Operations = Sequence[dict[str, Any]]


class PatchedDocument:
    """A copy of the document after each patch; ``compare`` is LangChain's comparison of two documents.

    LangChain's comparison is called where it alone decides: at the beginning, for a member whose key is there
    already, and for elements of arrays that change together, which can be moved or inserted.
    """

    __slots__ = ("_compare", "value")

    def __init__(self, compare: Callable[[Any, Any], Any]) -> None:
        self._compare = compare
        self.value: Any = None

    def patch(self, operations: _Operations, document: Any) -> Any:
        """Return the patch that ``operations`` make, the changes of ``document``; ``None`` if it is the same now."""
        ordered = None if self.value is None else self._order(operations)
        if ordered is None:
            return self._compare_with(document)
        for operation in ordered:
            parent, key = self._find(operation)
            value = deepcopy(operation["value"])
            if operation["op"] == "add" and isinstance(parent, list):
                parent.append(value)
            else:
                parent[key] = value
        return ordered

    def _compare_with(self, document: Any) -> Any:
        before, value = self.value, document.value
        if value is None or value == before:
            return None
        self.value = document.value
        return self._compare(before, value)

    def _order(self, operations: _Operations) -> list[dict[str, Any]] | None:
        """Return the operations in the order of ``jsonpatch``; ``None`` if only a comparison can name them."""
        before: list[dict[str, Any]] = []
        after: list[dict[str, Any]] = []
        if len({operation["path"] for operation in operations}) != len(operations):
            return None
        # Those of one depth change one container, the one that was open there.
        groups = [list(group) for _, group in groupby(sorted(operations, key=_depth), key=_depth)]
        for group in groups:
            if any(map(self._needs_comparison, group)):
                return None
            parent, _ = self._find(group[0])
            if isinstance(parent, dict):
                before += sorted(group, key=_is_replaced)
            elif _may_move(parent, group, is_alone=len(groups) == 1):
                return None
            else:
                after = group + after
        return before + after

    def _needs_comparison(self, operation: dict[str, Any]) -> bool:
        if not operation["path"]:
            return True
        parent, key = self._find(operation)
        if _is_replaced(operation):
            return bool(parent[key] == operation["value"])
        return isinstance(parent, dict) and key in parent

    def _find(self, operation: dict[str, Any]) -> tuple[Any, Any]:
        """Return the container that ``operation`` changes, and the key or index in it."""
        *outer, last = [_unescape(token) for token in operation["path"].split("/")[1:]]
        parent = self.value
        for token in outer:
            parent = parent[int(token)] if isinstance(parent, list) else parent[token]
        return parent, int(last) if isinstance(parent, list) else last


def _depth(operation: dict[str, Any]) -> int:
    return int(operation["path"].count("/"))


def _is_replaced(operation: dict[str, Any]) -> bool:
    return bool(operation["op"] == "replace")


def _may_move(array: list[Any], group: _Operations, *, is_alone: bool) -> bool:
    """Return whether ``jsonpatch`` may move or insert elements; ``is_alone`` if nothing inside of them changes."""
    if is_alone:
        return _is_replaced(group[0]) and len(group) > 1
    return _is_replaced(group[0]) or (bool(array) and array[-1] in [operation["value"] for operation in group])


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
