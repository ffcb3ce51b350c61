"""The arguments of ``ChatOllama``, as type checkers see them; see ``providers/openai/constructors.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Required

from ..http.constructors import ChatModelArguments

__all__ = ("OllamaChatArguments",)


class OllamaChatArguments(ChatModelArguments, total=False):
    """The arguments of :class:`~millstream.ChatOllama`."""

    model: Required[str]
    max_retries: int | None
    streaming: bool
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
