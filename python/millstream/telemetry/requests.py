"""The attributes of a model's call: of the request that it makes, and of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..callbacks.usage import find_requested_model
from .content import finish_reason

__all__ = ("answer_attributes", "common_attributes", "request_attributes", "token_counts")

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "amazon_bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
_NUMBERS: tuple[tuple[str, type[Any], tuple[str, ...]], ...] = (
    ("temperature", float, ("temperature",)),
    ("top_p", float, ("top_p",)),
    ("top_k", float, ("top_k",)),
    ("frequency_penalty", float, ("frequency_penalty",)),
    ("presence_penalty", float, ("presence_penalty",)),
    ("max_tokens", int, ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")),
    ("seed", int, ("seed",)),
)
_DETAILS = (
    ("input_token_details", "cache_read", "cache_read.input_tokens"),
    ("input_token_details", "cache_creation", "cache_creation.input_tokens"),
    ("output_token_details", "reasoning", "reasoning.output_tokens"),
)


def common_attributes(
    model: Any, operation: str, params: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the attributes that spans and metrics share: the operation, the provider, the model, the server.

    ``model`` is ``None`` for a model of LangChain's, whose ``metadata`` says what it is.
    """
    ls_params = metadata if model is None else model._get_ls_params()
    provider = str(ls_params.get("ls_provider") or "_OTHER")
    if getattr(model, "vertexai", None):
        provider = "google_vertexai"
    attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": _PROVIDERS.get(provider, provider)}
    if (name := find_requested_model(params, ls_params)) is not None:
        attributes["gen_ai.request.model"] = name.removeprefix("models/")
    return {**attributes, **_server(model)}


def _server(model: Any) -> dict[str, Any]:
    url = getattr(model, "_base_url", None)
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        # The request fails.
        return {}
    return {"server.address": parts.hostname, "server.port": port} if parts.hostname else {}


def request_attributes(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a request with the parameters ``params``."""
    attributes: dict[str, Any] = {}
    for name, kind, keys in _NUMBERS:
        value = next((params[key] for key in keys if params.get(key) is not None), None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            attributes[f"gen_ai.request.{name}"] = kind(value)
    stop = params.get("stop") or params.get("stop_sequences")
    if stop:
        attributes["gen_ai.request.stop_sequences"] = [stop] if isinstance(stop, str) else list(map(str, stop))
    count = params.get("n") or params.get("candidate_count")
    if isinstance(count, int) and count != 1:
        attributes["gen_ai.request.choice.count"] = count
    if params.get("response_format") or params.get("format"):
        attributes["gen_ai.output.type"] = "json"
    return attributes


def answer_attributes(
    generations: Sequence[Any], llm_output: Mapping[str, Any], counts: tuple[int, int] | None
) -> dict[str, Any]:
    """Return the attributes of the answers of one call, whose tokens are ``counts`` (see :func:`token_counts`)."""
    attributes: dict[str, Any] = {}
    if reasons := [reason for one in generations if (reason := finish_reason(one)) is not None]:
        attributes["gen_ai.response.finish_reasons"] = reasons
    message = getattr(generations[0], "message", None) if generations else None
    metadata = {**llm_output, **(getattr(message, "response_metadata", None) or {})}
    if isinstance(model := metadata.get("model_name") or metadata.get("model"), str):
        attributes["gen_ai.response.model"] = model
    if id := _find_id(message, metadata):
        attributes["gen_ai.response.id"] = id
    usage = getattr(message, "usage_metadata", None) or {}
    if counts is not None:
        attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"] = counts
    for group, key, name in _DETAILS:
        if isinstance(value := (usage.get(group) or {}).get(key), int):
            attributes[f"gen_ai.usage.{name}"] = value
    return attributes


def _find_id(message: Any, metadata: Mapping[str, Any]) -> str | None:
    """Return the provider's id of the answer; a message without one has that of its run."""
    for id in (metadata.get("id"), getattr(message, "id", None)):
        if isinstance(id, str) and not id.startswith(("lc_", "run-")):
            return id
    return None


def token_counts(generations: Sequence[Any], llm_output: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the numbers of tokens of the prompt and of the answers, if the provider has counted them."""
    message = getattr(generations[0], "message", None) if generations else None
    if usage := getattr(message, "usage_metadata", None):
        return usage["input_tokens"], usage["output_tokens"]
    counted = llm_output.get("token_usage") or {}
    input, output = counted.get("prompt_tokens"), counted.get("completion_tokens")
    return (input, output or 0) if isinstance(input, int) else None
