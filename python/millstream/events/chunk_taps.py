"""``ChunkTaps``: the base of handlers that make events, or a log, of the runs of a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..streaming.inputs import aclose_iterator, close_iterator

if TYPE_CHECKING:
    from ..streaming.channel import Channel

__all__ = ("ChunkTaps",)


class ChunkTaps:
    """The base of handlers that all child runs of a stream inherit, and that send what they make through its channel.

    LangChain's Runnables may be children of our runs. A chain of LangChain's passes its iterator of chunks through
    the handler, where ours call the handler with each chunk. LangChain looks up which events a handler ignores
    without a default.

    * ``run_inline``: the handler is called in the worker itself, before the code goes on, or the order would be lost.
    * ``rendezvous``: streams inside the worker wait for their consumers, or a chunk's event would come
      before that of an earlier chunk one stream further out.
    * ``streams``: chat models that are invoked in a child run stream for it, as for LangChain's handlers of events.
    """

    raise_error = True
    run_inline = True
    rendezvous = True
    streams = True
    ignore_llm = ignore_chain = ignore_agent = ignore_retriever = False
    ignore_retry = ignore_chat_model = ignore_custom_event = False

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def _on_chain_chunk(self, chunk: object, *, run_id: UUID) -> None:
        """Send what a chunk of a run makes."""

    async def await_writable(self) -> None:
        """Wait until the consumer has caught up."""
        await self._channel.await_writable()

    def wait_writable(self) -> None:
        """Wait until the consumer has caught up, where blocking the thread is allowed."""
        if not _on_a_loop():
            self._channel.wait_writable()

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


def _on_a_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
