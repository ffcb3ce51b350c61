"""Pydantic's classes, of its second version and of its first (``pydantic.v1``), looked at by their shape alone."""

from typing import Any

__all__ = ("is_first_version", "is_model_class", "make_object", "schema_of_model", "title_of_model")


def is_model_class(kind: Any) -> bool:
    """Return whether ``kind`` is a pydantic class, of either version."""
    is_second = isinstance(kind, type) and hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate")
    return is_second or is_first_version(kind)


def is_first_version(kind: Any) -> bool:
    """Return whether ``kind`` is a class of ``pydantic.v1``."""
    if not isinstance(kind, type) or hasattr(kind, "model_json_schema"):
        return False
    return all(hasattr(kind, name) for name in ("__fields__", "__config__", "parse_obj", "schema"))


def schema_of_model(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a pydantic class."""
    schema: dict[str, Any] = kind.schema() if is_first_version(kind) else kind.model_json_schema()
    return schema


def title_of_model(kind: Any) -> str:
    """Return the title of a pydantic class in its schema."""
    config: Any = kind.__config__ if is_first_version(kind) else getattr(kind, "model_config", {})
    title = config.get("title") if isinstance(config, dict) else getattr(config, "title", None)
    return str(title or kind.__name__)


def make_object(kind: Any, document: Any) -> Any:
    """Return an object of a pydantic class; its errors are :class:`ValueError`."""
    return kind.parse_obj(document) if is_first_version(kind) else kind.model_validate(document)
