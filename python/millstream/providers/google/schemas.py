"""JSON schemas as Gemini's schemas of functions: a subset, with types in capitals and without references.

The keys that a function's parameters may have are those of https://ai.google.dev/api/caching#Schema. As in
langchain-google-genai, constraints of numbers and lengths are left out, and an object without known properties
that does not allow others is a string.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ...function_calling.references import dereference_refs

__all__ = ("convert_schema",)

logger = logging.getLogger("millstream")

Schema = dict[str, Any]

# Keys that are read; constraints among them are not sent.
_KNOWN = frozenset(
    {"type", "type_", "description", "enum", "format", "items", "properties", "required", "nullable", "anyOf"}
    | {"default", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "title"}
)


def convert_schema(schema: Mapping[str, Any]) -> Schema | None:
    """Return the schema of a function's parameters; ``None`` for one that describes nothing."""
    return _build(schema, is_nested=False)


def _build(schema: Mapping[str, Any], *, is_nested: bool, is_alternative: bool = False) -> Schema | None:
    read = _normalize(dereference_refs(schema))
    built: Schema = {key: read[key] for key in ("description", "nullable") if key in read}
    if "type" in read and "anyOf" not in read:
        built["type"] = _to_type(read["type"])
    if "title" in read and (not is_nested or is_alternative):
        built["title"] = read["title"]
    if read.get("required") is not None or not is_nested:
        built["required"] = list(read.get("required") or ())
    if "enum" in read:
        built["enum"] = [value if isinstance(value, str) else str(value) for value in read["enum"]]
    built |= _build_members(read)
    if "type" not in built and "any_of" not in built:
        if not is_nested and "properties" not in built:
            return None
        built["type"] = "STRING" if is_nested else "OBJECT"
    return {key: value for key, value in built.items() if value is not None}


def _build_members(read: Schema) -> Schema:
    """Return the properties, items and alternatives of a schema."""
    built: Schema = {}
    if "properties" in read:
        built["properties"] = {name: _build(inner, is_nested=True) for name, inner in read["properties"].items()}
    if "items" in read:
        built["items"] = _build(read["items"], is_nested=True)
    if "anyOf" in read:
        built["any_of"] = [_build(inner, is_nested=True, is_alternative=True) for inner in read["anyOf"]]
    return built


def _normalize(schema: Mapping[str, Any]) -> Schema:
    """Return the known keys of a schema, with the properties and items of an object or array normalized."""
    read: Schema = {}
    for key, value in schema.items():
        if key == "definitions":
            continue
        if key == "allOf":
            if len(value) > 1:
                logger.warning("Only the first schema of 'allOf' is sent; %d more are left out", len(value) - 1)
            return _normalize(value[0])
        if key == "properties":
            read["properties"] = _normalize_properties(value)
        elif key == "items":
            if value is not None:
                read["items"] = _normalize(value)
        elif key in ("type", "type_"):
            read |= _read_types(value)
        elif key in _KNOWN:
            read[key] = value
        elif key != "$defs":
            logger.debug("the key %r of a schema has no form in Gemini and is left out", key)
    return read


def _read_types(value: object) -> Schema:
    """Return the type in a schema; a list of a type and ``null`` is that type, and nullable."""
    value = getattr(value, "value", value)
    if isinstance(value, Mapping):
        value = value["_value_"]
    if isinstance(value, list):
        types = [item for item in value if item != "null"]
        if len(types) < 2:
            nullable = {"nullable": True} if "null" in value else {}
            return {"type": types[0] if types else "string", **nullable}
        return {"anyOf": [{"type": item} for item in types], **({"nullable": True} if "null" in value else {})}
    if not isinstance(value, str):
        raise ValueError(f"Invalid type: {value}")
    return {"type": value}


def _to_type(value: object) -> str:
    return str(getattr(value, "value", value)).upper()


def _normalize_properties(properties: Mapping[str, Any]) -> Schema:
    kept: Schema = {}
    for name, schema in properties.items():
        if not isinstance(schema, Mapping):
            logger.warning("the property %r of a schema is not a schema and is left out: %r", name, schema)
            continue
        kept[name] = _normalize_property(name, schema)
    return kept


