"""Converts the parameters of chat completions to those of the Responses API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._model_classes import is_model_class, schema_of_model
from ...function_calling import convert_to_response_format
from ...function_calling.formats import json_schema_format
from .arguments import RESPONSES

__all__ = ("to_responses_params",)

# Options of a request, and arguments of a call that are not sent.
_OPTIONS = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})


def to_responses_params(params: Mapping[str, Any], *, kept: Collection[str]) -> dict[str, Any]:
    """Return the parameters of a call of chat completions, but its messages, as those of the Responses API.

    ``kept`` are the names of parameters that are sent although the endpoint does not document them. Raises
    :class:`TypeError` for any other parameter that the endpoint does not have.
    """
    sent = {key: value for key, value in params.items() if key not in ("stop", "messages")}
    for name in ("max_tokens", "max_completion_tokens"):
        if name in sent:
            sent["max_output_tokens"] = sent.pop(name)
    if "reasoning_effort" in sent and "reasoning" not in sent:
        sent["reasoning"] = {"effort": sent.pop("reasoning_effort")}
    if not _takes_temperature(sent):
        sent.pop("temperature", None)
    if tools := sent.pop("tools", None):
        sent["tools"] = [_convert_tool(tool, streams=bool(sent.get("stream"))) for tool in tools]
    if choice := sent.pop("tool_choice", None):
        sent["tool_choice"] = _flatten(choice)
    _set_text(sent)
    for name in sent:
        if name not in RESPONSES and name not in _OPTIONS and name not in kept:
            raise TypeError(
                f"the Responses API has no parameter {name!r} (to send it anyway, pass extra_body={{{name!r}: …}};"
                " use_responses_api=False uses chat completions)"
            )
    return sent


def _takes_temperature(params: Mapping[str, Any]) -> bool:
    """Return whether the model accepts a temperature: one that reasons does not."""
    name = params.get("model") or ""
    reasons = name.startswith("gpt-5") and "chat" not in name
    return not reasons or (params.get("reasoning") or {}).get("effort") == "none"


def _convert_tool(tool: Any, *, streams: bool) -> Any:
    if not isinstance(tool, Mapping) or tool.get("type") != "image_generation":
        return _flatten(tool)
    if "partial_images" in tool:
        raise NotImplementedError("partial images are not supported: leave partial_images out of the tool")
    # In a stream the API requires it; the events with partial images are passed over.
    return {**tool, "partial_images": 1} if streams else tool


def _flatten(value: Any) -> Any:
    """Return a function, or the choice of one, with its fields beside ``type``, where chat completions nest them."""
    if not isinstance(value, Mapping) or value.get("type") != "function" or "function" not in value:
        return value
    rest = {key: inner for key, inner in value.items() if key not in ("type", "function")}
    return {"type": "function", **value["function"], **rest}


def _set_text(sent: dict[str, Any]) -> None:
    """Move ``response_format`` and ``verbosity`` into ``text``."""
    strict = sent.pop("strict", None) if sent.get("response_format") else None
    text: dict[str, Any] = {}
    if schema := sent.pop("response_format", None):
        text["format"] = _convert_format(schema, strict, streams=bool(sent.get("stream")))
    if (verbosity := sent.pop("verbosity", None)) is not None:
        text["verbosity"] = verbosity
    if text:
        given = sent.get("text")
        sent["text"] = {**given, **text} if isinstance(given, Mapping) else text


def _convert_format(schema: Any, strict: bool | None, *, streams: bool) -> dict[str, Any]:
    if isinstance(schema, Mapping) and schema == {"type": "json_object"}:
        return dict(schema)
    if not is_model_class(schema):
        return _flatten_format(json_schema_format(schema, strict=strict))
    if streams:
        return _flatten_format(json_schema_format(schema_of_model(schema), strict=True))
    return _flatten_format(convert_to_response_format(schema))


def _flatten_format(response_format: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", **response_format["json_schema"]}
