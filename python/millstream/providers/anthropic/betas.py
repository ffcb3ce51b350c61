"""``find_betas``: the beta features that a request needs, for the header ``anthropic-beta``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .system import changes_tools, defines_tool

__all__ = ("find_betas",)

# The provider's own tools that are a beta feature.
_OF_TOOLS = {
    "web_fetch_20250910": "web-fetch-2025-09-10",
    "code_execution_20250522": "code-execution-2025-05-22",
    "mcp_toolset": "mcp-client-2025-11-20",
    "memory_20250818": "context-management-2025-06-27",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "tool_search_tool_regex_20251119": "advanced-tool-use-2025-11-20",
    "tool_search_tool_bm25_20251119": "advanced-tool-use-2025-11-20",
    "advisor_20260301": "advisor-tool-2026-03-01",
}
_EXAMPLES = "advanced-tool-use-2025-11-20"
_SERVERS = "mcp-client-2025-11-20"
_BUDGETS = "task-budgets-2026-03-13"
_UPDATES = "thinking-display-updates-2026-08-18"
_INLINE_TOOLS = "inline-tools-2026-09-15"
_TOOL_CHANGES = "mid-conversation-tool-changes-2026-07-01"
_PROFILES = "user-profiles-2026-03-24"


def find_betas(params: Mapping[str, Any]) -> list[str] | None:
    """Return the beta features in ``params``, and those that its other parameters need; ``None`` if there are none."""
    betas = list(params.get("betas") or ())
    for needed in _list_needed(params, betas):
        if needed not in betas:
            betas.append(needed)
    return betas or params.get("betas")


def _list_needed(params: Mapping[str, Any], betas: list[str]) -> Iterator[str]:
    tools = params.get("tools")
    tools = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    for tool in tools:
        if (kind := tool.get("type")) in _OF_TOOLS:
            yield _OF_TOOLS[kind]
    if any(tool.get("input_examples") for tool in tools):
        yield _EXAMPLES
    if params.get("mcp_servers"):
        yield _SERVERS
    if _read(params, "output_config", "task_budget"):
        yield _BUDGETS
    if _read(params, "thinking", "display") == "updates":
        yield _UPDATES
    contents = [turn.get("content") for turn in params.get("messages") or () if turn.get("role") == "system"]
    if any(map(defines_tool, contents)):
        yield _INLINE_TOOLS
    elif any(map(changes_tools, contents)) and _INLINE_TOOLS not in betas:
        yield _TOOL_CHANGES
    if params.get("user_profile_id"):
        yield _PROFILES


def _read(params: Mapping[str, Any], name: str, key: str) -> Any:
    value = params.get(name)
    return value.get(key) if isinstance(value, dict) else None
