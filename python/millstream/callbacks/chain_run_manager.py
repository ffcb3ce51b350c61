"""Runs of chains, prompts, parsers and functions."""

from __future__ import annotations

from typing import Any

from ..streaming.channel import is_leaving
from .handlers import ChainManagerMixin
from .run_manager import AsyncParentRunManager, ParentRunManager

__all__ = ("AsyncCallbackManagerForChainRun", "CallbackManagerForChainRun")


class CallbackManagerForChainRun(ParentRunManager, ChainManagerMixin):
    """One run of a chain, a prompt, a parser or a function."""

    def start(self, serialized: Any, inputs: object, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        self._notify_start("on_chain_start", "ignore_chain", (serialized, inputs), kwargs, self.report_stop)

    def on_chain_chunk(self, chunk: object) -> None:
        """Report a chunk. User handlers have no such callback; only the stream-event handler does."""
        self._run_handlers.dispatch("_on_chain_chunk", "ignore_chain", (chunk,), {"run_id": self.run_id})

    def on_chain_end(self, outputs: object, **kwargs: Any) -> None:
        """Report the end."""
        self._notify("on_chain_end", "ignore_chain", (outputs,), kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        self._notify("on_chain_error", "ignore_chain", (error,), kwargs)

    def on_agent_action(self, action: Any, **kwargs: Any) -> None:
        """Report an action of an agent."""
        self._notify("on_agent_action", "ignore_agent", (action,), kwargs)

    def on_agent_finish(self, finish: Any, **kwargs: Any) -> None:
        """Report the end of an agent."""
        self._notify("on_agent_finish", "ignore_agent", (finish,), kwargs)

    def report_stop(self, error: BaseException, outputs: object = None, **kwargs: Any) -> None:
        """Report the end of a run that ``error`` stopped.

        A consumer that closes the stream is not an error: the run ends with ``outputs``, the chunks so far.
        """
        if is_leaving(error):
            self.on_chain_end(outputs, **kwargs)
        else:
            self.on_chain_error(error, **kwargs)


class AsyncCallbackManagerForChainRun(AsyncParentRunManager, ChainManagerMixin):
    """One run of a chain, a prompt, a parser or a function, for async code."""

    def get_sync(self) -> CallbackManagerForChainRun:
        """Return the same run, for sync code."""
        return self._to_sync(CallbackManagerForChainRun)

    async def start(self, serialized: Any, inputs: object, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        await self._notify_start("on_chain_start", "ignore_chain", (serialized, inputs), kwargs, self.report_stop)

    async def on_chain_chunk(self, chunk: object) -> None:
        """Report a chunk. User handlers have no such callback; only the stream-event handler does."""
        await self._run_handlers.adispatch("_on_chain_chunk", "ignore_chain", (chunk,), {"run_id": self.run_id})

    async def on_chain_end(self, outputs: object, **kwargs: Any) -> None:
        """Report the end."""
        await self._notify("on_chain_end", "ignore_chain", (outputs,), kwargs)

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        await self._notify("on_chain_error", "ignore_chain", (error,), kwargs)

    async def on_agent_action(self, action: Any, **kwargs: Any) -> None:
        """Report an action of an agent."""
        await self._notify("on_agent_action", "ignore_agent", (action,), kwargs)

    async def on_agent_finish(self, finish: Any, **kwargs: Any) -> None:
        """Report the end of an agent."""
        await self._notify("on_agent_finish", "ignore_agent", (finish,), kwargs)

    async def report_stop(self, error: BaseException, outputs: object = None, **kwargs: Any) -> None:
        """Report the end of a run that ``error`` stopped.

        A consumer that closes the stream is not an error: the run ends with ``outputs``, the chunks so far.
        """
        if is_leaving(error):
            await self.on_chain_end(outputs, **kwargs)
        else:
            await self.on_chain_error(error, **kwargs)
