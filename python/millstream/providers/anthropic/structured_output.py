"""Structured output: the parameters that request a schema, and the parser of the answer."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import OutputParserException
from ...function_calling import convert_to_openai_tool
from ...language_models.structured_output import StructuredModel, call_parser, pipe_to_parser, text_parser
from .output_schemas import build_output_format
from .tools import convert_to_anthropic_tool, thinks

if TYPE_CHECKING:
    from ...runnables.runnable import Runnable

__all__ = ("build_structured_model",)

# Models that cannot be made to call a tool.
_FREE = ("claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5-5")


class AnthropicModel(StructuredModel, Protocol):
    """The interface of a chat model that structured output uses here."""

    model: str
    thinking: dict[str, Any] | None


def build_structured_model(
    model: AnthropicModel, schema: Any, *, method: str, include_raw: bool, strict: bool | None
) -> Runnable[Any, Any]:
    """Return ``model``, bound to the parameters that request ``schema`` and piped to the parser of its answers."""
    if method == "json_mode":
        warnings.warn(
            "Unrecognized structured output method 'json_mode'. Defaulting to 'json_schema' method.", stacklevel=3
        )
        method = "json_schema"
    if method == "function_calling":
        bound, parser = _bind_tool(model, schema, strict)
    elif method == "json_schema":
        bound, parser = _bind_schema(model, schema)
    else:
        raise ValueError(
            f"Unrecognized structured output method '{method}'. Expected 'function_calling' or 'json_schema'."
        )
    return pipe_to_parser(bound, parser, include_raw=include_raw)


def _bind_tool(model: AnthropicModel, schema: Any, strict: bool | None) -> tuple[Any, Any]:
    tool = convert_to_anthropic_tool(schema)
    arguments: dict[str, Any] = {
        "ls_structured_output_format": {"kwargs": {"method": "function_calling"}, "schema": tool}
    }
    if strict is not None:
        arguments["strict"] = strict
    if thinks(model.thinking) or model.model.startswith(_FREE):
        bound = model.bind_tools([schema], **arguments).pipe(_require_call(model.model))
    else:
        bound = model.bind_tools([schema], tool_choice=tool["name"], **arguments)
    return bound, call_parser(schema, tool["name"])


def _require_call(name: str) -> Any:
    """Return a function that raises for an answer without a tool call; warn that there may be such answers."""
    admonition = (
        "You are attempting to use structured output via forced tool calling, which is not supported when `thinking` is"
        f" enabled or on {name}. This method will raise an OutputParserException if tool calls are not generated."
        " Consider `method='json_schema'`, disabling `thinking` where supported, or adjusting your prompt to ensure"
        " the tool is called."
    )
    warnings.warn(admonition, stacklevel=5)

    def require_call(message: Any) -> Any:
        if not message.tool_calls:
            raise OutputParserException(admonition)
        return message

    return require_call


def _bind_schema(model: AnthropicModel, schema: Any) -> tuple[Any, Any]:
    bound = model.bind(
        output_config={"format": build_output_format(schema)},
        ls_structured_output_format={
            "kwargs": {"method": "json_schema"},
            "schema": convert_to_openai_tool(schema),
        },
    )
    return bound, text_parser(schema)
