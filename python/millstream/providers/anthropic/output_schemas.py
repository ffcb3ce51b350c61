"""``build_output_format``: a schema as Anthropic's ``output_config.format``, which accepts a part of JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._model_classes import is_model_class, schema_of_model
from ...function_calling import convert_to_json_schema

__all__ = ("build_output_format", "transform_schema")

_Schema = dict[str, Any]

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_TYPES = frozenset({"object", "array", "string", "boolean", "integer", "number", "null"})


def build_output_format(schema: Any) -> _Schema:
    """Return the format that requires answers to fit ``schema``: a pydantic class, a ``TypedDict``, a JSON schema."""
    if is_model_class(schema):
        described = schema_of_model(schema)
    elif isinstance(schema, Mapping):
        described = dict(schema)
    else:
        described = convert_to_json_schema(schema)
    return {"type": "json_schema", "schema": transform_schema(described)}


def transform_schema(schema: Mapping[str, Any]) -> _Schema:
    """Return a JSON schema in the form that Anthropic accepts.

    Objects accept no other keys; what Anthropic does not know, such as limits of numbers, goes into the description,
    which the model reads. Raises :class:`ValueError` for a schema that does not say its type.
    """
    rest = dict(schema)
    formatted: _Schema = {}
    if (definitions := rest.pop("$defs", None)) is not None:
        formatted["$defs"] = {name: transform_schema(inner) for name, inner in definitions.items()}
    if (reference := rest.pop("$ref", None)) is not None:
        return {**formatted, "$ref": reference}
    kind = _take_values(rest, formatted)
    for key in ("description", "title"):
        if (text := rest.pop(key, None)) is not None:
            formatted[key] = text
    if kind in _TAKERS:
        _TAKERS[kind](rest, formatted)
    if rest:
        before = f"{formatted['description']}\n\n" if formatted.get("description") is not None else ""
        formatted["description"] = f"{before}{{{', '.join(f'{key}: {value}' for key, value in rest.items())}}}"
    return formatted


def _take_values(rest: _Schema, formatted: _Schema) -> Any:
    """Move what says which values there are from ``rest`` to ``formatted``; return the type, if that is what does."""
    kind = rest.pop("type", None)
    unions = [(key, rest.pop(key, None)) for key in ("anyOf", "oneOf", "allOf")]
    values = rest.get("enum")
    if isinstance(values, list) and values and all(map(_is_scalar, values)):
        formatted["enum"] = rest.pop("enum")
    if "const" in rest and _is_scalar(rest["const"]):
        formatted["const"] = rest.pop("const")
    has_values = "enum" in formatted or "const" in formatted
    for key, parts in unions:
        if isinstance(parts, list):
            formatted["allOf" if key == "allOf" else "anyOf"] = [transform_schema(part) for part in parts]
            return None if has_values else kind
    if has_values:
        return None
    if kind is None:
        raise ValueError(
            "Schema must have a 'type', 'anyOf', 'oneOf', or 'allOf' field, or a 'const' or non-empty 'enum' of"
            " strings, numbers, booleans, or null."
        )
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"Schema has a 'type' that is not supported: {kind!r}")
    formatted["type"] = kind
    return kind


def _take_properties(rest: _Schema, formatted: _Schema) -> None:
    properties = rest.pop("properties", {})
    formatted["properties"] = {name: transform_schema(inner) for name, inner in properties.items()}
    rest.pop("additionalProperties", None)
    formatted["additionalProperties"] = False
    if (required := rest.pop("required", None)) is not None:
        formatted["required"] = required


def _take_format(rest: _Schema, formatted: _Schema) -> None:
    name = rest.pop("format", None)
    if name in _FORMATS:
        formatted["format"] = name
    elif name:
        rest["format"] = name


def _take_items(rest: _Schema, formatted: _Schema) -> None:
    if (items := rest.pop("items", None)) is not None:
        formatted["items"] = transform_schema(items)
    count = rest.pop("minItems", None)
    if count in (0, 1):
        formatted["minItems"] = count
    elif count is not None:
        rest["minItems"] = count


_TAKERS = {"object": _take_properties, "string": _take_format, "array": _take_items}


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
