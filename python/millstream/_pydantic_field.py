"""``PydanticField``: a base class for values in fields of pydantic models. It does not import pydantic itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ._kinds import is_kind

__all__ = ("PydanticField", "described_schema", "instance_schema", "serialization")


class _Serializer:
    """The serializer that pydantic reads from a value of an undeclared type; made on first access."""

    __slots__ = ()

    def __get__(self, value: object, cls: Any) -> Any:
        try:
            return _serializer()
        except ImportError as error:
            raise AttributeError("__pydantic_serializer__") from error


class PydanticField:
    """A value with a ``model_dump``. Its class may annotate a pydantic field, or the result of an endpoint."""

    __slots__ = ()
    __pydantic_serializer__: Any = _Serializer()

    def _pydantic_dump(self, info: Any) -> Any:
        """Return the value as plain data; ``info`` has the options of pydantic's dump."""
        value: Any = self
        return value.model_dump()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Return how pydantic validates and serializes objects of the class."""
        return instance_schema(cls, serialization=serialization())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Return how pydantic describes objects of the class."""
        return {"title": cls.__name__, "type": "object"}


def instance_schema(cls: type, **options: Any) -> Any:
    """Return the core schema that accepts objects of ``cls``, and of LangChain's class of the same name."""
    from pydantic_core import core_schema

    def check(value: object, handler: Callable[[Any], Any]) -> Any:
        return value if is_kind(type(value), cls.__name__) else handler(value)

    return core_schema.no_info_wrap_validator_function(check, core_schema.is_instance_schema(cls), **options)


def described_schema(cls: type, validate: Callable[[Any], Any], model: Any, handler: Any) -> Any:
    """Return the core schema of a class of ours: ``validate`` returns the object, the class ``model`` describes it."""
    from pydantic_core import core_schema

    return core_schema.no_info_plain_validator_function(
        validate,
        ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
        json_schema_input_schema=handler.generate_schema(model),
        serialization=serialization(),
    )


def serialization() -> Any:
    """Return the part of a core schema that makes pydantic dump a value by the value's own method."""
    from pydantic_core import core_schema

    return core_schema.plain_serializer_function_ser_schema(_dump, info_arg=True)


@cache
def _serializer() -> Any:
    from pydantic_core import SchemaSerializer, core_schema

    return SchemaSerializer(core_schema.any_schema(serialization=serialization()))


def _dump(value: Any, info: Any) -> Any:
    if not isinstance(value, PydanticField):
        if type(value).__module__.startswith("langchain_core."):
            return value.model_dump()
        from pydantic_core import PydanticSerializationUnexpectedValue

        # In a union, pydantic then tries the next type.
        raise PydanticSerializationUnexpectedValue(f"{type(value).__name__} cannot dump itself")
    return value._pydantic_dump(info)


def dump_options(info: Any) -> dict[str, Any]:
    """Return the arguments for a message's ``model_dump`` from the options of pydantic's dump."""
    return {
        "include": _names(info.include, lambda how: True),
        "exclude": _names(info.exclude, lambda how: how is True or how is Ellipsis),
        "exclude_none": info.exclude_none,
    }


def _names(selection: object, counts: Callable[[Any], bool]) -> Any:
    if not isinstance(selection, Mapping):
        return selection
    return {name for name, how in selection.items() if counts(how)}
