"""Converts schemas to OpenAI's ``response_format``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._model_classes import is_first_version, is_model_class, schema_of_model
from .conversion import convert_to_openai_function
from .references import resolve_reference

__all__ = ("convert_to_response_format", "json_schema_format")


def json_schema_format(schema: object, *, strict: bool | None = None) -> Any:
    """Return the ``response_format`` for ``schema``; a pydantic class is returned as it is, and converted when sent.

    Raises :class:`ValueError` if ``strict`` contradicts the schema's own ``strict``.
    """
    if is_model_class(schema) and not is_first_version(schema):
        return schema
    if isinstance(schema, Mapping) and schema.get("type") == "json_schema" and "json_schema" in schema:
        response_format = dict(schema)
    elif isinstance(schema, Mapping) and "name" in schema and "schema" in schema:
        response_format = {"type": "json_schema", "json_schema": dict(schema)}
    else:
        own_strict = schema.get("strict") if isinstance(schema, Mapping) else None
        # A missing `strict` is sent as false.
        chosen = strict if strict is not None else own_strict if isinstance(own_strict, bool) else False
        function = convert_to_openai_function(schema, strict=chosen)
        function["schema"] = function.pop("parameters")
        response_format = {"type": "json_schema", "json_schema": function}
    json_schema = schema.get("json_schema", {}) if isinstance(schema, Mapping) else {}
    if strict is not None and "strict" in json_schema and json_schema["strict"] is not strict:
        raise ValueError(
            f"Output schema already has 'strict' value set to {json_schema['strict']} but 'strict' also passed in to"
            f" with_structured_output as {strict}. Please make sure that 'strict' is only specified in one place."
        )
    return response_format


def convert_to_response_format(response_format: Any) -> Any:
    """Return a ``response_format`` as it is sent: a pydantic class becomes its schema in OpenAI's strict form."""
    if not is_model_class(response_format):
        return response_format
    schema = schema_of_model(response_format)
    return {
        "type": "json_schema",
        "json_schema": {"schema": _make_strict(schema, schema), "name": response_format.__name__, "strict": True},
    }


def _make_strict(schema: Any, root: Mapping[str, Any]) -> Any:
    """Return ``schema`` in strict form, as the OpenAI SDK converts it."""
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
        # The type is still nullable.
        del strict["default"]
    if isinstance(path := strict.get("$ref"), str) and len(strict) > 1:
        # In strict mode a reference may not have other keys.
        beside = {key: value for key, value in strict.items() if key != "$ref"}
        return _make_strict({**resolve_reference(path, root), **beside}, root)
    return strict


def describe_format(structured_output: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the metadata about a structured output format for callbacks; empty if the schema cannot be converted."""
    if not structured_output:
        return {}
    from .conversion import convert_to_json_schema

    try:
        schema = convert_to_json_schema(structured_output["schema"])
    except ValueError:
        return {}
    return {"ls_structured_output_format": {"kwargs": structured_output.get("kwargs", {}), "schema": schema}}
