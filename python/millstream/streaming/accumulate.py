"""Accumulates the chunks of a stream as LangChain adds them, in linear time."""

from __future__ import annotations

from typing import Any

from .addable import AddableDict, merge_values

__all__ = ("ChunkAccumulator",)


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
        return merge_values(parts, _join)
    if hasattr(kind, "chunk_position"):
        # A message chunk takes a list of those that follow, and merges them all at once.
        return parts[0] + parts[1:]
    total, *rest = parts
    for part in rest:
        total = total + part
    return total
