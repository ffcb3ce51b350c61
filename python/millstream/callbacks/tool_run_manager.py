"""Runs of tools: the ``run_manager`` of ``_run`` and ``_arun``."""

from __future__ import annotations

from typing import Any

from .handlers import ToolManagerMixin
from .run_manager import AsyncParentRunManager, ParentRunManager

__all__ = ("AsyncCallbackManagerForToolRun", "CallbackManagerForToolRun")


class CallbackManagerForToolRun(ParentRunManager, ToolManagerMixin):
    """One run of a tool."""

    def start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        self._notify_start("on_tool_start", "ignore_agent", (serialized, input_str), kwargs, self.on_tool_error)

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Report the end."""
        self._notify("on_tool_end", "ignore_agent", (output,), kwargs)

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        self._notify("on_tool_error", "ignore_agent", (error,), kwargs)


class AsyncCallbackManagerForToolRun(AsyncParentRunManager, ToolManagerMixin):
    """One run of a tool, for async code."""

    def get_sync(self) -> CallbackManagerForToolRun:
        """Return the same run, for sync code."""
        return self._to_sync(CallbackManagerForToolRun)

    async def start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        await self._notify_start("on_tool_start", "ignore_agent", (serialized, input_str), kwargs, self.on_tool_error)

    async def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Report the end."""
        await self._notify("on_tool_end", "ignore_agent", (output,), kwargs)

    async def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        await self._notify("on_tool_error", "ignore_agent", (error,), kwargs)
