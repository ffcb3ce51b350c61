"""Tools as Gemini's: declarations of functions, the server's own tools, and which of them a model has to call."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._model_classes import is_model_class, schema_of_model
from ...errors import UnsupportedError
from ...function_calling import convert_to_openai_tool
from ..http.arguments import list_tools
from .names import to_camel, to_snake
from .parts import to_enum
from .schemas import convert_schema

__all__ = ("bind_format", "convert_tool_config", "convert_tools", "list_names")

WireTool = dict[str, Any]

# The server's own tools, each in a tool of its own.
_BUILT_IN = (
    *("google_search_retrieval", "google_search", "google_maps", "code_execution", "url_context", "computer_use"),
    *("enterprise_web_search", "file_search", "retrieval", "parallel_ai_search", "exa_ai_search", "mcp_servers"),
)
_VERTEX_ONLY = frozenset({"enterprise_web_search", "retrieval", "parallel_ai_search", "exa_ai_search"})
# The tools whose members are named as in JSON, not as in Python.
_CAMEL = frozenset({"google_search", "google_maps"})


def bind_format(tools: Sequence[Any]) -> list[Any]:
    """Return ``tools`` as a call has them: functions in OpenAI's format, and the server's own tools as they are."""
    items = list_tools(tools)
    if not any(map(_is_native, items)):
        return [convert_to_openai_tool(tool) for tool in items]
    # Beside the server's own tools, functions are declared as LangChain declares them there.
    return [_to_native(tool) if _is_native(tool) else _describe(tool) for tool in items]


def convert_tools(tools: Sequence[Any] | None) -> list[WireTool]:
    """Return ``tools`` as a request has them: the server's own ones, then one with all declarations of functions."""
    if not tools:
        return []
    built_in: list[WireTool] = []
    declarations: list[dict[str, Any]] = []
    for tool in tools:
        native = _to_native(tool) if _is_native(tool) else None
        if native is None:
            declarations.append(_declare(tool))
            continue
        found = [name for name in _BUILT_IN if native.get(name) is not None]
        if len(found) > 1:
            raise ValueError(
                f"A single tool dict cannot have multiple special tool types. Found: {found}. Each special tool type"
                " must be in a separate dict or Tool object."
            )
        built_in += [_convert_built_in(name, native[name]) for name in found]
        declarations += [_declare(function) for function in _list_functions(native)]
    if sum("googleSearchRetrieval" in tool for tool in built_in) > 1:
        raise ValueError(
            "Providing multiple google_search_retrieval tools is not supported. Only one google_search_retrieval tool"
            " can be used at a time."
        )
    return [*built_in, {"functionDeclarations": declarations}] if declarations else built_in


def _is_native(tool: object) -> bool:
    """Return whether a tool is one of Gemini's: an object of Google's SDK, or a dict with its members."""
    if isinstance(tool, Mapping):
        names = {to_snake(key) for key in tool if isinstance(key, str)}
        return not names.isdisjoint(_BUILT_IN) or "function_declarations" in names
    return hasattr(tool, "function_declarations") and hasattr(tool, "model_dump")


def _to_native(tool: Any) -> dict[str, Any]:
    values = tool if isinstance(tool, Mapping) else tool.model_dump(exclude_none=True, mode="json")
    return {to_snake(key): value for key, value in values.items()}


def _list_functions(native: Mapping[str, Any]) -> Sequence[Any]:
    functions = native.get("function_declarations") or ()
    if isinstance(functions, Mapping | str) or not isinstance(functions, Sequence):
        raise ValueError(f"function_declarations should be a list, got '{type(functions)}'")
    return functions


def _convert_built_in(name: str, value: Any) -> WireTool:
    if name in _VERTEX_ONLY:
        raise UnsupportedError(f"the tool {name} is Vertex AI's; the Gemini API has google_search and file_search")
    dump = getattr(value, "model_dump", None)
    members = dump(exclude_none=True, mode="json") if callable(dump) else value
    members = _name_members(members, camel=name in _CAMEL)
    if name == "computer_use" and "environment" in members:
        environment = members["environment"]
        members["environment"] = to_enum(environment["_value_"] if isinstance(environment, dict) else environment)
    return {to_camel(name): members}


def _name_members(value: Any, *, camel: bool) -> Any:
    if isinstance(value, Mapping):
        rename = to_camel if camel else to_snake
        return {rename(key): _name_members(item, camel=False) for key, item in value.items() if item is not None}
    return [_name_members(item, camel=False) for item in value] if isinstance(value, list | tuple) else value


# Functions.


