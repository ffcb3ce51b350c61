"""Detects calls for which LangChain uses OpenAI's Responses API; they are not supported yet, and raise."""

from collections.abc import Mapping
from typing import Any

from ...errors import UnsupportedError

__all__ = ("refuse_responses",)

_MODELS = ("gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.6-sol")
_FIELDS = ("context_management", "include", "reasoning", "truncation")
_ARGUMENTS = (*_FIELDS, "previous_response_id", "text")


def refuse_responses(model: Any, params: Mapping[str, Any]) -> None:
    """Raise :class:`~millstream.errors.UnsupportedError` for a call that needs the Responses API.

    ``model`` has the fields of ``ChatOpenAI``; ``params`` are those of the call. With
    ``use_responses_api=False``, chat completions are used for every call.
    """
    if model.use_responses_api is False:
        return
    if reason := _find_reason(model, params):
        raise UnsupportedError(
            f"{reason} needs OpenAI's Responses API, which is not supported yet;"
            " use_responses_api=False uses chat completions instead"
        )


def _find_reason(model: Any, params: Mapping[str, Any]) -> str | None:
    if model.use_responses_api:
        return "use_responses_api=True"
    if model.output_version == "responses/v1":
        return "output_version='responses/v1'"
    if model.use_previous_response_id:
        return "use_previous_response_id=True"
    names = [name for name in _FIELDS if getattr(model, name) is not None]
    names += [name for name in _ARGUMENTS if name in params]
    if names:
        return names[0]
    name = model.model_name or ""
    if name.startswith(_MODELS) or "codex" in name:
        return f"the model {name}"
    tools = params.get("tools") or ()
    if name.lower().startswith("gpt-6") and tools:
        return f"the model {name} with tools"
    types = [tool["type"] for tool in tools if isinstance(tool, Mapping) and tool.get("type", "function") != "function"]
    return f"the built-in tool {types[0]!r}" if types else None
