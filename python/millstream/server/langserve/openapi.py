"""The bodies of requests, for FastAPI's OpenAPI document."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ...function_calling.references import dereference_refs
from ...runnables.runnable import Runnable

__all__ = ("describe_request",)


def describe_request(runnable: Runnable[Any, Any], name: str) -> dict[str, Any]:
    """Return OpenAPI's description of a route's body; an input without a schema may be anything."""
    schema: dict[str, Any] = {}
    with suppress(Exception):
        # References would have to be resolved in the whole document.
        schema = dereference_refs(runnable.get_input_jsonschema())
        schema.pop("$defs", None)
    config: dict[str, Any] = {"title": "Config", "type": "object"}
    if name == "batch":
        configs = {"anyOf": [config, {"type": "array", "items": config}]}
        properties = {"inputs": {"title": "Inputs", "type": "array", "items": schema}, "config": configs}
    else:
        properties = {"input": schema, "config": config}
    body = {
        "title": name.title().replace("_", "") + "Request",
        "type": "object",
        "required": [next(iter(properties))],
        "properties": properties,
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}
