"""``Attempting``: a Runnable whose streams are attempts, one after the other until the first chunk."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import TYPE_CHECKING, Any

from ..streaming.drive import adrive, drive
from ..streaming.isolation import isolated_stream
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .fusion.origins import stream_of_origin
from .runnable import Input, Output, Runnable

__all__ = ("Attempting",)


class Attempting(Runnable[Input, Output]):
    """The streams of retries and fallbacks: over a connection of ours, or those that a subclass writes.

    Those are ``_stream_inline``, ``_astream_inline`` and ``_atransform_inline``.
    """

    if TYPE_CHECKING:  # the attempts take the configuration as the caller has it

        def _stream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any: ...

        def _astream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any: ...

        def _atransform_inline(
            self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
        ) -> AsyncIterable[Output]: ...

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream from the first attempt that has a chunk, or that ends."""
        if (found := stream_of_origin(self, input, config, kwargs, for_async=False)) is not None:
            return Stream(drive(*found))
        return Stream(self._stream_inline(input, config, kwargs))

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream from the first attempt that has a chunk, or that ends."""
        if (found := stream_of_origin(self, input, config, kwargs, for_async=True)) is not None:
            return AsyncStream(adrive(*found))
        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Transform with the first attempt that has a chunk, or that ends; see :meth:`transform`."""
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))
