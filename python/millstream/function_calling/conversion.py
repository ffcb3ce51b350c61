"""Converts functions, classes, typed dicts and dicts to OpenAI's functions and tools, with LangChain's output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Literal, TypedDict, get_type_hints

from .._kinds import is_kind
from .._model_classes import is_model_class, mentions_pydantic, schema_of_model
from .._signatures import signature_parameters
from .annotations import SchemaOf, encode_default, is_typed_dict
from .docstrings import read_docstring
from .injected import is_injected
from .references import drop_titles, inline_references, make_strict
from .signature_models import FILTERED_ARGS, check_described, create_schema_from_function

__all__ = (
    "FunctionDescription",
    "ToolDescription",
    "convert_to_json_schema",
    "convert_to_openai_function",
    "convert_to_openai_tool",
)

# Types of tools that OpenAI runs itself, or that are already in its format.
_WELL_KNOWN = (
    *("function", "file_search", "computer", "computer_use_preview", "code_interpreter", "mcp", "image_generation"),
    *("web_search_preview", "web_search", "tool_search", "apply_patch", "namespace"),
)


class FunctionDescription(TypedDict):
    """A function in OpenAI's format."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolDescription(TypedDict):
    """A tool in OpenAI's format."""

    type: Literal["function"]
    function: FunctionDescription


def convert_to_openai_tool(tool: object, *, strict: bool | None = None) -> dict[str, Any]:
    """Return ``tool`` in OpenAI's format, ``{"type": "function", "function": …}``; a dict of OpenAI's is copied.

    ``strict`` requires arguments to match the schema. See :func:`convert_to_openai_function`.
    """
    if isinstance(tool, Mapping):
        tool_type = tool.get("type") or ""
        if tool_type in _WELL_KNOWN or str(tool_type).startswith("web_search_preview"):
            return dict(tool)
    if is_kind(type(tool), "Tool") and (custom := _of_custom_tool(tool)):
        return custom
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
        return _of_model(function)
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


def _of_model(cls: Any, name: str = "", description: str = "") -> dict[str, Any]:
    """Convert a pydantic class; pydantic's exception for a type without a JSON schema names the class then."""
    try:
        schema = schema_of_model(cls)
    except Exception as error:
        if type(error).__name__ != "PydanticInvalidForJsonSchema":
            raise
        raise type(error)(
            f"Failed to generate JSON schema for {cls.__name__!r}: {error}\n\nTool argument schemas must be"
            " JSON-serializable. If your schema includes custom Python classes, consider:\n  1. Converting them to"
            " Pydantic models with JSON-compatible fields\n  2. Using primitive types (str, int, float, bool, list,"
            " dict) instead\n  3. Passing the data as serialized JSON strings\n\n"
        ) from error
    return _of_schema(schema, name, description)


def _of_schema(schema: Mapping[str, Any], name: str = "", description: str = "") -> dict[str, Any]:
    inlined = inline_references(schema)
    title, own_description = inlined.pop("title", ""), inlined.pop("description", "")
    return {"name": name or title, "description": description or own_description, "parameters": drop_titles(inlined)}


def _of_custom_tool(tool: Any) -> dict[str, Any] | None:
    """Return a tool that takes a text instead of JSON in OpenAI's format, if its metadata says that it is one."""
    metadata = tool.metadata or {}
    if metadata.get("type") != "custom_tool":
        return None
    form = {"format": metadata["format"]} if "format" in metadata else {}
    return {"type": "custom", "name": tool.name, "description": tool.description, **form}


# The only argument of a tool that takes a text has no name of its own.
_ONE_TEXT = {
    "properties": {"__arg1": {"title": "__arg1", "type": "string"}},
    "required": ["__arg1"],
    "type": "object",
}


def _of_tool(tool: Any) -> dict[str, Any]:
    if is_kind(type(tool), "Tool") and not tool.args_schema:
        return {"name": tool.name, "description": tool.description, "parameters": deepcopy(_ONE_TEXT)}
    schema = tool.tool_call_schema
    if isinstance(schema, Mapping):
        return _of_schema(schema, tool.name, tool.description)
    if is_model_class(schema):
        return _of_model(schema, tool.name, tool.description)
    raise ValueError(f"Unsupported tool call schema: {schema}. It must be a JSON schema dict or a pydantic class.")


def _of_typed_dict(cls: Any) -> dict[str, Any]:
    description, parameters = SchemaOf(first=True).typed_dict(cls)
    return {"name": cls.__name__, "description": description, "parameters": drop_titles(parameters)}


def _of_function(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = signature_parameters(function)
    hints = get_type_hints(function, include_extras=True)
    defaults = [one.default for one in parameters.values()]
    name = function.__name__
    if any(map(mentions_pydantic, (*hints.values(), *defaults))):
        model = create_schema_from_function(name, function, parse_docstring=True, include_injected=False)
        return _of_model(model, name, model.__doc__ or "")
    description, arguments = read_docstring(inspect.getdoc(function))
    check_described(arguments, parameters)
    in_class = "." in getattr(function, "__qualname__", "")
    schema_of = SchemaOf()
    properties: dict[str, Any] = {}
    required = []
    for place, parameter in enumerate(parameters.values()):
        key = parameter.name
        is_owner = place == 0 and in_class and key in ("self", "cls")
        is_variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        is_hidden = key.startswith("_") or key in FILTERED_ARGS or is_injected(hints.get(key))
        if is_owner or is_variable or is_hidden:
            continue
        schema = schema_of(hints[key]) if key in hints else {}
        if key in arguments:
            schema["description"] = arguments[key]
        if parameter.default is parameter.empty:
            required.append(key)
        else:
            schema["default"] = encode_default(parameter.default)
        properties[key] = schema
    schema = drop_titles({"properties": properties, "type": "object"})
    if required:
        schema["required"] = required
    return {"name": name, "description": description, "parameters": schema}
