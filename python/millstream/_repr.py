"""Values of named fields: how they print, and when they are equal."""

from collections.abc import Iterator
from typing import Any, ClassVar

__all__ = ("ReprMixin",)


class ReprMixin:
    """What prints its fields, and is equal to another of its class whose fields are equal."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    # Fields that are shown only where they have another value than this one.
    _repr_omit_default: ClassVar[dict[str, Any]] = {}
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _repr_items(self) -> Iterator[str]:
        for field in self._fields:
            value = getattr(self, field)
            if field not in self._repr_omit_default or value != self._repr_omit_default[field]:
                yield f"{field}={value!r}"

    def __repr__(self) -> str:
        """Show the fields that say something."""
        return f"{type(self).__name__}({', '.join(self._repr_items())})"

    def __str__(self) -> str:
        """Show the fields that say something, without the class."""
        return " ".join(self._repr_items())

    def __eq__(self, other: object) -> bool:
        """Compare class and fields."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self._fields)

    __hash__ = None
