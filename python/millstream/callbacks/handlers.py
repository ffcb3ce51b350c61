"""Callback handlers: what hears of runs, by methods that are named as LangChain's."""

from typing import Any
from uuid import UUID

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
    """What a model's run tells."""

    def on_llm_new_token(
        self,
        token: Any,
        *,
        chunk: Any = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of a chunk: ``token`` is its text, ``chunk`` the :class:`~millstream.outputs.GenerationChunk`."""

    def on_llm_end(
        self,
        response: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the run's end: ``response`` is its :class:`~millstream.outputs.LLMResult`."""

    def on_llm_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an error, or of the consumer's leaving; ``response`` holds what had arrived."""


class ChainManagerMixin:
    """What a chain's run tells."""

    def on_chain_end(
        self,
        outputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the run's end."""

    def on_chain_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an error, or of the consumer's leaving."""

    def on_agent_action(
        self,
        action: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an agent's action."""

    def on_agent_finish(
        self,
        finish: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an agent's end."""


class ToolManagerMixin:
    """What a tool's run tells."""

    def on_tool_end(
        self,
        output: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the run's end."""

    def on_tool_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an error."""


class RetrieverManagerMixin:
    """What a retriever's run tells."""

    def on_retriever_end(
        self,
        documents: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the run's end."""

    def on_retriever_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of an error."""


class CallbackManagerMixin:
    """How runs begin."""

    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the start of a model's run."""

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the start of a chat model's run; where this is not written, ``on_llm_start`` does."""
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
        """Hear of the start of a chain's run."""

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the start of a tool's run."""

    def on_retriever_start(
        self,
        serialized: Any,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of the start of a retriever's run."""


class RunManagerMixin:
    """What any run tells."""

    def on_text(
        self,
        text: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of a text."""

    def on_retry(
        self,
        retry_state: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hear of another try."""

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
        """Hear of an event of the user's own."""


class BaseCallbackHandler(
    LLMManagerMixin,
    ChainManagerMixin,
    ToolManagerMixin,
    RetrieverManagerMixin,
    CallbackManagerMixin,
    RunManagerMixin,
):
    """The base of handlers: override what you want to hear.

    What a handler raises is logged, and raised to the caller only with ``raise_error``. A handler
    whose methods are not coroutine functions is called in a thread by async code, unless
    ``run_inline`` says that it may be called on the event loop. Each handler has one context of
    context variables per run, which nobody else sees. ::

        class Printing(BaseCallbackHandler):
            def on_llm_new_token(self, token, **kwargs):
                print(token, end="")

        llm.invoke("p", {"callbacks": [Printing()]})
    """

    raise_error: bool = False
    run_inline: bool = False

    @property
    def ignore_llm(self) -> bool:
        """Whether a model's calls are left out."""
        return False

    @property
    def ignore_retry(self) -> bool:
        """Whether other tries are left out."""
        return False

    @property
    def ignore_chain(self) -> bool:
        """Whether a chain's calls are left out."""
        return False

    @property
    def ignore_agent(self) -> bool:
        """Whether an agent's calls are left out."""
        return False

    @property
    def ignore_retriever(self) -> bool:
        """Whether a retriever's calls are left out."""
        return False

    @property
    def ignore_chat_model(self) -> bool:
        """Whether a chat model's start are left out."""
        return False

    @property
    def ignore_custom_event(self) -> bool:
        """Whether users' own events are left out."""
        return False
