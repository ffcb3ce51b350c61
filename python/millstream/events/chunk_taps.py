"""``ChunkTaps``: what LangChain's runs ask of a handler that makes events of their chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from ..streaming.inputs import aclose_iterator, close_iterator

__all__ = ("ChunkTaps",)


class ChunkTaps:
    """The base of the handler that makes stream events: LangChain's Runnables may be children of our runs.

    A chain of LangChain's passes its iterator of chunks through the handler, where ours call the handler with each
    chunk. LangChain looks up which events a handler ignores without a default.
    """

    ignore_llm = ignore_chain = ignore_agent = ignore_retriever = False
    ignore_retry = ignore_chat_model = ignore_custom_event = False

    def _on_chain_chunk(self, chunk: Any, *, run_id: UUID) -> None:
        """Send the event of a chunk."""

    async def await_writable(self) -> None:
        """Wait until the consumer of the events has caught up."""

    def wait_writable(self) -> None:
        """Wait until the consumer of the events has caught up, where blocking the thread is allowed."""

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        """Yield the chunks of a run, and send the event of each."""
        try:
            for chunk in output:
                self._on_chain_chunk(chunk, run_id=run_id)
                self.wait_writable()
                yield chunk
        finally:
            close_iterator(output)

    async def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the chunks of a run, and send the event of each."""
        try:
            async for chunk in output:
                self._on_chain_chunk(chunk, run_id=run_id)
                await self.await_writable()
                yield chunk
        finally:
            await aclose_iterator(output)
