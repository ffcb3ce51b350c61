"""The chunks of a fused chain: one processor straight over the origin's connection, without a task or a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import StreamError
from ...streaming.protocols import Processor, ProcessorAround
from ..config import RunnableConfig, child_config
from ..runs import Named, RunStart

if TYPE_CHECKING:
    from ...streaming.protocols import Stage
    from .plan import Plan

__all__ = ("Fused", "FusedChunks", "Staging")


class Staging:
    """The stages behind an origin, as one.

    A stage's exception ends the stream after what came before it: it is kept as ``error``, and
    ``done`` is no longer empty.
    """

    def __init__(self, stages: Sequence[Stage[Any, Any]]) -> None:
        self.done: list[bool] = []
        self.error: BaseException | None = None
        self._stages = stages

    def fed(self, feed: Callable[[Any], Sequence[Any]], over: Any) -> Callable[[Any], Sequence[Any]]:
        """Return ``feed`` followed by all stages; ``done`` is the origin's."""
        stages = [stage.feed for stage in self._stages]

        def composed(raw: Any) -> Sequence[Any]:
            items = feed(raw)
            for stage in stages:
                items = self._passed(stage, items)
            if over:
                self.done.append(True)
            return items

        return composed

    def passed(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return the outputs of the stages for ``items``."""
        for stage in self._stages:
            items = self._passed(stage.feed, items)
        return items

    def closed(self) -> Sequence[Any]:
        """Return the outputs of the end."""
        items: Sequence[Any] = ()
        for stage in self._stages:
            items = [*self._passed(stage.feed, items), *self._passed(lambda stage: stage.close(), (stage,))]
            if self.error is not None:
                break
        return items

    def _passed(self, stage: Callable[[Any], Sequence[Any]], items: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        try:
            for item in items:
                outputs += stage(item)
        except Exception as error:
            # If two stages fail on one read, keep the later stage's error: it was caused by earlier data.
            self.error = error
            self.done.append(True)
        return outputs


class Fused(ProcessorAround[Any]):
    """The source of a chain's stream and the processor over it; the origin's own are known once the stream begins."""

    __slots__ = ("_inner", "_source", "done", "feed")

    done: Any
    feed: Callable[[Any], Sequence[Any]]
    _inner: Processor[Any]
    _source: Any

    def open(self) -> Any:
        """Open the origin's source."""
        return self._source.open()

    async def aopen(self) -> Any:
        """Open the origin's source."""
        return await self._source.aopen()

    def reopen(self, error: StreamError) -> Any:
        """Open the origin's source once more."""
        return self._source.reopen(error)

    async def areopen(self, error: StreamError) -> Any:
        """Open the origin's source once more."""
        return await self._source.areopen(error)


class FusedChunks(Fused):
    """The stream of a chain of which no handler is notified."""

    __slots__ = ("_chain", "_config", "_for_async", "_input", "_kwargs", "_plan", "_staging")

    def __init__(
        self,
        chain: Named,
        plan: Plan,
        input: Any,
        config: RunnableConfig | None,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> None:
        self._chain = chain
        self._plan = plan
        self._input = input
        self._config = config
        self._kwargs = kwargs
        self._for_async = for_async
        self._staging = Staging(plan.stages())
        self.done = self._staging.done

    @property
    def error(self) -> BaseException | None:
        """Return the exception to raise after :meth:`close`."""
        return self._staging.error or self._inner.error

    def start(self) -> Sequence[Any]:
        """Compute the origin's input; return the outputs before its source is opened."""
        plan, value = self._plan, self._input
        for function in plan.functions:
            value = function(value)
        kwargs = plan.origin_kwargs(self._kwargs)
        self._source, self._inner = plan.origin.chunks(value, kwargs, self._origin_config, for_async=self._for_async)
        return self._staging.passed(self._inner.start())

    def _origin_config(self) -> RunnableConfig:
        """Return the configuration of the origin's run: a child of the chain's, of which nobody is notified."""
        begun, step = RunStart(self._chain, self._config), self._plan.origin_step
        return step.merge_config(child_config(begun.config, begun.silent_run(), step.tag))

    def opened(self, body: Any) -> None:
        """Put the stages behind the origin's processor."""
        super().opened(body)
        if self._plan.after:
            self.feed = self._staging.fed(self._inner.feed, self._inner.done)
        else:
            self.feed, self.done = self._inner.feed, self._inner.done

    def close(self) -> Sequence[Any]:
        """Return the last outputs."""
        if self._staging.error is not None:
            return ()
        outputs = self._staging.passed(self._inner.close())
        if self.error is None:
            outputs = [*outputs, *self._staging.closed()]
        return outputs

    def release(self) -> None:
        """Drop the exception of a stage, whose frames know this processor."""
        self._staging.error = None
