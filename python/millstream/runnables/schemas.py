"""The pydantic models that describe what Runnables take and return.

A Runnable states its types by ``InputType`` and ``OutputType``, or its fields by an own ``get_input_schema`` and
``get_output_schema``; this module makes the models. It imports pydantic, so it is imported by the calls that ask
for a schema. Classes of ``pydantic.v1`` are taken too, since users' annotations may name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import GenericAlias
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from .._model_classes import is_first_version, is_model_class, schema_of_model

__all__ = (
    "FieldTypes",
    "LenientJsonSchema",
    "Model",
    "config_model",
    "field_types",
    "has_fields",
    "model_of_fields",
    "model_of_type",
    "schema_of_model",
)

Model: TypeAlias = type[BaseModel]
"""A class that describes a value; its JSON schema is that of the value."""
FieldTypes: TypeAlias = Mapping[str, tuple[Any, Any]]
"""The type and the default of each field; the default ``...`` stands for none."""

_RESERVED = frozenset(name for name in dir(BaseModel) if not name.startswith("_"))
_FIELDS_CONFIG = ConfigDict(arbitrary_types_allowed=True, frozen=True, protected_namespaces=())


class _Root(RootModel[Any]):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # Otherwise a model in the root gives the schema its title.
        return {**super().model_json_schema(*args, **kwargs), "title": cls.__name__}


class LenientJsonSchema(GenerateJsonSchema):
    """Writes JSON schemas; a type that JSON does not have is any value there."""

    def handle_invalid_for_json_schema(self, schema: object, error_info: str) -> dict[str, Any]:
        """Return the schema of any value."""
        return {}


def model_of_type(name: str, type: Any, module: str | None, *, default: Any = ...) -> Model:
    """Return the model of a value of ``type``; a pydantic class describes itself.

    Forward references in ``type`` are resolved in ``module``.
    """
    if default is ... and is_model_class(type) and not isinstance(type, GenericAlias):
        model: Model = type
        return model
    if not type:
        return model_of_fields(name, {})
    try:
        return _cached_root(name, type, module, default)
    except TypeError:
        # A type that has no hash.
        return _make_root(name, type, module, default)


def model_of_fields(name: str, fields: FieldTypes) -> Model:
    """Return the model of a dict with ``fields``."""
    try:
        return _cached_model(name, tuple((key, *field, _kind(field[1])) for key, field in fields.items()))
    except TypeError:
        return _make_model(name, fields)


def has_fields(model: Model) -> bool:
    """Return whether ``model`` describes a dict by its fields."""
    return not issubclass(model, RootModel)


def field_types(model: Any) -> dict[str, tuple[Any, Any]]:
    """Return the fields of a model; :class:`TypeError` for a class that is not a model."""
    if is_first_version(model):
        return {name: (field.annotation, _first_version_default(field)) for name, field in model.__fields__.items()}
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        raise TypeError(f"Expected a Pydantic model. Got {model}")
    return {name: (field.annotation, field.default) for name, field in model.model_fields.items()}


def config_model(name: str, specs: Iterable[Any], types: Mapping[str, Any]) -> Model:
    """Return the model of a configuration: the configurable fields of ``specs``, and the keys of ``types``."""
    configurable = {
        spec.id: (spec.annotation, Field(spec.default, title=spec.name, description=spec.description)) for spec in specs
    }
    fields = {"configurable": (model_of_fields("Configurable", configurable), None)} if configurable else {}
    return model_of_fields(name, {**fields, **{key: (type, None) for key, type in types.items()}})


def _make_root(name: str, type_: object, module: str | None, default: object) -> Model:
    body: dict[str, Any] = {"__annotations__": {"root": type_}, "__module__": module or __name__}
    if default is not ...:
        body["root"] = default
    model: Model = type(name, (_Root,), body)
    return model


@lru_cache(maxsize=256)
def _cached_root(name: str, type: object, module: str | None, default: object) -> Model:
    return _make_root(name, type, module, default)


@lru_cache(maxsize=256)
def _cached_model(name: str, fields: tuple[tuple[str, Any, Any, Any], ...]) -> Model:
    return _make_model(name, {key: (type, default) for key, type, default, _ in fields})


def _make_model(name: str, fields: FieldTypes) -> Model:
    definitions: dict[str, Any] = dict(_definition(key, *field) for key, field in fields.items())
    model: Model = create_model(name, __config__=_FIELDS_CONFIG, **definitions)
    return model


def _definition(name: str, type: object, default: object) -> tuple[str, tuple[Any, Any]]:
    """Return a field under a name that pydantic takes; the field keeps its own as an alias."""
    if not name.startswith("_") and name not in _RESERVED:
        return name, (type, default)
    title = name.lstrip("_").replace("_", " ").title()
    return f"private_{name}", (type, Field(default=default, alias=name, serialization_alias=name, title=title))


def _kind(default: object) -> Any:
    """Return a part of the cache's key that distinguishes equal defaults, such as 1 and True."""
    if isinstance(default, FieldInfo):
        raise TypeError("a description of a field has no hash")
    return type(default)


def _first_version_default(field: Any) -> Any:
    if field.required:
        return ...
    return field.default if field.default_factory is None else Field(default_factory=field.default_factory)
