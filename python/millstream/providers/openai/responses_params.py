"""The parameters of a request to the Responses API, and which calls it serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from ..._model_classes import is_model_class, schema_of_model
from ...function_calling import convert_to_response_format
from ...function_calling.formats import json_schema_format

__all__ = ("RESPONSES", "RESPONSES_ONLY", "to_responses_params", "uses_responses")

RESPONSES = (
    *("model", "stream", "service_tier", "access_programs", "background", "background_options"),
    *("context_management", "conversation", "image", "include", "input", "instructions", "max_output_tokens"),
    *("max_tool_calls", "metadata", "moderation", "parallel_tool_calls", "previous_response_id", "prompt"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "store"),
    *("stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"),
)
"""The parameters of the endpoint, in the order of the OpenAI SDK."""

RESPONSES_ONLY = frozenset({"context_management", "include", "previous_response_id", "reasoning", "text", "truncation"})
"""The parameters for which a call uses the Responses API."""

_FIELDS = ("context_management", "include", "reasoning", "truncation")
_MODELS = ("gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.6-sol")
# Options of a request, and arguments of a call that are not sent.
_OPTIONS = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})


class ResponsesFields(Protocol):
    """The fields of a chat model that decide which API a call uses."""

    model_name: str
    output_version: str | None
    use_previous_response_id: bool
    use_responses_api: bool | None
    context_management: list[dict[str, Any]] | None
    include: list[str] | None
    reasoning: dict[str, Any] | None
    truncation: str | None


def uses_responses(model: ResponsesFields, params: Mapping[str, Any]) -> bool:
    """Return whether a call with ``params`` uses the Responses API: as LangChain decides, unless the model says so."""
    if isinstance(model.use_responses_api, bool):
        return model.use_responses_api
    if model.output_version == "responses/v1" or model.use_previous_response_id:
        return True
    if any(getattr(model, name) is not None for name in _FIELDS):
        return True
    name = model.model_name or ""
    tools = params.get("tools") or ()
    if name.startswith(_MODELS) or "codex" in name or (tools and name.lower().startswith("gpt-6")):
        return True
    return not RESPONSES_ONLY.isdisjoint(params) or any(map(_is_built_in, tools))


def _is_built_in(tool: Any) -> bool:
    return isinstance(tool, Mapping) and tool.get("type", "function") != "function"


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