def _declare(tool: Any) -> dict[str, Any]:
    """Return the declaration of a function, in any form."""
    function = dict(tool) if isinstance(tool, Mapping) else _describe(tool)
    if function.get("type") == "function" and "function" in function:
        function = dict(function["function"])
    elif (parameters := function.get("parameters")) and parameters.get("properties") and "name" not in function:
        function = convert_to_openai_tool(function)["function"]
    parameters = function.get("parameters") or {}
    schema = convert_schema(parameters) if parameters.get("properties") else None
    declared: dict[str, Any] = {"name": str(function.get("name") or function.get("title") or "MISSING_NAME")}
    if function.get("description"):
        declared["description"] = function["description"]
    return {**declared, "parameters": schema} if schema else declared


def _describe(tool: Any) -> dict[str, Any]:
    """Return the name, the description and the schema of a tool that is not a dict."""
    if isinstance(tool, Mapping):
        return dict(convert_to_openai_tool(tool)["function"])
    if is_model_class(tool):
        schema = {key: value for key, value in schema_of_model(tool).items() if key != "definitions"}
        title, description = schema.pop("title", None), schema.pop("description", None)
        return {"name": title, "description": description, "parameters": schema}
    if not hasattr(tool, "args_schema") and inspect.isroutine(tool):
        from ...tools import tool as make_tool

        tool = make_tool(tool)
    if not hasattr(tool, "args_schema"):
        return dict(convert_to_openai_tool(tool)["function"])
    schema = _read_schema(tool)
    return {"name": tool.name, "description": tool.description or schema.get("description"), "parameters": schema}


def _read_schema(tool: Any) -> dict[str, Any]:
    """Return the schema of a tool's arguments, without those that are injected."""
    if not tool.args_schema:
        return {"type": "object", "properties": {"__arg1": {"type": "string"}}, "required": ["__arg1"]}
    schema = _dump_schema(tool.args_schema)
    called = _dump_schema(getattr(tool, "tool_call_schema", None) or tool.args_schema)
    properties, known = schema.get("properties") or {}, called.get("properties") or {}
    if properties.keys() != known.keys():
        schema["properties"] = {name: value for name, value in properties.items() if name in known}
        schema["required"] = [name for name in schema.get("required", ()) if name in known]
    return schema


def _dump_schema(schema: Any) -> dict[str, Any]:
    return dict(schema) if isinstance(schema, Mapping) else schema_of_model(schema)


# Which tools the model has to call.


def list_names(tools: Iterable[WireTool]) -> list[str]:
    """Return the names of the functions among ``tools``."""
    return [function["name"] for tool in tools for function in tool.get("functionDeclarations", ())]


def convert_tool_config(choice: Any, config: Any, tools: Sequence[WireTool]) -> dict[str, Any] | None:
    """Return the configuration of tools: ``choice`` among the functions, and the rest from ``config``."""
    dump = getattr(config, "model_dump", None)
    values = dump(exclude_none=True, mode="json") if callable(dump) else config
    given = {to_camel(key): value for key, value in (values or {}).items()}
    calling = given.get("functionCallingConfig")
    if not choice:
        return _convert_config(given) if given else None
    if calling:
        raise ValueError(
            "Cannot specify both tool_choice and tool_config.function_calling_config. Received"
            f" tool_choice={choice!r} and tool_config.function_calling_config={calling}"
        )
    if not tools:
        raise ValueError(
            f"Received tool_choice={choice!r} but no formatted_tools. 'tool_choice' can only be specified if 'tools'"
            " is specified."
        )
    names = list_names(tools)
    if not names:
        return _convert_config(given) if given else None
    retrieval = {"retrievalConfig": given["retrievalConfig"]} if "retrievalConfig" in given else {}
    return _convert_config({**retrieval, "functionCallingConfig": _convert_choice(choice, names)})


def _convert_choice(choice: Any, names: list[str]) -> dict[str, Any]:
    if choice is True or choice in ("any", "required"):
        return {"mode": "ANY", "allowed_function_names": names}
    if choice in ("auto", "none"):
        return {"mode": choice.upper()}
    if isinstance(choice, str | list):
        return {"mode": "ANY", "allowed_function_names": [choice] if isinstance(choice, str) else choice}
    if isinstance(choice, Mapping):
        if "mode" in choice:
            return dict(choice)
        if "function_calling_config" in choice:
            return dict(choice["function_calling_config"])
        if choice.get("type") == "function" and isinstance(choice.get("function"), Mapping):
            return {"mode": "ANY", "allowed_function_names": [choice["function"]["name"]]}
    raise ValueError(
        f"Unrecognized tool choice format:\n\ntool_choice={choice!r}\n\nShould match Google GenerativeAI ToolConfig or"
        " FunctionCallingConfig format."
    )


def _convert_config(config: Mapping[str, Any]) -> dict[str, Any]:
    converted = {key: _name_members(value, camel=False) for key, value in config.items()}
    if calling := config.get("functionCallingConfig"):
        members = {to_camel(key): value for key, value in calling.items() if value is not None}
        converted["functionCallingConfig"] = {**members, "mode": to_enum(members.get("mode"))}
    return converted
