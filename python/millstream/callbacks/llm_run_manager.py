"""Runs of models: the ``run_manager`` of ``_call``, ``_generate``, ``_stream`` and their async twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..streaming.channel import is_leaving
from .handlers import LLMManagerMixin
from .run_manager import AsyncRunManager, RunManager

if TYPE_CHECKING:
    from ..messages.base import BaseMessage
    from ..outputs import ChatGenerationChunk, GenerationChunk, LLMResult

    Chunk = GenerationChunk | ChatGenerationChunk
    Prompt = str | Sequence[BaseMessage]

__all__ = ("AsyncCallbackManagerForLLMRun", "CallbackManagerForLLMRun")


class CallbackManagerForLLMRun(RunManager, LLMManagerMixin):
    """One run of a model: the ``run_manager`` of ``_call``, ``_generate`` and ``_stream``."""

    def start(self, serialized: Any, prompt: Prompt, run_type: str = "llm", **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too.

        ``prompt`` is a text, or a chat model's messages.
        """
        args = (serialized, [prompt])
        self._notify_start(f"on_{run_type}_start", f"ignore_{run_type}", args, kwargs, self.on_llm_error)

    def on_llm_new_token(self, token: str, *, chunk: Chunk | None = None, **kwargs: Any) -> None:
        """Report a chunk."""
        info = {"token": token, **self._event_kwargs({"chunk": chunk, **kwargs})}
        self._run_handlers.dispatch("on_llm_new_token", "ignore_llm", (), info)

    def on_stream_event(self, event: Mapping[str, Any], **kwargs: Any) -> None:
        """Report an event of version 3."""
        self._notify("on_stream_event", "ignore_llm", (event,), kwargs)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Report the end."""
        self._notify("on_llm_end", "ignore_llm", (response,), kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error; ``response`` is the partial result."""
        self._notify("on_llm_error", "ignore_llm", (_error_for_handlers(error),), kwargs)


class AsyncCallbackManagerForLLMRun(AsyncRunManager, LLMManagerMixin):
    """One run of a model: the ``run_manager`` of ``_acall``, ``_agenerate`` and ``_astream``."""

    def get_sync(self) -> CallbackManagerForLLMRun:
        """Return the same run, for sync code."""
        return self._to_sync(CallbackManagerForLLMRun)

    async def start(self, serialized: Any, prompt: Prompt, run_type: str = "llm", **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too.

        ``prompt`` is a text, or a chat model's messages.
        """
        args = (serialized, [prompt])
        await self._notify_start(f"on_{run_type}_start", f"ignore_{run_type}", args, kwargs, self.on_llm_error)

    async def on_llm_new_token(self, token: str, *, chunk: Chunk | None = None, **kwargs: Any) -> None:
        """Report a chunk."""
        await self._notify("on_llm_new_token", "ignore_llm", (token,), {"chunk": chunk, **kwargs})

    async def on_stream_event(self, event: Mapping[str, Any], **kwargs: Any) -> None:
        """Report an event of version 3."""
        await self._notify("on_stream_event", "ignore_llm", (event,), kwargs)

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Report the end."""
        await self._notify("on_llm_end", "ignore_llm", (response,), kwargs)

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error; ``response`` is the partial result."""
        await self._notify("on_llm_error", "ignore_llm", (_error_for_handlers(error),), kwargs)


def _error_for_handlers(error: BaseException) -> BaseException:
    """Return the exception to report for ``error``; ``GeneratorExit`` whenever the consumer closed the stream."""
    return GeneratorExit() if is_leaving(error) else error
