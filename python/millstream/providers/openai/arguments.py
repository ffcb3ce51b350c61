"""The arguments of models with OpenAI's protocol.

The parameters of an endpoint are listed in the order of the OpenAI SDK, so that bodies can be compared
byte by byte.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

__all__ = (
    *("CALL_ARGUMENTS", "CHAT", "COMPLETIONS", "KEYS", "RESPONSES", "RESPONSES_PATH"),
    *("list_chat_params", "refuse_responses_params", "uses_responses"),
)

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
RESPONSES = (
    *("model", "stream", "service_tier", "access_programs", "background", "background_options"),
    *("context_management", "conversation", "image", "include", "input", "instructions", "max_output_tokens"),
    *("max_tool_calls", "metadata", "moderation", "parallel_tool_calls", "previous_response_id", "prompt"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "store"),
    *("stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"),
)
RESPONSES_PATH = "/responses"
# The arguments of a call, the fields and the models for which a call uses the Responses API.
_DECIDING = frozenset({"context_management", "include", "previous_response_id", "reasoning", "text", "truncation"})
_DECIDING_FIELDS = ("context_management", "include", "reasoning", "truncation")
_RESPONSES_MODELS = ("gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.6-sol")
CALL_ARGUMENTS = frozenset({"stream_usage"}) | _DECIDING
"""Arguments of a call beside the parameters of an endpoint: of the stream, and of the Responses API."""
KEYS = frozenset({"api_key", "openai_api_key", "azure_ad_token"})
"""The arguments that hold a key."""


class ResponsesFields(Protocol):
    """The fields of a chat model that decide which API a call uses."""

    model_name: str
    output_version: str | None
    use_previous_response_id: bool
    use_responses_api: bool | None


def list_chat_params() -> tuple[str, ...]:
    """Return the parameters of both APIs of chat models, in an order that is the SDK's for each of them."""
    first = CHAT[:3]
    return *first, *sorted({*CHAT, *RESPONSES}.difference(first), key=lambda name: (name != "messages", name))


def uses_responses(model: ResponsesFields, params: Mapping[str, Any]) -> bool:
    """Return whether a call with ``params`` uses the Responses API: as LangChain decides, unless the model says so."""
    if isinstance(model.use_responses_api, bool):
        return model.use_responses_api
    if model.output_version == "responses/v1" or model.use_previous_response_id:
        return True
    if any(getattr(model, name) is not None for name in _DECIDING_FIELDS):
        return True
    name = model.model_name or ""
    tools = params.get("tools") or ()
    if name.startswith(_RESPONSES_MODELS) or "codex" in name or (tools and name.lower().startswith("gpt-6")):
        return True
    return not _DECIDING.isdisjoint(params) or any(map(_is_built_in, tools))


def _is_built_in(tool: Any) -> bool:
    return isinstance(tool, Mapping) and tool.get("type", "function") != "function"


def refuse_responses_params(owner: object, names: Iterable[str]) -> None:
    """Raise :class:`TypeError` for a parameter that only the Responses API has, in a call of chat completions."""
    for name in names:
        if name in RESPONSES and name not in CHAT and name not in _DECIDING:
            raise TypeError(
                f"a call of {type(owner).__name__} got an argument of the Responses API: {name!r}; create the model"
                " with use_responses_api=True"
            )
