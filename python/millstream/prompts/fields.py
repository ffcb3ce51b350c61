"""``PromptFields``: the fields of templates, printed and compared as LangChain's."""

from collections.abc import Iterator
from typing import Any, ClassVar

from .._fields import Fields

__all__ = ("PromptFields",)


class PromptFields(Fields):
    """Fields that are printed unless they have their default; equal to another object with equal fields.

    Fields whose default is made anew for each object are always printed.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _values(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.__millstream_fields__}

    def _repr_items(self) -> Iterator[tuple[str, str]]:
        for name, spec in self.__millstream_fields__.items():
            value = getattr(self, name)
            if spec.repr and (spec.required or spec.default_factory is not None or value != spec.default):
                yield name, repr(value)

    def __str__(self) -> str:
        """Show the fields as ``repr`` does, without the class."""
        return " ".join(f"{name}={shown}" for name, shown in self._repr_items())

    def __eq__(self, other: object) -> bool:
        """Compare class and fields."""
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None
