"""Runs of retrievers: the ``run_manager`` of ``_get_relevant_documents`` and its async twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .handlers import RetrieverManagerMixin
from .run_manager import AsyncParentRunManager, ParentRunManager

__all__ = ("AsyncCallbackManagerForRetrieverRun", "CallbackManagerForRetrieverRun")


class CallbackManagerForRetrieverRun(ParentRunManager, RetrieverManagerMixin):
    """One run of a retriever."""

    def start(self, serialized: Any, query: str, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        self._notify_start(
            "on_retriever_start", "ignore_retriever", (serialized, query), kwargs, self.on_retriever_error
        )

    def on_retriever_end(self, documents: Sequence[Any], **kwargs: Any) -> None:
        """Report the end."""
        self._notify("on_retriever_end", "ignore_retriever", (documents,), kwargs)

    def on_retriever_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        self._notify("on_retriever_error", "ignore_retriever", (error,), kwargs)


class AsyncCallbackManagerForRetrieverRun(AsyncParentRunManager, RetrieverManagerMixin):
    """One run of a retriever, for async code."""

    def get_sync(self) -> CallbackManagerForRetrieverRun:
        """Return the same run, for sync code."""
        return self._to_sync(CallbackManagerForRetrieverRun)

    async def start(self, serialized: Any, query: str, **kwargs: Any) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        await self._notify_start(
            "on_retriever_start", "ignore_retriever", (serialized, query), kwargs, self.on_retriever_error
        )

    async def on_retriever_end(self, documents: Sequence[Any], **kwargs: Any) -> None:
        """Report the end."""
        await self._notify("on_retriever_end", "ignore_retriever", (documents,), kwargs)

    async def on_retriever_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error, or a cancellation."""
        await self._notify("on_retriever_error", "ignore_retriever", (error,), kwargs)
