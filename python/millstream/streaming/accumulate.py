"""Adds the chunks of a stream as LangChain does, in linear time; and dicts that can be added."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

__all__ = ("AddableDict", "ChunkAccumulator", "aadd", "add")

Addable = TypeVar("Addable")


class AddableDict(dict[str, Any]):
    """A dict whose sum with another one has the keys of both, and adds the values of the keys that both have.

    ``None`` counts as an absent value. Raises :class:`TypeError` for values that cannot be added.
    """

    def __add__(self, other: Mapping[str, Any]) -> AddableDict:
        """Return the sum."""
        return _merge_values([self, other])

    def __radd__(self, other: Mapping[str, Any]) -> AddableDict:
        """Return the sum, with ``other`` first."""
        return _merge_values([other, self])


def _add_all(values: list[Any]) -> Any:
    total, *rest = values
    for value in rest:
        total = total + value
    return total


def _merge_values(dicts: list[Mapping[str, Any]], add: Callable[[list[Any]], Any] = _add_all) -> AddableDict:
    """Return the sum of ``dicts``; ``add`` returns that of the values under one key, which are two or more."""
    found: dict[str, list[Any]] = {}
    for one in dicts:
        for key, value in one.items():
            found.setdefault(key, []).append(value)
    merged = AddableDict()
    for key, values in found.items():
        present = [value for value in values if value is not None]
        try:
            merged[key] = add(present) if len(present) > 1 else present[0] if present else None
        except TypeError as error:
            first, *rest = (type(value).__name__ for value in present)
            other = next((name for name in rest if name != first), first)
            raise TypeError(f"Cannot add incompatible types for key {key!r}: {first!r} and {other!r}.") from error
    return merged


def add(addables: Iterable[Addable]) -> Addable | None:
    """Return the sum of the chunks; ``None`` without any."""
    total: Addable | None = None
    for chunk in addables:
        total = chunk if total is None else cast("Any", total) + chunk
    return total


async def aadd(addables: AsyncIterable[Addable]) -> Addable | None:
    """Return the sum of the chunks; ``None`` without any."""
    total: Addable | None = None
    async for chunk in addables:
        total = chunk if total is None else cast("Any", total) + chunk
    return total


_JOINED = (str, list, AddableDict)


class ChunkAccumulator:
    """Adds the chunks of one stream.

    Texts, lists, messages and dicts of them are collected and joined on request, so that a sum is linear in its length.
    Other chunks are added as they arrive. A chunk that cannot be added (``TypeError``) replaces the sum,
    and so do all chunks after it, unless the accumulator ``adds_on``.

    A chunk whose type is ``joins`` may be appended to the list ``parts``, which is what :meth:`add` does with it.
    """

    __slots__ = ("_adds", "_adds_on", "joins", "parts")

    def __init__(self, *, adds_on: bool = False) -> None:
        self.parts: list[Any] = []
        self.joins: type | None = None
        self._adds = True
        self._adds_on = adds_on

    def add(self, chunk: Any) -> None:
        """Add a chunk."""
        parts = self.parts
        if type(chunk) is self.joins:
            parts.append(chunk)
            return
        parts[:] = [self._added(self.total(), chunk) if parts else chunk]
        kind = type(parts[0])
        self.joins = kind if self._adds and (kind in _JOINED or hasattr(kind, "chunk_position")) else None

    def total(self) -> Any:
        """Return the sum; ``None`` without chunks."""
        parts = self.parts
        if len(parts) > 1:
            parts[:] = [self._joined(parts)]
        return parts[0] if parts else None

    def partial(self) -> Any:
        """Return the sum for a run that failed; the last chunk if adding raises, which must not hide the failure."""
        try:
            return self.total()
        except Exception:
            return self.parts[-1]

    def _added(self, total: Any, chunk: Any) -> Any:
        if not self._adds or total is None:
            return chunk
        try:
            return total + chunk
        except TypeError:
            self._adds = self._adds_on
            self.joins = None
            return chunk

    def _joined(self, parts: list[Any]) -> Any:
        try:
            return _join(parts)
        except TypeError:
            total, *rest = parts
            for part in rest:
                total = self._added(total, part)
            return total


def _join(parts: list[Any]) -> Any:
    """Return the sum of two or more chunks."""
    kind = type(parts[0])
    if any(type(part) is not kind for part in parts):
        kind = object
    if kind is str:
        return "".join(parts)
    if kind is list:
        return [item for part in parts for item in part]
    if kind is AddableDict:
        return _merge_values(parts, _join)
    if hasattr(kind, "chunk_position"):
        # A message chunk takes a list of those that follow, and merges them all at once.
        return parts[0] + parts[1:]
    total, *rest = parts
    for part in rest:
        total = total + part
    return total
