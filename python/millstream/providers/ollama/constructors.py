"""The arguments of ``ChatOllama``, as type checkers see them; see ``providers/openai/constructors.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

__all__ = ("OllamaChatArguments",)


class OllamaChatArguments(TypedDict, total=False):
    """The arguments of :class:`~millstream.ChatOllama`."""

    name: str | None
    cache: Any
    verbose: bool
    callbacks: Any
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    rate_limiter: Any
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: Any
    model_kwargs: dict[str, Any]
    total_timeout: float | None
    max_response_size: int
    max_retries: int | None
    default_headers: Mapping[str, str] | None
    default_query: Mapping[str, object] | None
    http_client: Any
    http_async_client: Any
    transport: str
    extra_body: Mapping[str, Any] | None
    streaming: bool
    stream_chunk_timeout: float | None
    model: str
    reasoning: bool | str | None
    validate_model_on_init: bool
    mirostat: int | None
    mirostat_eta: float | None
    mirostat_tau: float | None
    num_ctx: int | None
    num_gpu: int | None
    num_thread: int | None
    num_predict: int | None
    repeat_last_n: int | None
    repeat_penalty: float | None
    temperature: float | None
    seed: int | None
    logprobs: bool | None
    top_logprobs: int | None
    stop: list[str] | None
    tfs_z: float | None
    top_k: int | None
    top_p: float | None
    format: str | dict[str, Any] | None
    keep_alive: int | str | None
    base_url: str | None
    client_kwargs: dict[str, Any] | None
    async_client_kwargs: dict[str, Any] | None
    sync_client_kwargs: dict[str, Any] | None
    # Parameters of the endpoint that have no field: they go to the body, with a warning.
    options: Mapping[str, Any] | None
    think: bool | str | None
    tools: Any
