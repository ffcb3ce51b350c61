"""``PlainData``: conversion of objects with fields from and to plain data, under pydantic's names of methods."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

from .._pydantic_field import dump_options, serialization
from ..messages.validation import dump

__all__ = ("PlainData",)

Values = dict[str, Any]
"""Fields by name. (The method ``dict`` hides the type in the class.)"""


class PlainData:
    """Objects of classes with fields that are compared, copied and dumped by their fields."""

    __millstream_fields__: Any

    def __eq__(self, other: object) -> bool:
        """Compare class and attributes."""
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the names and values of the fields."""
        for name in self.__millstream_fields__:
            yield name, getattr(self, name)

    def model_dump(
        self,
        *,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
        mode: str = "python",
    ) -> Values:
        """Return the fields as a dict of plain data; with ``mode="json"`` it has only JSON types."""
        values = {
            name: dump(value)
            for name, value in self
            if (include is None or name in include)
            and (exclude is None or name not in exclude)
            and not (exclude_none and value is None)
        }
        if mode != "json":
            return values
        import orjson

        read: Values = orjson.loads(orjson.dumps(values, str, orjson.OPT_NON_STR_KEYS))
        return read

    def model_dump_json(self, **options: Any) -> str:
        """Return :meth:`model_dump` as JSON without spaces."""
        import orjson

        return orjson.dumps(self.model_dump(**options), str, orjson.OPT_NON_STR_KEYS).decode()

    def dict(self, **options: Any) -> Values:
        """Return what :meth:`model_dump` returns."""
        return self.model_dump(**options)

    def json(self, **options: Any) -> str:
        """Return what :meth:`model_dump_json` returns."""
        return self.model_dump_json(**options)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the fields in ``update``, unchecked; a ``deep`` copy also copies containers."""
        from copy import deepcopy

        copied = type(self).__new__(type(self))
        vars(copied).update({**(deepcopy(vars(self)) if deep else vars(self)), **(update or {})})
        return copied

    def copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return what :meth:`model_copy` returns."""
        return self.model_copy(update=update, deep=deep)

    @classmethod
    def model_validate(cls, value: object) -> Self:
        """Return ``value`` if it is of the class, or make one of a dict, or of LangChain's object with equal fields.

        Raises :class:`ValueError` for anything else.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            required = [name for name, spec in cls.__millstream_fields__.items() if spec.required] or ["metadata"]
            if not all(hasattr(value, name) for name in required):
                raise ValueError(f"{cls.__name__}: one or a dict is needed, not {type(value).__name__}")
            value = {name: getattr(value, name) for name in cls.__millstream_fields__ if hasattr(value, name)}
        try:
            return cls(**value)
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from error

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Return one from the JSON of :meth:`model_dump_json`; :class:`ValueError` if it is not valid."""
        import orjson

        return cls.model_validate(orjson.loads(text))

    def _pydantic_dump(self, info: Any) -> Values:
        return self.model_dump(**dump_options(info))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Return how pydantic validates objects of the class in a field of a model."""
        from pydantic_core import core_schema

        fields = {
            name: core_schema.typed_dict_field(_field_schema(spec, handler), required=spec.required)
            for name, spec in cls.__millstream_fields__.items()
        }
        return core_schema.no_info_plain_validator_function(
            cls.model_validate,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            json_schema_input_schema=core_schema.typed_dict_schema(fields),
            serialization=serialization(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Return the JSON schema of objects of the class."""
        described = handler(schema["json_schema_input_schema"])
        inner = handler.resolve_ref_schema(described)
        inner["title"] = cls.__name__
        if cls.__doc__:
            inner["description"] = cls.__doc__.partition("\n\n")[0]
        return described


def _field_schema(spec: Any, handler: Any) -> Any:
    from pydantic_core import core_schema

    # An annotation that is a text may name what cannot be found here.
    annotation = Any if isinstance(spec.annotation, str) or spec.annotation is None else spec.annotation
    schema = handler.generate_schema(annotation)
    if spec.required or spec.default_factory is not None:
        return schema
    return core_schema.with_default_schema(schema, default=spec.default)
