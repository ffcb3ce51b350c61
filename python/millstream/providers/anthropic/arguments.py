"""The parameters of Anthropic's endpoint, and the checks of those that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ("CALL_ARGUMENTS", "HEADER_PARAMS", "PARAMS", "check_model_params")

PARAMS = (
    *("max_tokens", "messages", "model", "billing_policy", "cache_control", "compaction", "container"),
    *("context_management", "diagnostics", "fallback_credit_token", "fallbacks", "inference_geo", "mcp_servers"),
    *("metadata", "output_config", "service_tier", "speed", "stop_sequences", "stream", "system", "thinking", "thread"),
    *("tool_choice", "tools", "temperature", "top_p", "top_k"),
)
"""The parameters in a body, in the order of Anthropic's SDK."""
HEADER_PARAMS = {"user_profile_id": "anthropic-user-profile-id", "workspace_id": "anthropic-workspace-id"}
"""The parameters that are sent as headers."""
CALL_ARGUMENTS = frozenset(
    {"betas", "effort", "reasoning_effort", "response_format", "output_format", "stream_usage", *HEADER_PARAMS}
)
"""The arguments of a call beside the parameters in a body."""

_SAMPLING = ("top_k", "top_p", "temperature")
_HIGHEST = ("xhigh", "max")


def check_model_params(model: str, params: Mapping[str, Any]) -> None:
    """Raise :class:`ValueError` for parameters that ``model`` does not support; ``params`` has those that count."""
    thinking = params.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    is_fixed = model.startswith(("claude-fable-5", "claude-sonnet-5-5"))
    if is_fixed:
        if params.get("top_k") is not None:
            raise ValueError(f"`top_k` is not supported for {model}.")
        for name in ("top_p", "temperature"):
            if params.get(name) not in (None, 1):
                raise ValueError(f"`{name}` is not supported for {model} at non-default values.")
        if kind == "disabled":
            raise ValueError(
                f'`thinking={{"type": "disabled"}}` is not supported for {model}; omit `thinking` to use adaptive'
                " thinking."
            )
    if (is_fixed or model.startswith("claude-opus-5")) and kind == "enabled":
        raise ValueError(
            f'`thinking={{"type": "enabled", "budget_tokens": ...}}` is not supported for {model}; use adaptive'
            " thinking and `output_config.effort` instead."
        )
    effort = params.get("effort")
    if model.startswith("claude-opus-5") and kind == "disabled" and effort in _HIGHEST:
        raise ValueError(
            f'`thinking={{"type": "disabled"}}` is not supported for {model} with `output_config.effort={effort!r}`;'
            " use adaptive thinking, omit `thinking`, or set effort to `high` or below."
        )
