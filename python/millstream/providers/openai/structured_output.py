"""Structured output of chat completions: the parameters that request a schema, and the parser of the answer."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, get_origin, is_typeddict

from ..._model_classes import is_first_version
from ...function_calling import convert_to_openai_tool
from ...function_calling.formats import json_schema_format
from ...language_models.structured_output import StructuredModel, call_parser, pipe_to_parser, text_parser

if TYPE_CHECKING:
    from ...runnables.runnable import Runnable

__all__ = ("build_structured_model",)

_METHODS = ("json_schema", "function_calling", "json_mode")


class OpenAIModel(StructuredModel, Protocol):
    """The interface of a chat model that structured output uses here."""

    model_name: str
    disabled_params: dict[str, Any] | None


def build_structured_model(
    model: OpenAIModel,
    schema: Any,
    *,
    method: str,
    include_raw: bool,
    strict: bool | None,
    tools: Sequence[Any] | None,
    kwargs: Mapping[str, Any],
) -> Runnable[Any, Any]:
    """Return ``model``, bound to the parameters that request ``schema`` and piped to the parser of its answers."""
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, not {method!r}")
    if strict is not None and method == "json_mode":
        raise ValueError("Argument `strict` is not supported with `method`='json_mode'")
    if method != "json_mode" and schema is None:
        raise ValueError("schema must be specified when method is not 'json_mode'. Received None.")
    if schema is not None and not _is_schema(schema):
        raise ValueError(
            f"schema must be a pydantic class, a TypedDict or a JSON schema with a title, not {schema!r:.100};"
            " wrap a type that is not an object, such as a list, in a field of one"
        )
    if method == "json_schema" and is_first_version(schema):
        warnings.warn(
            "A class of pydantic.v1 cannot be used with method='json_schema'; method='function_calling' is used"
            " instead. Pass a JSON schema or a class of pydantic's second version.",
            stacklevel=4,
        )
        method = "function_calling"
    if method == "json_schema" and _lacks_json_schema(model.model_name or ""):
        warnings.warn(
            f"Cannot use method='json_schema' with model {model.model_name} since it doesn't support OpenAI's"
            " Structured Output API; method='function_calling' is used instead.",
            stacklevel=4,
        )
        method = "function_calling"
    if method == "function_calling":
        bound, parser = _bind_tool(model, schema, strict, dict(kwargs))
    elif method == "json_mode":
        format = {"kwargs": {"method": method}, "schema": schema}
        bound = model.bind(
            **{"response_format": {"type": "json_object"}, "ls_structured_output_format": format, **kwargs}
        )
        parser = text_parser(schema)
    else:
        bound, parser = _bind_schema(model, schema, strict, tools, dict(kwargs))
    return pipe_to_parser(bound, parser, include_raw=include_raw)


def _is_schema(schema: object) -> bool:
    """Return whether ``schema`` may describe an object: not a text, not a value, not ``int`` or ``list[…]``."""
    if isinstance(schema, Mapping) or hasattr(schema, "args_schema"):
        return True
    origin = get_origin(schema)
    # By identity: a class of executed code may have ``builtins`` as its module.
    is_builtin = vars(builtins).get(getattr(schema, "__name__", "")) is schema
    return callable(schema) and not is_builtin and (origin is None or is_typeddict(origin))


def _lacks_json_schema(name: str) -> bool:
    return name.startswith(("gpt-3", "gpt-4-")) or name == "gpt-4"


def _bind_tool(model: OpenAIModel, schema: Any, strict: bool | None, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    name = convert_to_openai_tool(schema)["function"]["name"]
    arguments = {
        "tool_choice": name,
        "parallel_tool_calls": False,
        "strict": strict,
        "ls_structured_output_format": {
            "kwargs": {"method": "function_calling", "strict": strict},
            "schema": schema,
        },
        **kwargs,
    }
    disabled = model.disabled_params or {}
    arguments = {
        key: value for key, value in arguments.items() if key not in disabled or not _is_disabled(value, disabled[key])
    }
    bound = model.bind_tools([schema], **arguments)
    return bound, call_parser(schema, name)


def _is_disabled(value: Any, values: Any) -> bool:
    return values is None or value in values


def _bind_schema(
    model: OpenAIModel, schema: Any, strict: bool | None, tools: Sequence[Any] | None, kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    arguments: dict[str, Any] = {
        "response_format": json_schema_format(schema, strict=strict),
        "ls_structured_output_format": {
            "kwargs": {"method": "json_schema", "strict": strict},
            "schema": convert_to_openai_tool(schema),
        },
        **kwargs,
    }
    if tools:
        arguments["tools"] = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
    return model.bind(**arguments), text_parser(schema)
