"""``PromptFields``: the fields of templates, printed and compared as LangChain's."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from .._fields import Fields
from .._pydantic_field import PydanticField

__all__ = ("PromptFields", "to_data")


class PromptFields(Fields, PydanticField):
    """Fields that are printed unless they have their default; equal to another object with equal fields.

    Fields whose default is made anew for each object are always printed. A template may be a field of a
    pydantic model, which takes objects of its class.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    # The path of the class in LangChain, which callbacks receive in `serialized`.
    _module_path: ClassVar[tuple[str, ...]] = ()

    def _serialized(self) -> dict[str, Any]:
        name = type(self).__name__
        return {"lc": 1, "type": "not_implemented", "id": [*self._module_path, name], "name": name}

    def _field_values(self) -> dict[str, Any]:
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
        return self._field_values() == other._field_values()

    __hash__ = None

    def _pydantic_dump(self, info: object) -> Any:
        return to_data(self)


def to_data(value: object) -> Any:
    """Return ``value`` as plain data: templates and messages become dicts, without the types of variables."""
    if isinstance(value, PromptFields):
        return {name: to_data(one) for name, one in value._field_values().items() if name != "input_types"}
    if isinstance(value, Mapping):
        return {name: to_data(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(to_data, value))
    return value.model_dump() if hasattr(value, "model_dump") and not isinstance(value, type) else value
