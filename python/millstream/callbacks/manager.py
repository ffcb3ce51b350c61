"""Callback managers: they start runs and report each run to its handlers.

A ``CallbackManager`` starts runs; a ``CallbackManagerForLLMRun`` or ``CallbackManagerForChainRun`` reports one.
Each class has an async twin. :class:`~millstream.callbacks.dispatch.RunHandlers` calls the handlers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from .._uuid7 import uuid7
from ..streaming.channel import is_leaving
from .base_manager import BaseCallbackManager
from .dispatch import RunHandlers

if TYPE_CHECKING:
    from ..messages.base import BaseMessage
    from ..outputs import ChatGenerationChunk, GenerationChunk, LLMResult

    Chunk = GenerationChunk | ChatGenerationChunk
    Messages = Sequence[BaseMessage]
    Prompt = str | Messages
    Serialized = dict[str, Any] | None

__all__ = (
    "AsyncCallbackManager",
    "AsyncCallbackManagerForChainRun",
    "AsyncCallbackManagerForLLMRun",
    "AsyncRunManager",
    "BaseRunManager",
    "CallbackManager",
    "CallbackManagerForChainRun",
    "CallbackManagerForLLMRun",
    "RunManager",
)

SyncRun = TypeVar("SyncRun", bound="BaseRunManager")
Manager = TypeVar("Manager", bound=BaseCallbackManager)


class BaseRunManager:
    """One run: its id, its tags and metadata, and its handlers.

    A model that streams may set ``llm_output``, which its result then has.
    """

    llm_output: dict[str, Any] | None = None

    def __init__(
        self,
        *,
        run_id: UUID,
        handlers: Sequence[Any],
        inheritable_handlers: Sequence[Any],
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        inheritable_tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        parent_ids: Sequence[str] = (),
    ) -> None:
        self.run_id = run_id
        self.handlers: list[Any] = list(handlers)
        self.inheritable_handlers: list[Any] = list(inheritable_handlers)
        self.parent_run_id = parent_run_id
        self.tags: list[str] = tags or []
        self.inheritable_tags: list[str] = inheritable_tags or []
        self.metadata: dict[str, Any] = metadata or {}
        self.inheritable_metadata: dict[str, Any] = inheritable_metadata or {}
        self.parent_ids: list[str] = list(parent_ids)
        self._run_handlers = RunHandlers(self.handlers, self._config_without)

    @classmethod
    def get_noop_manager(cls) -> Self:
        """Return the manager of a run without handlers."""
        return cls(run_id=uuid7(), handlers=[], inheritable_handlers=[])

    @classmethod
    def of(cls, manager: BaseCallbackManager, run_id: UUID | None) -> Self:
        """Return a new run with the handlers, tags and parents of ``manager``."""
        return cls(
            run_id=run_id or uuid7(),
            handlers=manager.handlers,
            inheritable_handlers=manager.inheritable_handlers,
            parent_run_id=manager.parent_run_id,
            tags=manager.tags,
            inheritable_tags=manager.inheritable_tags,
            metadata=manager.metadata,
            inheritable_metadata=manager.inheritable_metadata,
            parent_ids=manager.parent_ids,
        )

    def get_child(self, tag: str | None = None) -> BaseCallbackManager:
        """Return the manager of child runs. They inherit from this run; ``tag`` is for the direct child alone."""
        return self._child(CallbackManager, tag)

    def _child(self, cls: type[Manager], tag: str | None = None) -> Manager:
        child = cls(
            self.inheritable_handlers,
            self.inheritable_handlers,
            self.run_id,
            tags=self.inheritable_tags,
            inheritable_tags=self.inheritable_tags,
            metadata=self.inheritable_metadata,
            inheritable_metadata=self.inheritable_metadata,
            parent_ids=parent_ids_of_child(self.parent_ids, self.run_id),
        )
        if tag is not None:
            child.add_tags([tag], inherit=False)
        return child

    def _config_without(self, handler: object) -> dict[str, Any]:
        child = self.get_child()
        child.remove_handler(handler)
        return {"callbacks": child}

    def _event_kwargs(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"run_id": self.run_id, "parent_run_id": self.parent_run_id, "tags": self.tags, **kwargs}


class RunManager(BaseRunManager):
    """One run of sync code."""

    def get_child(self, tag: str | None = None) -> CallbackManager:
        """Return the manager of child runs. They inherit from this run; ``tag`` is for the direct child alone."""
        return self._child(CallbackManager, tag)

    def on_text(self, text: str, **kwargs: Any) -> None:
        """Report a text."""
        self._run_handlers.dispatch("on_text", None, (text,), self._event_kwargs(kwargs))

    def on_retry(self, retry_state: object, **kwargs: Any) -> None:
        """Report a retry."""
        self._run_handlers.dispatch("on_retry", "ignore_retry", (retry_state,), self._event_kwargs(kwargs))


class AsyncRunManager(BaseRunManager):
    """One run of async code."""

    async def on_text(self, text: str, **kwargs: Any) -> None:
        """Report a text."""
        await self._run_handlers.adispatch("on_text", None, (text,), self._event_kwargs(kwargs))

    def get_child(self, tag: str | None = None) -> AsyncCallbackManager:
        """Return the manager of child runs. They inherit from this run; ``tag`` is for the direct child alone."""
        return self._child(AsyncCallbackManager, tag)

    async def on_retry(self, retry_state: object, **kwargs: Any) -> None:
        """Report a retry."""
        await self._run_handlers.adispatch("on_retry", "ignore_retry", (retry_state,), self._event_kwargs(kwargs))


class CallbackManagerForLLMRun(RunManager):
    """One run of a model: the ``run_manager`` of ``_call``, ``_generate`` and ``_stream``."""

    def start(self, serialized: Serialized, prompt: Prompt, run_type: str = "llm", **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too.

        ``prompt`` is a text, or a chat model's messages.
        """
        info = self._event_kwargs({"metadata": self.metadata, **kwargs})
        try:
            self._run_handlers.dispatch(f"on_{run_type}_start", f"ignore_{run_type}", (serialized, [prompt]), info)
        except BaseException as error:
            self._run_handlers.keep_notified()
            with suppress(Exception):
                self.on_llm_error(error)
            raise

    def on_llm_new_token(self, token: str, *, chunk: Chunk | None = None, **kwargs: Any) -> None:
        """Report a chunk."""
        info = {"token": token, **self._event_kwargs({"chunk": chunk, **kwargs})}
        self._run_handlers.dispatch("on_llm_new_token", "ignore_llm", (), info)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Report the end."""
        self._run_handlers.dispatch("on_llm_end", "ignore_llm", (response,), self._event_kwargs(kwargs))

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error; ``response`` is the partial result."""
        self._run_handlers.dispatch(
            "on_llm_error", "ignore_llm", (_error_for_handlers(error),), self._event_kwargs(kwargs)
        )


