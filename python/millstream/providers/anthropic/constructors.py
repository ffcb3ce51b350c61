"""The arguments of ``ChatAnthropic``, as type checkers see them; see ``providers/openai/constructors.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..http.constructors import ChatModelArguments, Key, Timeout

__all__ = ("AnthropicChatArguments", "Effort")

Effort = Literal["max", "xhigh", "high", "medium", "low"]


class AnthropicChatArguments(ChatModelArguments, total=False):
    """The arguments of :class:`~millstream.ChatAnthropic`."""

    model: str
    max_retries: int | None
    streaming: bool
    model_name: str
    max_tokens: int | None
    max_tokens_to_sample: int | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    default_request_timeout: Timeout
    timeout: Timeout
    stop_sequences: list[str] | None
    stop: list[str] | None
    anthropic_api_url: str | None
    base_url: str | None
    anthropic_api_key: Key
    api_key: Key
    anthropic_proxy: str | None
    betas: list[str] | None
    stream_usage: bool
    thinking: dict[str, Any] | None
    output_config: dict[str, Any] | None
    reasoning_effort: Effort | None
    effort: Effort | None
    mcp_servers: list[dict[str, Any]] | None
    context_management: dict[str, Any] | None
    container: dict[str, Any] | str | None
    reuse_last_container: bool | None
    inference_geo: str | None
    user_profile_id: str | None
    # Parameters of the endpoint that have no field: they go to the body, with a warning.
    billing_policy: Any
    cache_control: Mapping[str, Any] | None
    compaction: Any
    diagnostics: Mapping[str, Any] | None
    fallback_credit_token: str | None
    fallbacks: Any
    service_tier: str
    speed: str | None
    system: str | list[dict[str, Any]]
    thread: Any
    tool_choice: Mapping[str, Any]
    tools: list[dict[str, Any]]
