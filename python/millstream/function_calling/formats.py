"""Schemas as OpenAI's ``response_format``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._model_classes import is_first_version, is_model_class, schema_of_model
from .conversion import convert_to_openai_function
from .references import resolve_reference

__all__ = ("convert_to_response_format", "json_schema_format")


def json_schema_format(schema: Any, *, strict: bool | None = None) -> Any:
    """Return the ``response_format`` that asks for ``schema``; a pydantic class stays what it is until it is sent.

    Raises :class:`ValueError` where ``strict`` contradicts what the schema says itself.
    """
    if is_model_class(schema) and not is_first_version(schema):
        return schema
    if isinstance(schema, Mapping) and schema.get("type") == "json_schema" and "json_schema" in schema:
        asked = dict(schema)
    elif isinstance(schema, Mapping) and "name" in schema and "schema" in schema:
        asked = {"type": "json_schema", "json_schema": dict(schema)}
    else:
        told = schema.get("strict") if isinstance(schema, Mapping) else None
        # Not asking for it is asking that it is not so.
        chosen = strict if strict is not None else told if isinstance(told, bool) else False
        function = convert_to_openai_function(schema, strict=chosen)
        function["schema"] = function.pop("parameters")
        asked = {"type": "json_schema", "json_schema": function}
    said = schema.get("json_schema", {}) if isinstance(schema, Mapping) else {}
    if strict is not None and "strict" in said and said["strict"] is not strict:
        raise ValueError(
            f"Output schema already has 'strict' value set to {said['strict']} but 'strict' also passed in to"
            f" with_structured_output as {strict}. Please make sure that 'strict' is only specified in one place."
        )
    return asked


def convert_to_response_format(asked: Any) -> Any:
    """Return ``asked`` as it is sent: of a pydantic class, its schema in OpenAI's strict form."""
    if not is_model_class(asked):
        return asked
    schema = schema_of_model(asked)
    return {
        "type": "json_schema",
        "json_schema": {"schema": _make_strict(schema, schema), "name": asked.__name__, "strict": True},
    }


def _make_strict(schema: Any, root: Mapping[str, Any]) -> Any:
    """Return ``schema`` as the OpenAI SDK makes it strict."""
    strict = dict(schema)
    for key in ("$defs", "definitions"):
        if isinstance(strict.get(key), Mapping):
            strict[key] = {name: _make_strict(inner, root) for name, inner in strict[key].items()}
    if strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    if isinstance(strict.get("properties"), Mapping):
        strict["required"] = list(strict["properties"])
        strict["properties"] = {name: _make_strict(inner, root) for name, inner in strict["properties"].items()}
    if isinstance(strict.get("items"), Mapping):
        strict["items"] = _make_strict(strict["items"], root)
    if isinstance(strict.get("anyOf"), list):
        strict["anyOf"] = [_make_strict(inner, root) for inner in strict["anyOf"]]
    if isinstance(parts := strict.get("allOf"), list):
        if len(parts) == 1:
            strict.update(_make_strict(parts[0], root))
            del strict["allOf"]
        else:
            strict["allOf"] = [_make_strict(inner, root) for inner in parts]
    if "default" in strict and strict["default"] is None:
        # It is nullable all the same.
        del strict["default"]
    if isinstance(path := strict.get("$ref"), str) and len(strict) > 1:
        # A reference may not have anything beside it.
        beside = {key: value for key, value in strict.items() if key != "$ref"}
        return _make_strict({**resolve_reference(path, root), **beside}, root)
    return strict


def describe_format(asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what handlers are told of the schema that ``asked`` holds; nothing, where it cannot be read."""
    if not asked:
        return {}
    from .conversion import convert_to_json_schema

    try:
        schema = convert_to_json_schema(asked["schema"])
    except ValueError:
        return {}
    return {"ls_structured_output_format": {"kwargs": asked.get("kwargs", {}), "schema": schema}}
