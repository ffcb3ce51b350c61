"""Converts functions, classes, typed dicts and dicts to OpenAI's functions and tools, with LangChain's output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from .._model_classes import is_model_class, schema_of_model
from .annotations import SchemaOf, is_typed_dict
from .docstrings import read_docstring
from .references import drop_titles, inline_references, make_strict

__all__ = ("convert_to_json_schema", "convert_to_openai_function", "convert_to_openai_tool")

# Types of tools that OpenAI runs itself, or that are already in its format.
_WELL_KNOWN = (
    *("function", "file_search", "computer", "computer_use_preview", "code_interpreter", "mcp", "image_generation"),
    *("web_search_preview", "web_search", "tool_search", "apply_patch", "namespace"),
)
# Parameters whose arguments the runtime passes, not the model.
_INJECTED = ("run_manager", "callbacks")


def convert_to_openai_tool(tool: object, *, strict: bool | None = None) -> dict[str, Any]:
    """Return ``tool`` in OpenAI's format, ``{"type": "function", "function": …}``; a dict of OpenAI's is copied.

    ``strict`` requires arguments to match the schema. See :func:`convert_to_openai_function`.
    """
    if isinstance(tool, Mapping):
        tool_type = tool.get("type") or ""
        if tool_type in _WELL_KNOWN or str(tool_type).startswith("web_search_preview"):
            return dict(tool)
    return {"type": "function", "function": convert_to_openai_function(tool, strict=strict)}


def convert_to_openai_function(function: object, *, strict: bool | None = None) -> dict[str, Any]:
    """Return ``function`` in OpenAI's format: ``name``, ``description``, ``parameters``.

    ``function`` is a function with annotations and a docstring in Google style, a pydantic class, a
    ``TypedDict`` (its keys described by ``Annotated[type, default, "description"]``, or by the
    docstring), a tool of LangChain's, or a dict: OpenAI's own, a JSON schema with a ``title``,
    Anthropic's, Bedrock's. Raises :class:`ValueError` for anything else.
    """
    described = _describe(function)
    if strict is not None:
        if described.get("strict", strict) != strict:
            raise ValueError(
                f"Tool/function already has a 'strict' key with value {described['strict']} which is different from"
                f" the explicit `strict` arg received {strict=}."
            )
        described["strict"] = strict
        if strict:
            described["parameters"] = make_strict(described["parameters"])
    return described


def convert_to_json_schema(schema: object, *, strict: bool | None = None) -> dict[str, Any]:
    """Return a JSON schema with a ``title``, from the types that :func:`convert_to_openai_function` accepts."""
    tool = convert_to_openai_tool(schema, strict=strict)
    function = tool.get("function")
    if not isinstance(function, Mapping) or "name" not in function:
        raise ValueError("Input must be a valid OpenAI-format tool.")
    described = {"description": function["description"]} if "description" in function else {}
    return {"title": function["name"], **described, **function.get("parameters", {})}


def _describe(function: object) -> dict[str, Any]:
    if isinstance(function, Mapping):
        return _of_dict(function)
    if is_model_class(function):
        return _of_schema(schema_of_model(function))
    if is_typed_dict(function):
        return _of_typed_dict(function)
    if hasattr(function, "tool_call_schema") and hasattr(function, "name"):
        return _of_tool(function)
    if callable(function):
        return _of_function(function)
    raise ValueError(
        f"Unsupported function\n\n{function}\n\nFunctions must be passed in as Dict, pydantic.BaseModel, or Callable."
        " If they're a dict they must either be in OpenAI function format or valid JSON schema with top-level 'title'"
        " key."
    )


def _of_dict(function: Mapping[str, Any]) -> dict[str, Any]:
    spec = function.get("toolSpec", function)
    described = {"description": spec["description"]} if "description" in spec else {}
    if "toolSpec" in function:
        return {"name": spec["name"], "parameters": spec["inputSchema"]["json"], **described}
    if "name" in function and "input_schema" in function:
        return {"name": function["name"], "parameters": function["input_schema"], **described}
    if "name" in function:
        kept = ("name", "description", "parameters", "strict")
        return {key: value for key, value in function.items() if key in kept}
    if "title" in function:
        rest = {key: value for key, value in function.items() if key not in ("title", "description")}
        parameters = {"parameters": rest} if "properties" in rest else {}
        return {"name": function["title"], **described, **parameters}
    raise ValueError(
        f"Unsupported function\n\n{function}\n\nTo use a JSON schema as a function, it must have a top-level 'title'"
        " key to be used as the function name."
    )


def _of_schema(schema: Mapping[str, Any], name: str = "", description: str = "") -> dict[str, Any]:
    inlined = inline_references(schema)
    title, own_description = inlined.pop("title", ""), inlined.pop("description", "")
    return {"name": name or title, "description": description or own_description, "parameters": drop_titles(inlined)}


def _of_tool(tool: Any) -> dict[str, Any]:
    schema = tool.tool_call_schema
    if isinstance(schema, Mapping):
        return _of_schema(schema, tool.name, tool.description)
    if is_model_class(schema):
        return _of_schema(schema_of_model(schema), tool.name, tool.description)
    raise ValueError(f"Unsupported tool call schema: {schema}. It must be a JSON schema dict or a pydantic class.")


def _of_typed_dict(cls: Any) -> dict[str, Any]:
    description, parameters = SchemaOf(first=True).typed_dict(cls)
    return {"name": cls.__name__, "description": description, "parameters": parameters}


def _of_function(function: Callable[..., Any]) -> dict[str, Any]:
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    description, arguments = read_docstring(inspect.getdoc(function))
    in_class = "." in getattr(function, "__qualname__", "")
    schema_of = SchemaOf()
    properties: dict[str, Any] = {}
    required = []
    for place, parameter in enumerate(signature.parameters.values()):
        name = parameter.name
        is_owner = place == 0 and in_class and name in ("self", "cls")
        if is_owner or name in _INJECTED or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        schema = schema_of(hints[name]) if name in hints else {}
        if name in arguments:
            schema["description"] = arguments[name]
        if parameter.default is parameter.empty:
            required.append(name)
        else:
            schema["default"] = parameter.default
        properties[name] = schema
    parameters: dict[str, Any] = {"properties": properties, "type": "object"}
    if required:
        parameters["required"] = required
    return {"name": function.__name__, "description": description, "parameters": parameters}
