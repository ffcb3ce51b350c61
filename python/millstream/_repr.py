"""``ReprMixin``: ``repr``, ``str`` and equality of objects with named fields."""

from collections.abc import Iterator
from typing import Any, ClassVar

__all__ = ("ReprMixin",)


class ReprMixin:
    """Prints the fields in ``_fields``; equal to another object of the same class with equal fields."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    # Defaults of fields that ``repr`` omits: such a field is shown only with another value.
    _repr_omit_default: ClassVar[dict[str, Any]] = {}
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _repr_items(self) -> Iterator[str]:
        for field in self._fields:
            value = getattr(self, field)
            if field not in self._repr_omit_default or value != self._repr_omit_default[field]:
                yield f"{field}={value!r}"

    def __repr__(self) -> str:
        """Show the fields, without those at an omitted default."""
        return f"{type(self).__name__}({', '.join(self._repr_items())})"

    def __str__(self) -> str:
        """Show the fields as ``repr`` does, without the class."""
        return " ".join(self._repr_items())

    def __eq__(self, other: object) -> bool:
        """Compare class and fields."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self._fields)

    __hash__ = None
