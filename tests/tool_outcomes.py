"""What calls of tools return, in values that are equal for tools of Millstream and of LangChain."""

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ("outcome", "plain", "schemas_of")


def outcome(call: Callable[[], Any]) -> Any:
    """Return the output of a call, or the type and the text of its exception."""
    try:
        return plain(call())
    except Exception as error:
        return plain(error)


def plain(value: Any) -> Any:
    """Return a value without the types of either library."""
    if isinstance(value, BaseException):
        return type(value).__name__, str(value).replace("langchain_core", "millstream")
    if hasattr(value, "tool_call_id"):
        return value.content, value.tool_call_id, value.name, value.status, plain(value.artifact)
    if hasattr(value, "page_content"):
        return value.page_content, value.metadata
    return [plain(one) for one in value] if isinstance(value, list) else value


def schemas_of(tool: Any) -> dict[str, Any]:
    """Return what a tool says of itself."""
    call_schema = tool.tool_call_schema
    schema = call_schema if isinstance(call_schema, dict) else call_schema.model_json_schema()
    return {
        "name": tool.name,
        "description": tool.description,
        "args": tool.args,
        "call_schema": _without_docstrings(schema, tool),
        "input_schema": _without_docstrings(tool.get_input_jsonschema(), tool),
        "is_single_input": tool.is_single_input,
        "return_direct": tool.return_direct,
        "extras": tool.extras,
        "response_format": tool.response_format,
    }


def _without_docstrings(schema: dict[str, Any], tool: Any) -> dict[str, Any]:
    """Return the schema without what describes the library's own classes."""
    definitions = {name: list(one["properties"]) for name, one in schema.get("$defs", {}).items()}
    inherited = {"description": ""} if schema.get("description") == inspect.getdoc(type(tool)._run) else {}
    return {**schema, "$defs": definitions, **inherited}
