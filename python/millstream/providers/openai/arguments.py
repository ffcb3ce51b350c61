"""The arguments of models with OpenAI's protocol.

The parameters of an endpoint are listed in the order of the OpenAI SDK, so that bodies can be compared
byte by byte.
"""

from collections.abc import Mapping
from typing import Any

from ...errors import UnsupportedError

__all__ = ("CALL_ARGUMENTS", "CHAT", "COMPLETIONS", "KEYS", "refuse_responses")

CHAT = (
    *("model", "stream", "service_tier", "messages", "audio", "frequency_penalty", "function_call", "functions"),
    *("logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n"),
    *("parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed", "stop", "store"),
    *("stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity"),
    "web_search_options",
)
COMPLETIONS = (
    *("model", "stream", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens"),
    *("n", "presence_penalty", "seed", "stop", "stream_options", "suffix", "temperature", "top_p", "user"),
)
CALL_ARGUMENTS = frozenset(
    {"stream_usage", "context_management", "include", "previous_response_id", "reasoning", "text", "truncation"}
)
"""Arguments of a call beside the parameters of an endpoint: of the stream, and of the Responses API."""
KEYS = frozenset({"api_key", "openai_api_key", "azure_ad_token"})
"""The arguments that hold a key."""
# The models, fields and arguments of a call for which LangChain uses the Responses API.
_RESPONSES_MODELS = ("gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.6-sol")
_RESPONSES_FIELDS = ("context_management", "include", "reasoning", "truncation")
_RESPONSES_ARGUMENTS = (*_RESPONSES_FIELDS, "previous_response_id", "text")


def refuse_responses(model: Any, params: Mapping[str, Any]) -> None:
    """Raise :class:`~millstream.errors.UnsupportedError` for a call that needs the Responses API.

    ``model`` has the fields of ``ChatOpenAI``; ``params`` are those of the call. With
    ``use_responses_api=False``, chat completions are used for every call.
    """
    if model.use_responses_api is False:
        return
    if reason := _find_responses_reason(model, params):
        raise UnsupportedError(
            f"{reason} needs OpenAI's Responses API, which is not supported yet;"
            " use_responses_api=False uses chat completions instead"
        )


def _find_responses_reason(model: Any, params: Mapping[str, Any]) -> str | None:
    if model.use_responses_api:
        return "use_responses_api=True"
    if model.output_version == "responses/v1":
        return "output_version='responses/v1'"
    if model.use_previous_response_id:
        return "use_previous_response_id=True"
    names = [name for name in _RESPONSES_FIELDS if getattr(model, name) is not None]
    names += [name for name in _RESPONSES_ARGUMENTS if name in params]
    if names:
        return names[0]
    name = model.model_name or ""
    if name.startswith(_RESPONSES_MODELS) or "codex" in name:
        return f"the model {name}"
    tools = params.get("tools") or ()
    if name.lower().startswith("gpt-6") and tools:
        return f"the model {name} with tools"
    types = [tool["type"] for tool in tools if isinstance(tool, Mapping) and tool.get("type", "function") != "function"]
    return f"the built-in tool {types[0]!r}" if types else None
