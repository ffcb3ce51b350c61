"""``BaseCallbackHandler`` and its mixins: the methods that runs call, under LangChain's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from ..messages.base import BaseMessage
    from ..outputs import ChatGenerationChunk, GenerationChunk, LLMResult

__all__ = (
    "BaseCallbackHandler",
    "CallbackManagerMixin",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "RetrieverManagerMixin",
    "RunManagerMixin",
    "ToolManagerMixin",
)


class LLMManagerMixin:
    """The methods that a run of a model calls."""

    def on_llm_new_token(
        self,
        token: str,
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle a chunk: ``token`` is its text, ``chunk`` its :class:`~millstream.outputs.GenerationChunk`."""

    def on_stream_event(
        self,
        event: Mapping[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an event of a chat model whose events are streamed in version 3; see ``docs/how-to/events-v3.md``."""

    def on_llm_end(
        self,
        response: LLMResult,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the end of the run: ``response`` is its :class:`~millstream.outputs.LLMResult`."""

    def on_llm_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an error, or that the consumer closed the stream; ``response`` is the partial result."""


class ChainManagerMixin:
    """The methods that a run of a chain calls."""

    def on_chain_end(
        self,
        outputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the end of the run."""

    def on_chain_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an error, or that the consumer closed the stream."""

    def on_agent_action(
        self,
        action: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an action of an agent."""

    def on_agent_finish(
        self,
        finish: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the end of an agent."""


class ToolManagerMixin:
    """The methods that a run of a tool calls."""

    def on_tool_end(
        self,
        output: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the end of the run."""

    def on_tool_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an error."""


class RetrieverManagerMixin:
    """The methods that a run of a retriever calls."""

    def on_retriever_end(
        self,
        documents: Sequence[Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the end of the run."""

    def on_retriever_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle an error."""


class CallbackManagerMixin:
    """The methods that are called when runs start."""

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the start of a completion model's run."""

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the start of a chat model's run; by default ``on_llm_start`` is called instead."""
        raise NotImplementedError(f"{type(self).__name__} does not implement `on_chat_model_start`")

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the start of a chain's run."""

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the start of a tool's run: ``inputs`` holds its arguments, ``input_str`` is its input as text."""

    def on_retriever_start(
        self,
        serialized: dict[str, Any],
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle the start of a retriever's run."""


class RunManagerMixin:
    """The methods that a run of any type calls."""

    def on_text(
        self,
        text: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle a text that the run reports."""

    def on_retry(
        self,
        retry_state: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle a retry."""

    def on_custom_event(
        self,
        name: str,
        data: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Handle a custom event."""


class BaseCallbackHandler(
    LLMManagerMixin,
    ChainManagerMixin,
    ToolManagerMixin,
    RetrieverManagerMixin,
    CallbackManagerMixin,
    RunManagerMixin,
):
    """The base class of callback handlers: override the methods that you need.

    An exception of a handler is logged. It is raised to the caller only with ``raise_error``. Async code
    calls a method that is not a coroutine function in a thread, unless ``run_inline`` allows calls on the
    event loop. Each handler has a context of context variables of its own for each run. ::

        class Printing(BaseCallbackHandler):
            def on_llm_new_token(self, token, **kwargs):
                print(token, end="")

        llm.invoke("p", {"callbacks": [Printing()]})
    """

    raise_error: bool = False
    run_inline: bool = False

    @property
    def ignore_llm(self) -> bool:
        """Whether to skip the callbacks of models."""
        return False

    @property
    def ignore_retry(self) -> bool:
        """Whether to skip ``on_retry``."""
        return False

    @property
    def ignore_chain(self) -> bool:
        """Whether to skip the callbacks of chains."""
        return False

    @property
    def ignore_agent(self) -> bool:
        """Whether to skip the callbacks of agents."""
        return False

    @property
    def ignore_retriever(self) -> bool:
        """Whether to skip the callbacks of retrievers."""
        return False

    @property
    def ignore_chat_model(self) -> bool:
        """Whether to skip ``on_chat_model_start``."""
        return False

    @property
    def ignore_custom_event(self) -> bool:
        """Whether to skip ``on_custom_event``."""
        return False
