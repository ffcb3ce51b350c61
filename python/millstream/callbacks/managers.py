"""``CallbackManager`` and ``AsyncCallbackManager``: they start runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .._uuid7 import uuid7
from .base_manager import BaseCallbackManager
from .chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from .dispatch import RunHandlers
from .llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

if TYPE_CHECKING:
    from ..messages.base import BaseMessage
    from .retriever_run_manager import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from .tool_run_manager import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun

    Messages = Sequence[BaseMessage]
    Prompt = str | Messages
    Serialized = dict[str, Any] | None

__all__ = ("AsyncCallbackManager", "CallbackManager")


class CallbackManager(BaseCallbackManager):
    """Starts the runs of sync code."""

    def on_llm_start(
        self, serialized: Serialized, prompts: Sequence[Prompt], run_id: UUID | None = None, **kwargs: Any
    ) -> list[CallbackManagerForLLMRun]:
        """Start a run of a model for each prompt; ``run_id`` is for the first."""
        runs = []
        for position, prompt in enumerate(prompts):
            run = CallbackManagerForLLMRun.of(self, None if position else run_id)
            run.start(serialized, prompt, **kwargs)
            runs.append(run)
        return runs

    def on_chat_model_start(
        self, serialized: Serialized, messages: Sequence[Messages], run_id: UUID | None = None, **kwargs: Any
    ) -> list[CallbackManagerForLLMRun]:
        """Start a run of a chat model for each list of messages; ``run_id`` is for the first."""
        return self.on_llm_start(serialized, messages, run_id, run_type="chat_model", **kwargs)

    def on_chain_start(
        self, serialized: Serialized, inputs: object, run_id: UUID | None = None, **kwargs: Any
    ) -> CallbackManagerForChainRun:
        """Start a run of a chain."""
        run = CallbackManagerForChainRun.of(self, run_id)
        run.start(serialized, inputs, **kwargs)
        return run

    def on_tool_start(
        self,
        serialized: Serialized,
        input_str: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> CallbackManagerForToolRun:
        """Start a run of a tool: ``input_str`` is its input as text, ``inputs`` its arguments.

        The manager's own parent counts, not ``parent_run_id``.
        """
        from .tool_run_manager import CallbackManagerForToolRun

        run = CallbackManagerForToolRun.of(self, run_id)
        run.start(serialized, input_str, inputs=inputs, **kwargs)
        return run

    def on_retriever_start(
        self,
        serialized: Serialized,
        query: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> CallbackManagerForRetrieverRun:
        """Start a run of a retriever. The manager's own parent counts, not ``parent_run_id``."""
        from .retriever_run_manager import CallbackManagerForRetrieverRun

        run = CallbackManagerForRetrieverRun.of(self, run_id)
        run.start(serialized, query, **kwargs)
        return run

    def on_custom_event(self, name: str, data: Any, run_id: UUID | None = None, **kwargs: Any) -> None:
        """Notify the handlers of an event of the user's own. Raises :class:`ValueError` for other arguments."""
        if self.handlers:
            handlers, info = _custom_event(self, run_id, kwargs)
            handlers.dispatch("on_custom_event", "ignore_custom_event", (name, data), info)


class AsyncCallbackManager(BaseCallbackManager):
    """Starts the runs of async code."""

    @property
    def is_async(self) -> bool:
        """Whether the methods are coroutine functions."""
        return True

    async def on_llm_start(
        self, serialized: Serialized, prompts: Sequence[Prompt], run_id: UUID | None = None, **kwargs: Any
    ) -> list[AsyncCallbackManagerForLLMRun]:
        """Start a run of a model for each prompt; ``run_id`` is for the first."""
        runs = []
        for position, prompt in enumerate(prompts):
            run = AsyncCallbackManagerForLLMRun.of(self, None if position else run_id)
            await run.start(serialized, prompt, **kwargs)
            runs.append(run)
        return runs

    async def on_chat_model_start(
        self, serialized: Serialized, messages: Sequence[Messages], run_id: UUID | None = None, **kwargs: Any
    ) -> list[AsyncCallbackManagerForLLMRun]:
        """Start a run of a chat model for each list of messages; ``run_id`` is for the first."""
        return await self.on_llm_start(serialized, messages, run_id, run_type="chat_model", **kwargs)

    async def on_chain_start(
        self, serialized: Serialized, inputs: object, run_id: UUID | None = None, **kwargs: Any
    ) -> AsyncCallbackManagerForChainRun:
        """Start a run of a chain."""
        run = AsyncCallbackManagerForChainRun.of(self, run_id)
        await run.start(serialized, inputs, **kwargs)
        return run

    async def on_tool_start(
        self,
        serialized: Serialized,
        input_str: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> AsyncCallbackManagerForToolRun:
        """Start a run of a tool; see :meth:`CallbackManager.on_tool_start`."""
        from .tool_run_manager import AsyncCallbackManagerForToolRun

        run = AsyncCallbackManagerForToolRun.of(self, run_id)
        await run.start(serialized, input_str, **kwargs)
        return run

    async def on_retriever_start(
        self,
        serialized: Serialized,
        query: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> AsyncCallbackManagerForRetrieverRun:
        """Start a run of a retriever. The manager's own parent counts, not ``parent_run_id``."""
        from .retriever_run_manager import AsyncCallbackManagerForRetrieverRun

        run = AsyncCallbackManagerForRetrieverRun.of(self, run_id)
        await run.start(serialized, query, **kwargs)
        return run

    async def on_custom_event(self, name: str, data: Any, run_id: UUID | None = None, **kwargs: Any) -> None:
        """Notify the handlers of an event of the user's own. Raises :class:`ValueError` for other arguments."""
        if self.handlers:
            handlers, info = _custom_event(self, run_id, kwargs)
            await handlers.adispatch("on_custom_event", "ignore_custom_event", (name, data), info)


def _custom_event(
    manager: BaseCallbackManager, run_id: UUID | None, kwargs: dict[str, Any]
) -> tuple[RunHandlers, dict[str, Any]]:
    """Return the handlers to call for an event of the user's own, and their arguments."""
    if kwargs:
        raise ValueError(
            "The dispatcher API does not accept additional keyword arguments: "
            f"put {', '.join(kwargs)} into the data of the event"
        )

    def config_without(handler: object) -> dict[str, Any]:
        child = manager.copy()
        child.remove_handler(handler)
        return {"callbacks": child}

    info = {"run_id": run_id or uuid7(), "tags": manager.tags, "metadata": manager.metadata}
    return RunHandlers(manager.handlers, config_without), info
