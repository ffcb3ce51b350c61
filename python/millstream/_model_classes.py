"""Pydantic classes, of version 2 and of version 1 (``pydantic.v1``), recognized without importing pydantic."""

from typing import Any, get_args

__all__ = (
    "get_fields",
    "is_basemodel_instance",
    "is_basemodel_subclass",
    "is_first_version",
    "is_model_class",
    "is_pydantic_v1_subclass",
    "is_pydantic_v2_subclass",
    "make_object",
    "make_object_from_json",
    "mentions_pydantic",
    "model_json_schema",
    "model_validate",
    "schema_of_model",
    "title_of_model",
)


def is_model_class(cls: object) -> bool:
    """Return whether ``cls`` is a pydantic class, of either version."""
    is_second = isinstance(cls, type) and hasattr(cls, "model_json_schema") and hasattr(cls, "model_validate")
    return is_second or is_first_version(cls)


def is_first_version(cls: object) -> bool:
    """Return whether ``cls`` is a class of ``pydantic.v1``."""
    if not isinstance(cls, type) or hasattr(cls, "model_json_schema"):
        return False
    return all(hasattr(cls, name) for name in ("__fields__", "__config__", "parse_obj", "schema"))


def mentions_pydantic(thing: object) -> bool:
    """Return whether pydantic's classes, fields or constraints are a part of ``thing``, a type or a default."""
    home = thing if isinstance(thing, type) else type(thing)
    if is_model_class(thing) or home.__module__.partition(".")[0] in ("pydantic", "pydantic_core", "annotated_types"):
        return True
    return any(map(mentions_pydantic, get_args(thing)))


def schema_of_model(cls: Any) -> dict[str, Any]:
    """Return the JSON schema of a pydantic class."""
    schema: dict[str, Any] = cls.schema() if is_first_version(cls) else cls.model_json_schema()
    return schema


def title_of_model(cls: Any) -> str:
    """Return the title that the schema of a pydantic class has."""
    config: Any = cls.__config__ if is_first_version(cls) else getattr(cls, "model_config", {})
    title = config.get("title") if isinstance(config, dict) else getattr(config, "title", None)
    return str(title or cls.__name__)


def make_object(cls: Any, document: object) -> Any:
    """Return an object of a pydantic class for ``document``; :class:`ValueError` if it is not valid."""
    return cls.parse_obj(document) if is_first_version(cls) else cls.model_validate(document)


def make_object_from_json(cls: Any, text: str) -> Any:
    """Return an object of a pydantic class for a JSON text; :class:`ValueError` if it is not valid."""
    return cls.parse_raw(text) if is_first_version(cls) else cls.model_validate_json(text)


# LangChain's names, for integrations of users.


def is_basemodel_subclass(cls: object) -> bool:
    """Return whether ``cls`` is a pydantic class, of either version."""
    return is_model_class(cls)


def is_basemodel_instance(obj: object) -> bool:
    """Return whether ``obj`` is an object of a pydantic class, of either version."""
    return is_model_class(type(obj))


def is_pydantic_v1_subclass(cls: object) -> bool:
    """Return whether ``cls`` is a class of ``pydantic.v1``."""
    return is_first_version(cls)


def is_pydantic_v2_subclass(cls: object) -> bool:
    """Return whether ``cls`` is a class of pydantic's version 2."""
    return is_model_class(cls) and not is_first_version(cls)


def get_fields(model: object) -> dict[str, Any]:
    """Return the fields of a pydantic class or object; :class:`TypeError` for any other."""
    cls: Any = _require_model_class(model if isinstance(model, type) else type(model))
    fields: dict[str, Any] = cls.__fields__ if is_first_version(cls) else cls.model_fields
    return fields


def model_json_schema(model: Any) -> dict[str, Any]:
    """Return the JSON schema of a pydantic class; :class:`TypeError` for any other."""
    return schema_of_model(_require_model_class(model))


def model_validate(model: object, obj: object) -> Any:
    """Return an object of a pydantic class for ``obj``; :class:`TypeError` if ``model`` is not such a class."""
    return make_object(_require_model_class(model), obj)


def _require_model_class(cls: object) -> Any:
    if not is_model_class(cls):
        raise TypeError(f"Expected a Pydantic model. Got {cls}")
    return cls
