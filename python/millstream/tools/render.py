"""Tools as text, for prompts."""

from __future__ import annotations

from collections.abc import Callable

from .._signatures import signature_of
from .base import BaseTool

__all__ = ("ToolsRenderer", "render_text_description", "render_text_description_and_args")

ToolsRenderer = Callable[[list[BaseTool]], str]
"""Returns the text for some tools."""


def render_text_description(tools: list[BaseTool]) -> str:
    """Return a line for each tool: its name, the signature of its function, and its description."""
    return "\n".join(map(_describe, tools))


def render_text_description_and_args(tools: list[BaseTool]) -> str:
    """Return a line for each tool as :func:`render_text_description` does, with the schema of its arguments."""
    return "\n".join(f"{_describe(tool)}, args: {tool.args}" for tool in tools)


def _describe(tool: BaseTool) -> str:
    function = getattr(tool, "func", None)
    return f"{tool.name}{signature_of(function) if function else ''} - {tool.description}"
