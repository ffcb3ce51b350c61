"""The stream of a chain as one part, straight over its model's connection: no task, no queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import StreamError
from .chain_runs import Beginning
from .config import RunnableConfig, child_config

if TYPE_CHECKING:
    from ..streaming.protocols import Stage
    from .plan import Plan
    from .sequence import RunnableSequence

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
    """The stream of a chain that nobody hears of."""

    def __init__(
        self,
        sequence: RunnableSequence[Any, Any],
        plan: Plan,
        input: Any,
        config: RunnableConfig | None,
        *,
        for_async: bool,
    ) -> None:
        self._sequence = sequence
        self._plan = plan
        self._input = input
        self._config = config
        self._for_async = for_async
        self._staging = Staging(plan.stages)
        self.over: Any = self._staging.over
        self.feed: Callable[[Any], Sequence[Any]]

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after :meth:`finish`."""
        failure: BaseException | None = self._staging.failure or self._part.failure
        return failure

    def begin(self) -> Sequence[Any]:
        """Compute what the model is asked; return what its part begins with."""
        value = self._input
        for function in self._plan.functions:
            value = function(value)
        self._source, self._part = self._asked(value)
        return self._staging.passed(self._part.begin())

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

    def _asked(self, value: Any) -> tuple[Any, Any]:
        """Return the source and the part of the model's stream."""
        from ..language_models.streaming import chunk_stream

        step = self._plan.model
        model, kwargs = step.runnable, dict(step.kwargs)
        stop = kwargs.pop("stop", None)
        own = model._own_stream(model._kind.prompt(value), stop, kwargs, for_async=self._for_async, keeps=False)
        if own is None:
            # A user's model: the runs that begin in there are below its own, and that below the sequence's.
            begun = Beginning(self._sequence, self._config)
            below = step.configured(child_config(begun.config, begun.unheard_run(), step.tag))
            own = chunk_stream(model, value, below, stop, kwargs, for_async=self._for_async)
        source, part = own
        return source, part
