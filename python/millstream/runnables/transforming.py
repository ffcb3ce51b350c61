"""``Transforming``: a Runnable that streams by transforming its input, which for ``stream`` is one chunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Any

from ..streaming.drive import adrive, drive
from ..streaming.isolation import isolated_stream
from ..streaming.replay import WholeInput, as_whole_input
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .fusion.origins import stream_of_origin
from .fusion.plan import build_part
from .runnable import Input, Output, Runnable

__all__ = ("Transforming",)


class Transforming(Runnable[Input, Output]):
    """A Runnable of ours that streams by ``transform`` and ``_atransform_here``, which a subclass writes.

    Async streams run in a task of their own, since their steps may be users' code.
    """

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the outputs of :meth:`transform` for the one chunk ``input``."""
        if (fused := stream_of_origin(self, input, config, kwargs, for_async=False)) is not None:
            return Stream(drive(*fused))
        return self.transform(WholeInput(input), config, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the outputs of :meth:`atransform` for the one chunk ``input``."""
        if (fused := stream_of_origin(self, input, config, kwargs, for_async=True)) is not None:
            return AsyncStream(adrive(*fused))
        return self.atransform(WholeInput(input), config, **kwargs)

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream the outputs for an input that comes in chunks."""
        if self._has_own_tasks() or (as_whole_input(input) is not None and build_part(self, None) is not None):
            return AsyncStream(self._atransform_here(input, config, kwargs))
        return isolated_stream(lambda: self._atransform_here(input, config, kwargs))

    @abstractmethod
    def _atransform_here(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Output, None]:
        """Return an iterator over the outputs, whose steps run in the task that iterates over it."""

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        if type(self).atransform is not Transforming.atransform:
            return self.atransform(items, config, **kwargs)
        return self._atransform_here(items, config, kwargs)

    def _astream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        if type(self).astream is not Transforming.astream:
            return self.astream(input, config, **kwargs)
        return self._atransform_inline(WholeInput(input), config, kwargs)