class AsyncCallbackManagerForLLMRun(AsyncRunManager):
    """One run of a model: the ``run_manager`` of ``_acall``, ``_agenerate`` and ``_astream``."""

    def get_sync(self) -> CallbackManagerForLLMRun:
        """Return the same run, for sync code."""
        return _to_sync(CallbackManagerForLLMRun, self)

    async def start(self, serialized: Serialized, prompt: Prompt, run_type: str = "llm", **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too.

        ``prompt`` is a text, or a chat model's messages.
        """
        info = self._event_kwargs({"metadata": self.metadata, **kwargs})
        try:
            await self._run_handlers.adispatch(
                f"on_{run_type}_start", f"ignore_{run_type}", (serialized, [prompt]), info
            )
        except BaseException as error:
            self._run_handlers.keep_notified()
            with suppress(Exception):
                await self.on_llm_error(error)
            raise

    async def on_llm_new_token(self, token: str, *, chunk: Chunk | None = None, **kwargs: Any) -> None:
        """Report a chunk."""
        await self._run_handlers.adispatch(
            "on_llm_new_token", "ignore_llm", (token,), self._event_kwargs({"chunk": chunk, **kwargs})
        )

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Report the end."""
        await self._run_handlers.adispatch("on_llm_end", "ignore_llm", (response,), self._event_kwargs(kwargs))

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error; ``response`` is the partial result."""
        await self._run_handlers.adispatch(
            "on_llm_error", "ignore_llm", (_error_for_handlers(error),), self._event_kwargs(kwargs)
        )


class CallbackManagerForChainRun(RunManager):
    """One run of a chain, a prompt, a parser or a function."""

    def start(self, serialized: Serialized, inputs: object, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        info = self._event_kwargs({"metadata": self.metadata, **kwargs})
        try:
            self._run_handlers.dispatch("on_chain_start", "ignore_chain", (serialized, inputs), info)
        except BaseException as error:
            self._run_handlers.keep_notified()
            with suppress(Exception):
                self.report_stop(error)
            raise

    def on_chain_chunk(self, chunk: object) -> None:
        """Report a chunk. User handlers have no such callback; only the stream-event handler does."""
        self._run_handlers.dispatch("_on_chain_chunk", "ignore_chain", (chunk,), {"run_id": self.run_id})

    def on_chain_end(self, outputs: object, **kwargs: Any) -> None:
        """Report the end."""
        self._run_handlers.dispatch("on_chain_end", "ignore_chain", (outputs,), self._event_kwargs(kwargs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        self._run_handlers.dispatch("on_chain_error", "ignore_chain", (error,), self._event_kwargs(kwargs))

    def report_stop(self, error: BaseException, outputs: object = None, **kwargs: Any) -> None:
        """Report the end of a run that ``error`` stopped.

        A consumer that closes the stream is not an error: the run ends with ``outputs``, the chunks so far.
        """
        if is_leaving(error):
            self.on_chain_end(outputs, **kwargs)
        else:
            self.on_chain_error(error, **kwargs)


class AsyncCallbackManagerForChainRun(AsyncRunManager):
    """One run of a chain, a prompt, a parser or a function, for async code."""

    def get_sync(self) -> CallbackManagerForChainRun:
        """Return the same run, for sync code."""
        return _to_sync(CallbackManagerForChainRun, self)

    async def start(self, serialized: Serialized, inputs: object, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        info = self._event_kwargs({"metadata": self.metadata, **kwargs})
        try:
            await self._run_handlers.adispatch("on_chain_start", "ignore_chain", (serialized, inputs), info)
        except BaseException as error:
            self._run_handlers.keep_notified()
            with suppress(Exception):
                await self.report_stop(error)
            raise

    async def on_chain_chunk(self, chunk: object) -> None:
        """Report a chunk. User handlers have no such callback; only the stream-event handler does."""
        await self._run_handlers.adispatch("_on_chain_chunk", "ignore_chain", (chunk,), {"run_id": self.run_id})

    async def on_chain_end(self, outputs: object, **kwargs: Any) -> None:
        """Report the end."""
        await self._run_handlers.adispatch("on_chain_end", "ignore_chain", (outputs,), self._event_kwargs(kwargs))

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        await self._run_handlers.adispatch("on_chain_error", "ignore_chain", (error,), self._event_kwargs(kwargs))

    async def report_stop(self, error: BaseException, outputs: object = None, **kwargs: Any) -> None:
        """Report the end of a run that ``error`` stopped.

        A consumer that closes the stream is not an error: the run ends with ``outputs``, the chunks so far.
        """
        if is_leaving(error):
            await self.on_chain_end(outputs, **kwargs)
        else:
            await self.on_chain_error(error, **kwargs)


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


def _error_for_handlers(error: BaseException) -> BaseException:
    """Return the exception to report for ``error``; ``GeneratorExit`` whenever the consumer closed the stream."""
    return GeneratorExit() if is_leaving(error) else error


def _to_sync(cls: type[SyncRun], run: BaseRunManager) -> SyncRun:
    """Return the run of async code as one of sync code."""
    run_manager = cls(
        run_id=run.run_id,
        handlers=(),
        inheritable_handlers=run.inheritable_handlers,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
        inheritable_tags=run.inheritable_tags,
        metadata=run.metadata,
        inheritable_metadata=run.inheritable_metadata,
        parent_ids=run.parent_ids,
    )
    # The handlers keep the contexts that they have in this run.
    run_manager.handlers, run_manager._run_handlers = run.handlers, run._run_handlers
    return run_manager


def parent_ids_of_child(parent_ids: Sequence[str], run_id: UUID) -> list[str]:
    """Return the ``parent_ids`` of a child of the run; without duplicates, since users may pass one id twice."""
    parent = str(run_id)
    return list(parent_ids) if parent in parent_ids else [*parent_ids, parent]
