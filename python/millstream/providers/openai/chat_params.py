"""``ChatFields``: the fields of chat models, and the parameters of a call that they determine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..._fields import field
from ..http.endpoint import as_float
from .arguments import list_chat_params
from .endpoint import OpenAIEndpoint
from .usage import combine_llm_outputs

__all__ = ("ChatFields",)

# Fields that are sent in the body if they are set.
_BODY_FIELDS = (
    *("presence_penalty", "frequency_penalty", "seed", "top_p", "logprobs", "top_logprobs", "logit_bias", "stop"),
    *("max_tokens", "extra_body", "n", "temperature", "reasoning_effort", "reasoning", "verbosity"),
    *("context_management", "include", "prompt_cache_options", "service_tier", "truncation", "store"),
)
_TIMEOUT_VARIABLE = "LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S"


def _chunk_timeout() -> float:
    try:
        seconds = float(os.environ.get(_TIMEOUT_VARIABLE, ""))
    except ValueError:
        return 120.0
    return seconds if seconds >= 0 else 120.0


class ChatFields(OpenAIEndpoint):
    """The fields of chat models with OpenAI's protocol, named as in ``langchain_openai``."""

    _endpoint_params = list_chat_params()
    _input_params = frozenset({"messages", "input", "prompt"})

    model_name: str = field(default="gpt-3.5-turbo", alias="model")
    temperature: float | None = None
    stream_usage: bool | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[int, int] | None = None
    streaming: bool = False
    n: int | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    reasoning: dict[str, Any] | None = None
    verbosity: str | None = None
    http_socket_options: Any = None
    stream_chunk_timeout: float | None = field(default_factory=_chunk_timeout)
    stop: list[str] | str | None = field(default=None, alias="stop_sequences")
    include_response_headers: bool = False
    disabled_params: dict[str, Any] | None = None
    context_management: list[dict[str, Any]] | None = None
    include: list[str] | None = None
    prompt_cache_options: dict[str, Any] | None = None
    service_tier: str | None = None
    store: bool | None = None
    truncation: str | None = None
    use_previous_response_id: bool = False
    use_responses_api: bool | None = None

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.n is not None and self.n < 1:
            raise ValueError("n must be at least 1.")
        if self.n is not None and self.n > 1 and self.streaming:
            raise ValueError("n must be 1 when streaming.")
        if self.openai_proxy and (self.http_client is not None or self.http_async_client is not None):
            raise ValueError("openai_proxy and http_client or http_async_client contradict each other: leave one out")
        if isinstance(self.stop, list | tuple) and not all(isinstance(text, str) for text in self.stop):
            raise TypeError(f"{type(self).__name__}(): stop must be a str or a list of str")
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
            setattr(self, name, as_float(getattr(self, name)))
        if self.stream_chunk_timeout is not None and self.stream_chunk_timeout < 0:
            self.stream_chunk_timeout = _chunk_timeout()
        super().__post_init__()
        if self.stream_usage is None and self._targets_openai():
            self.stream_usage = True

    def _targets_openai(self) -> bool:
        """Return whether requests go to OpenAI itself, which supports ``stream_options``."""
        redirections = (self.openai_api_base, self.openai_proxy, self.http_client, self.http_async_client)
        return all(redirection is None for redirection in redirections)

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Adapt the temperature to models that accept one value only, as LangChain does."""
        name = str(values.get("model_name") or "").lower()
        if name.startswith("o1") and "temperature" not in values:
            values = {**values, "temperature": 1}
        efforts = values.get("reasoning_effort"), (values.get("reasoning") or {}).get("effort")
        if name.startswith("gpt-5") and "chat" not in name and "none" not in efforts:
            values = {key: value for key, value in values.items() if key != "temperature" or value in (None, 1)}
        super()._set_fields(values)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.model_name

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    @property
    def _default_params(self) -> dict[str, Any]:
        """Return the parameters of every call."""
        values = {name: getattr(self, name) for name in _BODY_FIELDS}
        values["stop"] = self.stop or None
        params = {name: value for name, value in values.items() if value is not None}
        return {"model": self.model_name, "stream": self.streaming, **params, **self.model_kwargs}

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.model_name, **self._default_params}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params = {**self._default_params, **kwargs}
        ls_params: dict[str, Any] = {
            "ls_provider": "openai",
            "ls_model_name": params.get("model", self.model_name),
            "ls_model_type": "chat",
            "ls_temperature": params.get("temperature", self.temperature),
        }
        limit = params.get("max_tokens", self.max_tokens) or params.get("max_completion_tokens", self.max_tokens)
        if limit:
            ls_params["ls_max_tokens"] = limit
        if stop_texts := stop or params.get("stop"):
            ls_params["ls_stop"] = stop_texts
        return ls_params

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        return combine_llm_outputs(llm_outputs, self.model_name)