def _normalize_property(name: str, schema: Mapping[str, Any]) -> Schema:
    if isinstance(schema.get("type"), list):
        single = _read_types(schema["type"])
        inner = {key: value for key, value in schema.items() if key != "type"} | single
        return _normalize_property(name, inner) | {key: True for key in single if key == "nullable"}
    read: Schema = {}
    chosen = schema
    alternatives = schema.get("anyOf")
    if alternatives and all(one.get("type") != "null" for one in alternatives):
        read["anyOf"] = [_normalize(one) for one in alternatives]
    elif schema.get("type") or alternatives or schema.get("type_"):
        read["type"] = _find_type(schema) or "STRING"
        if _is_nullable(schema):
            read["nullable"] = True
        if alternatives:
            chosen = _choose(schema, alternatives, read["type"])
    if chosen.get("enum"):
        read["enum"] = chosen["enum"]
    description = chosen.get("description") or schema.get("description")
    if isinstance(description, str) and description:
        read["description"] = description
    if read.get("type") == "ARRAY" and chosen.get("items") is not None:
        read["items"] = _normalize_items(chosen["items"])
    if read.get("type") == "OBJECT":
        _add_members(read, chosen)
    if name == "title" and "description" not in read:
        read["description"] = f"{name} is {dict(chosen)}"
    return read


def _choose(schema: Mapping[str, Any], alternatives: list[Any], type_name: str) -> Mapping[str, Any]:
    """Return the last alternative of the property's type, with the values and items of the property itself."""
    if type_name in ("ARRAY", "OBJECT"):
        fitting = [one for one in alternatives if one.get("type") == type_name.lower()]
    else:
        fitting = [one for one in alternatives if one.get("type") != "null"]
    if not fitting:
        return schema
    own = {key: schema[key] for key in ("enum", "items") if schema.get(key) and not fitting[-1].get(key)}
    return {**fitting[-1], **own}


def _add_members(read: Schema, schema: Mapping[str, Any]) -> None:
    alternatives = schema.get("anyOf")
    if isinstance(alternatives, list) and alternatives and isinstance(alternatives[0], Mapping):
        schema = alternatives[0]
    members = schema.get("properties")
    if members:
        read["properties"] = _normalize_properties(members) if isinstance(members, Mapping) else {}
        if isinstance(members, Mapping):
            read["required"] = [name for name, member in members.items() if "default" not in member]
    elif not schema.get("additionalProperties"):
        read["type"] = "STRING"


def _normalize_items(items: Any) -> Schema:
    if isinstance(items, list):
        return {
            f"item{place}": _normalize_properties(item) if isinstance(item, Mapping) else {}
            for place, item in enumerate(items)
        }
    if isinstance(items, str):
        items = {"type": items or "string"}
    if not isinstance(items, Mapping):
        return {}
    if isinstance(items.get("type"), list):
        items = {**items, **_read_types(items["type"])}
    read: Schema = {"type": _find_type(items) or "STRING"}
    if read["type"] == "OBJECT" and "properties" in items:
        read["properties"] = _normalize_properties(items["properties"])
    if read["type"] == "ARRAY" and "items" in items:
        read["items"] = _normalize(items["items"])
    if "title" in items or "description" in items:
        read["description"] = items.get("description") or items.get("title")
    for key in ("enum", "required"):
        if key in items:
            read[key] = items[key]
    if _is_nullable(items):
        read["nullable"] = True
    return read


def _find_type(schema: Mapping[str, Any]) -> str | None:
    """Return the type of a schema; of alternatives, the last one's; ``None`` for ``null`` and without a type."""
    if "anyOf" in schema:
        types = [found for one in schema["anyOf"] if (found := _find_type(one)) is not None]
        return types[-1] if types else None
    value = schema.get("type", schema.get("type_"))
    if isinstance(value, bool | int):
        raise ValueError(f"Invalid type, int not supported: {value}")
    if isinstance(value, Mapping):
        value = value["_value_"]
    return None if not isinstance(value, str) or value == "null" else _to_type(value)


def _is_nullable(schema: Mapping[str, Any]) -> bool:
    return any(_find_type(one) is None for one in schema.get("anyOf", ()))
