"""``AddableDict``: a dict that ``+`` merges key by key, as the chunks of a stream of dicts are added."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

__all__ = ("AddableDict", "aadd", "add", "merge_values")

Addable = TypeVar("Addable")


class AddableDict(dict[str, Any]):
    """A dict whose sum with another one has the keys of both, and adds the values of the keys that both have.

    ``None`` counts as an absent value. Raises :class:`TypeError` for values that cannot be added.
    """

    def __add__(self, other: Mapping[str, Any]) -> AddableDict:
        """Return the sum."""
        return merge_values([self, other])

    def __radd__(self, other: Mapping[str, Any]) -> AddableDict:
        """Return the sum, with ``other`` first."""
        return merge_values([other, self])


def _add(values: list[Any]) -> Any:
    total, *rest = values
    for value in rest:
        total = total + value
    return total


def merge_values(dicts: list[Mapping[str, Any]], add: Callable[[list[Any]], Any] = _add) -> AddableDict:
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
