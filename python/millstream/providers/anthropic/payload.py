"""``build_payload``: the parameters of a request, from a model's fields and the arguments of a call."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...messages.ai import AIMessage
from .arguments import check_model_params
from .betas import find_betas
from .conversation import format_messages
from .standard_blocks import from_standard

if TYPE_CHECKING:
    from .fields import AnthropicFields

__all__ = ("build_payload", "format_conversation")


def build_payload(
    model: AnthropicFields, messages: Sequence[Any], stop: list[str] | None, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a request, without those that are ``None``.

    Raises :class:`ValueError` for parameters or messages that the model does not support.
    """
    requested = {**model.model_kwargs, **kwargs}
    _check(model, requested)
    system, turns = format_conversation(model, messages)
    params: dict[str, Any] = {
        "model": model.model,
        "max_tokens": model.max_tokens,
        "messages": turns,
        "temperature": model.temperature,
        "top_k": model.top_k,
        "top_p": model.top_p,
        "stop_sequences": stop or model.stop_sequences,
        "betas": model.betas,
        "context_management": model.context_management,
        "mcp_servers": model.mcp_servers,
        "container": model.container,
        "user_profile_id": model.user_profile_id,
        "system": system,
        **requested,
    }
    if model.thinking is not None:
        params["thinking"] = model.thinking
    if model.inference_geo is not None:
        params["inference_geo"] = model.inference_geo
    if model.model.startswith("claude-fable-5"):
        for name in ("temperature", "top_k", "top_p"):
            params.pop(name, None)
    _set_output_config(model, params)
    _set_container(model, params, messages)
    params["betas"] = find_betas(params)
    return {name: value for name, value in params.items() if value is not None}


def format_conversation(model: AnthropicFields, messages: Sequence[Any]) -> tuple[Any, list[dict[str, Any]]]:
    """Return the system prompt and the turns of ``messages``."""
    accepts_system = bool((model.profile or {}).get("mid_conversation_system_messages"))
    system, turns = format_messages(
        [*map(_from_standard, messages)], model=model.model, mid_conversation_system_messages=accepts_system
    )
    return (None if system == [] else system), turns


def _from_standard(message: Any) -> Any:
    """Return ``message`` with its content in Anthropic's format, if it is an answer of standard blocks."""
    if not isinstance(message, AIMessage) or message.response_metadata.get("output_version") != "v1":
        return message
    content: Any = message.content
    provider = message.response_metadata.get("model_provider")
    return message.model_copy(update={"content": from_standard(content, provider)})


def _check(model: AnthropicFields, requested: Mapping[str, Any]) -> None:
    effort = requested.get("effort")
    effort = requested.get("reasoning_effort") if effort is None else effort
    output = requested.get("output_config")
    configs = [model.output_config or {}, {"effort": model.reasoning_effort} if model.reasoning_effort else {}]
    configs += [output if isinstance(output, dict) else {}, {"effort": effort} if effort else {}]
    efforts = [config["effort"] for config in configs if "effort" in config]
    params = {name: requested.get(name, getattr(model, name)) for name in ("top_k", "top_p", "temperature")}
    thinking = requested.get("thinking") if model.thinking is None else model.thinking
    check_model_params(model.model, {**params, "thinking": thinking, "effort": efforts[-1] if efforts else None})


def _set_output_config(model: AnthropicFields, params: dict[str, Any]) -> None:
    """Set ``output_config`` to the model's and the call's, with the effort and the format of the answer."""
    config: dict[str, Any] = dict(model.output_config or {})
    has_effort = bool(model.reasoning_effort)
    if model.reasoning_effort:
        config["effort"] = model.reasoning_effort
    if isinstance(params.get("output_config"), dict):
        config.update(params["output_config"])
    effort, named = params.pop("effort", None), params.pop("reasoning_effort", None)
    if effort := named if effort is None else effort:
        config["effort"] = effort
        has_effort = True
    if has_effort and "thinking" not in params and "xhigh" in ((model.profile or {}).get(_LEVELS) or ()):
        params["thinking"] = {"type": "adaptive", "display": "summarized"}
    if "response_format" in params:
        config["format"] = _read_format(params.pop("response_format"))
    if "output_format" in params:
        warnings.warn(
            "The 'output_format' parameter is deprecated. Use 'output_config={\"format\": ...}' instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        config["format"] = params.pop("output_format")
    if config:
        params["output_config"] = config


_LEVELS = "reasoning_effort_levels"


def _read_format(format: Any) -> dict[str, Any]:
    from .output_schemas import build_output_format

    if isinstance(format, dict) and format.get("type") == "json_schema" and "schema" in format.get("json_schema", {}):
        format = format["json_schema"]["schema"]
    return build_output_format(format)


def _set_container(model: AnthropicFields, params: dict[str, Any], messages: Sequence[Any]) -> None:
    """Set the container to that of the last answer that had one, if the model is to use it again."""
    container = params.get("container")
    if model.reuse_last_container and not _container_id(container):
        answers = [message for message in reversed(messages) if isinstance(message, AIMessage)]
        last = [message.response_metadata.get("container") for message in answers]
        ids = [one["id"] for one in last if isinstance(one, dict) and one.get("id")]
        if ids:
            params["container"] = {**container, "id": ids[0]} if isinstance(container, dict) else ids[0]
    if isinstance(container, dict) and container.get("skills"):
        tools = [tool for tool in params.get("tools") or () if isinstance(tool, dict)]
        if not any(str(tool.get("type", "")).startswith("code_execution") for tool in tools):
            warnings.warn(
                "Skills require a code execution tool to be bound, e.g."
                ' `bind_tools([{"type": "code_execution_20260521", "name": "code_execution"}])`.',
                stacklevel=2,
            )


def _container_id(container: Any) -> Any:
    return container.get("id") if isinstance(container, dict) else container if isinstance(container, str) else None
