"""Builds the parameters of a request to Ollama's chat endpoint."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ...messages.base import BaseMessage
from .messages import to_ollama_message
from .tools import reduce_tool

__all__ = ("ENDPOINT_PARAMS", "OPTIONS", "build_params", "resolve_format")

ENDPOINT_PARAMS = (
    *("model", "stream", "options", "format", "keep_alive", "messages", "tools", "think", "logprobs", "top_logprobs"),
)
"""The parameters of the endpoint, in the order of the SDK."""
OPTIONS = (
    *("mirostat", "mirostat_eta", "mirostat_tau", "num_ctx", "num_gpu", "num_thread", "num_predict"),
    *("repeat_last_n", "repeat_penalty", "temperature", "seed", "stop", "tfs_z", "top_k", "top_p"),
)
"""The fields of a model that are options of the request."""


def build_params(
    model: Any, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any], *, stream: bool
) -> dict[str, Any]:
    """Return the parameters in a request's body: the fields of ``model``, overridden by those of the call.

    ``options`` of a call replace those of the model. Raises :class:`ValueError` if both the model and the call
    have ``stop``.
    """
    call = {name: value for name, value in kwargs.items() if name not in ("ls_structured_output_format", "strict")}
    if model.stop is not None and stop is not None:
        raise ValueError("`stop` found in both the input and default params.")
    options = call.pop("options", None)
    if options is None:
        values = {name: getattr(model, name) for name in OPTIONS}
        values["stop"] = model.stop if stop is None else stop
        options = {name: value for name, value in values.items() if value is not None}
    format = resolve_format(call.pop("format", model.format), call.pop("response_format", None))
    think = call.pop("reasoning", model.reasoning)
    params = {
        **{name: getattr(model, name) for name in ("model", "logprobs", "top_logprobs", "keep_alive", "extra_body")},
        **{"options": options, "format": format, "think": think, "tools": []},
        **model.model_kwargs,
        **call,
        "stream": stream,
        "messages": [to_ollama_message(message) for message in messages],
    }
    params["tools"] = [reduce_tool(tool) for tool in params["tools"] or ()]
    return {name: value for name, value in params.items() if value is not None}


def resolve_format(format: Any, response_format: Any) -> Any:
    """Return the ``format`` of a request: the model's or the call's own, or else that of OpenAI's ``response_format``.

    A ``response_format`` that has no equivalent is ignored, with a warning.
    """
    if format is not None:
        if response_format is not None:
            _warn(
                "Both 'format' and 'response_format' were provided. "
                "'response_format' will be ignored in favor of 'format'."
            )
        return format
    return None if response_format is None else _convert_response_format(response_format)


def _convert_response_format(response_format: Any) -> Any:
    if not isinstance(response_format, Mapping):
        return _warn(f"Ignored invalid 'response_format' type: {type(response_format)}. Expected a dictionary.")
    kind = response_format.get("type")
    if kind == "json_object":
        return "json"
    if kind != "json_schema":
        return _warn(f"Ignored unrecognized 'response_format' type: {kind}. Expected 'json_object' or 'json_schema'.")
    block = response_format.get("json_schema")
    if not isinstance(block, Mapping):
        return _warn(
            f"response_format has type 'json_schema' but 'json_schema' value is {type(block)}, expected a dict "
            "containing a 'schema' key. The format parameter will not be set."
        )
    if (schema := block.get("schema")) is None:
        _warn(
            "response_format has type 'json_schema' but no 'schema' key was found in 'json_schema'. "
            "The format parameter will not be set."
        )
    return schema


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=6)
