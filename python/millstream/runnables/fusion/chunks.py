"""The stream of a chain as one part, straight over its model's connection: no task, no queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import StreamError
from ..config import RunnableConfig, child_config
from ..runs import Beginning, Named

if TYPE_CHECKING:
    from ...streaming.protocols import Stage
    from .plan import Plan

__all__ = ("Fused", "FusedChunks", "Staging")


class Staging:
    """What stages make of a model's chunks.

    A stage's exception ends the stream after what came before it: it is kept as ``failure``, and
    ``over`` is no longer empty.
    """

    def __init__(self, stages: Sequence[Stage[Any, Any]]) -> None:
        self.over: list[bool] = []
        self.failure: BaseException | None = None
        self._stages = stages

    def fed(self, feed: Callable[[Any], Sequence[Any]], over: Any) -> Callable[[Any], Sequence[Any]]:
        """Return ``feed`` with the stages behind it, until ``over`` is no longer empty."""
        stages = [stage.feed for stage in self._stages]

        def composed(raw: Any) -> Sequence[Any]:
            items = feed(raw)
            for stage in stages:
                items = self._passed(stage, items)
            if over:
                self.over.append(True)
            return items

        return composed

    def passed(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return what the stages make of ``items``."""
        for stage in self._stages:
            items = self._passed(stage.feed, items)
        return items

    def closed(self) -> Sequence[Any]:
        """Return what the end brings."""
        items: Sequence[Any] = ()
        for stage in self._stages:
            items = [*self._passed(stage.feed, items), *self._passed(lambda stage: stage.close(), (stage,))]
            if self.failure is not None:
                break
        return items

    def _passed(self, stage: Callable[[Any], Sequence[Any]], items: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        try:
            for item in items:
                outputs += stage(item)
        except Exception as error:
            # Of two stages that fail by one read, the later one failed by what came earlier.
            self.failure = error
            self.over.append(True)
        return outputs


class Fused:
    """The source of a chain's stream, and a part of it: its model's, which is known once the stream begins."""

    _source: Any = None
    _part: Any = None

    def open(self) -> Any:
        """Open the model's source."""
        return self._source.open()

    async def aopen(self) -> Any:
        """Open the model's source."""
        return await self._source.aopen()

    def reopen(self, error: StreamError) -> Any:
        """Open the model's source once more."""
        return self._source.reopen(error)

    async def areopen(self, error: StreamError) -> Any:
        """Open the model's source once more."""
        return await self._source.areopen(error)

    def opened(self, body: Any) -> None:
        """Tell the model's part."""
        self._part.opened(body)

    def idle(self) -> bool:
        """Ask the model's part."""
        idle: bool = self._part.idle()
        return idle

    def lost(self, error: Exception) -> None:
        """Tell the model's part."""
        self._part.lost(error)

    def cut(self) -> StreamError | None:
        """Ask the model's part."""
        cut: StreamError | None = self._part.cut()
        return cut

    def broken(self, error: BaseException) -> None:
        """Tell the model's part, where there is one, and forget what failed: its frames know this part."""
        if self._part is not None:
            self._part.broken(error)
        self._forget()

    def _forget(self) -> None:
        raise NotImplementedError


class FusedChunks(Fused):
    """The stream of a chain of which no handler is notified."""

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
        self.over: Any = self._staging.over
        self.feed: Callable[[Any], Sequence[Any]]

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after :meth:`finish`."""
        failure: BaseException | None = self._staging.failure or self._part.failure
        return failure

    def begin(self) -> Sequence[Any]:
        """Compute the origin's input; return what its part begins with."""
        plan, value = self._plan, self._input
        for function in plan.functions:
            value = function(value)
        kwargs = plan.origin_kwargs(self._kwargs)
        self._source, self._part = plan.origin.chunks(value, kwargs, self._origin_config, for_async=self._for_async)
        return self._staging.passed(self._part.begin())

    def _origin_config(self) -> RunnableConfig:
        """Return the configuration of the origin's run: a child of the chain's, of which nobody is notified."""
        begun, step = Beginning(self._chain, self._config), self._plan.origin_step
        return step.merge_config(child_config(begun.config, begun.unheard_run(), step.tag))

    def opened(self, body: Any) -> None:
        """Tell the model's part, and put the stages behind it."""
        super().opened(body)
        if self._plan.after:
            self.feed = self._staging.fed(self._part.feed, self._part.over)
        else:
            self.feed, self.over = self._part.feed, self._part.over

    def finish(self) -> Sequence[Any]:
        """Return what the end brings."""
        if self._staging.failure is not None:
            return ()
        outputs = self._staging.passed(self._part.finish())
        if self.failure is None:
            outputs = [*outputs, *self._staging.closed()]
        return outputs

    def _forget(self) -> None:
        self._staging.failure = None
