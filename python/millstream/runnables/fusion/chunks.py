"""The chunks of a fused chain: one processor straight over the origin's connection, without a task or a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from ...callbacks.managers import CallbackManager
from ...errors import StreamError
from ...streaming.drive import adrive, drive
from ...streaming.isolation import NO_ITEMS, PassThrough
from ...streaming.protocols import Processor, ProcessorAround, WireFeed
from ...streaming.workers import run_in_task
from ..config import RunnableConfig, ensure_config
from ..runs import RunStart
from .plan import NOTHING
from .preparation import Preparation

if TYPE_CHECKING:
    from ...callbacks.run_manager import BaseRunManager
    from ...streaming.protocols import Stage
    from ..event_stream import EventProducer
    from .plan import Plan

__all__ = ("Fused", "FusedChunks", "stream_in_run")


class Fused(ProcessorAround[Any]):
    """The source of a chain's stream and the processor over it; the origin's own are known once the stream begins.

    The exception of a step ends the stream after the outputs before it: it is kept as ``error``, and ``done``
    is no longer empty.
    """

    __slots__ = (
        *("_chain", "_config", "_failure", "_for_async", "_inner", "_input", "_kwargs", "_plan", "_source", "_stages"),
        *("done", "feed"),
    )

    done: Any
    # The steps behind the origin, once the stream begins.
    _stages: Sequence[Stage[Any, Any]]
    feed: Callable[[Any], Sequence[Any]]

    def __init__(
        self,
        chain: EventProducer,
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
        self._failure: BaseException | None = None
        self._source: Any = NO_ITEMS
        self._inner: Processor[Any] = PassThrough()
        self.done = []

    @property
    def error(self) -> BaseException | None:
        """Return the exception to raise after :meth:`close`."""
        return self._failure or self._inner.error

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

    def _feed_stages(self, items: Sequence[Any]) -> Sequence[Any]:
        for stage in self._stages:
            items = self._feed_stage(stage.feed, items)
        return items

    def _close_stages(self) -> Sequence[Any]:
        items: Sequence[Any] = ()
        for stage in self._stages:
            items = self._feed_stage(stage.feed, items)
            if self._failure is None:
                items = [*items, *self._feed_stage(_close_stage, (stage,))]
            if self._failure is not None:
                break
        return items

    def _feed_stage(self, stage: Callable[[Any], Sequence[Any]], items: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        try:
            for item in items:
                outputs += stage(item)
        except Exception as error:
            # If two stages fail on one read, keep the later stage's error: it was caused by earlier data.
            self._failure = error
            self.done.append(True)
        return outputs

    def release(self) -> None:
        """Drop the closure ``feed`` and the exception of a step, which refer to this processor: it is freed at once."""
        self.feed = _drop_item
        self._failure = None
        self._inner.release()


def _drop_item(raw: object) -> Sequence[Any]:
    return ()


_close_stage = methodcaller("close")


def stream_in_run(
    chain: EventProducer,
    plan: Plan,
    input: object,
    run: BaseRunManager,
    config: RunnableConfig,
    kwargs: dict[str, Any],
    *,
    for_async: bool,
) -> Any:
    """Return the generator of the steps of ``plan``, the first ones of ``chain``, whose ``run`` has no handlers.

    ``config`` is the configuration of the child runs of ``run``.
    """
    manager = CallbackManager.like(run)
    own: RunnableConfig = {**config, "callbacks": manager, "run_id": run.run_id}
    fused = FusedChunks(chain, plan, input, own, kwargs, for_async=for_async)
    return adrive(fused, fused) if for_async else drive(fused, fused)


class FusedChunks(Fused):
    """The stream of a chain of which no handler is notified."""

    __slots__ = ("_writes",)

    def start(self) -> Sequence[Any]:
        """Compute the origin's input; return the outputs before its source is opened."""
        self._stages = self._plan.stages()
        self._writes = False
        if self._plan.parts is not None and (value := self._plan.origin_input(self._input)) is not NOTHING:
            self._prepare(value)
        return ()

    def _prepare(self, value: object) -> None:
        """Make the source and the processor of the origin's chunks for its input ``value``."""
        plan = self._plan
        kwargs = plan.origin_kwargs(self._kwargs)
        self._source, self._inner = plan.origin.chunks(value, kwargs, self._origin_config, for_async=self._for_async)

    def open(self) -> Any:
        """Open the origin's source, once its input is made."""
        if self._plan.parts is None:
            for value in self._preparation().run(self._input):
                self._prepare(value)
        return super().open()

    async def aopen(self) -> Any:
        """Open the origin's source, once its input is made."""
        if self._plan.parts is None:
            for value in await run_in_task(self._preparation().arun(self._input)):
                self._prepare(value)
        return await super().aopen()

    def _preparation(self) -> Preparation:
        return Preparation(self._chain, self._plan.before, self._config, self._kwargs)

    def _origin_config(self) -> RunnableConfig:
        """Return the configuration of the origin's run: a child of the chain's run, which notifies no handler."""
        start = RunStart(self._chain, ensure_config(self._config))
        return self._plan.origin_step.child_config(start.config, start.silent_run())

    def opened(self, body: object) -> Sequence[Any] | None:
        """Put the stages behind the origin's processor."""
        begun = super().opened(body)
        origin_feed, origin_done, done = self._inner.feed, self._inner.done, self.done
        if not self._stages:
            self.feed, self.done = origin_feed, origin_done
            return begun
        stages = [stage.feed for stage in self._stages]

        def feed(raw: object) -> Sequence[Any]:
            items = origin_feed(raw)
            for stage in stages:
                items = self._feed_stage(stage, items)
            if origin_done:
                done.append(True)
            return items

        self.feed = feed
        if origin_done:
            done.append(True)
        return self._feed_stages(begun) if begun else None

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the origin's function, if the stages keep the text and nothing else."""
        if not all(stage.keeps_text for stage in self._stages):
            return None
        text_only = text_only or bool(self._stages) or self._inner.yields_text
        feed_wire = self._inner.write_into(writer, text_only=text_only)
        if feed_wire is not None:
            self._writes, self.done = True, self._inner.done
        return feed_wire

    def close(self) -> Sequence[Any]:
        """Return the last outputs."""
        if self._failure is not None:
            return ()
        if self._writes:
            return self._inner.close()
        outputs = self._feed_stages(self._inner.close())
        if self.error is not None:
            return outputs
        return [*outputs, *self._close_stages()]
