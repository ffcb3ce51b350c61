"""``RunnableRetry``: a Runnable that is called again after a failure."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .._fields import did_you_mean
from .._uuid7 import uuid7
from ..callbacks.manager import CallbackManager
from ..streaming.replay import AsyncReplay, Replay, as_whole_input
from ..streaming.stream import Stream
from .attempting import Attempting
from .attempts import ExponentialJitterParams, acall_attempts, aiter_attempts, call_attempts, iter_attempts
from .binding import RunnableBindingBase
from .config import RunnableConfig, child_config, ensure_config
from .fusion.attempts import AttemptedEvents
from .fusion.origins import RetryOrigin, silent_origin
from .run_batch import Call, RunBatch
from .runnable import Input, Output, Runnable
from .runs import ChainRun, acall_in_run, call_in_run

if TYPE_CHECKING:
    from ..events import EventFilter, StreamEvent
    from ..streaming.protocols import Processor, Source
    from ..wires.record_stream import RecordStream, SyncRecordStream
    from .origin import Origin

__all__ = ("ExponentialJitterParams", "RunnableRetry")


class RunnableRetry(Attempting[Input, Output], RunnableBindingBase[Input, Output]):
    """A Runnable that is called again after a failure; made by :meth:`Runnable.with_retry`.

    A call, and each call of a batch, has a run of its own, in which the attempts are child runs, tagged
    ``retry:attempt:2`` and so on from the second one on. Of a batch, the inputs that failed are tried again. A stream
    is begun again until its first chunk, with the same input, and a failure after that is raised: it has no run of
    its own. ::

        model.with_retry(retry_if_exception_type=(RateLimitError,), stop_after_attempt=5)
    """

    retry_exception_types: tuple[type[BaseException], ...] | Callable[[BaseException], bool] = (Exception,)
    wait_exponential_jitter: bool = True
    exponential_jitter_params: ExponentialJitterParams | None = None
    max_attempt_number: int = 3

    def __post_init__(self) -> None:
        """Check the types of the exceptions: a class alone would be taken for a function."""
        types = self.retry_exception_types
        if isinstance(types, list):
            types = self.retry_exception_types = tuple(types)
        if isinstance(types, type) or not (isinstance(types, tuple) or callable(types)):
            raise TypeError(f"retry_if_exception_type must be a tuple of exception types, or a function, not {types!r}")
        known = ExponentialJitterParams.__annotations__
        for name in self.exponential_jitter_params or ():
            if name not in known:
                raise TypeError(f"exponential_jitter_params has no {name!r}{did_you_mean(name, known)}")
        super().__post_init__()

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable, again while it fails."""
        output: Output = call_in_run(self, partial(self._call, kwargs), input, config)
        return output

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable, again while it fails."""
        output: Output = await acall_in_run(self, partial(self._acall, kwargs), input, config)
        return output

    def _call(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        attempts, invoke = RetryAttempts(self), super().invoke
        return call_attempts(attempts, lambda: invoke(input, child_config(config, run, attempts.tag), **kwargs))

    async def _acall(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        attempts, ainvoke = RetryAttempts(self), super().ainvoke
        return await acall_attempts(attempts, lambda: ainvoke(input, child_config(config, run, attempts.tag), **kwargs))

    def _batch_of_runs(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None,
        kwargs: dict[str, Any],
        return_exceptions: bool,
    ) -> RunBatch:
        return RetryBatch(self, inputs, config, kwargs, return_exceptions=return_exceptions)

    # Each call has a run here, so the bound Runnable's own methods for many inputs are not called.
    batch = Runnable.batch  # type: ignore[assignment]
    abatch = Runnable.abatch  # type: ignore[assignment]
    batch_as_completed = Runnable.batch_as_completed  # type: ignore[assignment]
    abatch_as_completed = Runnable.abatch_as_completed  # type: ignore[assignment]

    # Streams.

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Transform with the bound Runnable, again while it fails before its first chunk."""
        if (whole := as_whole_input(input)) is not None:
            return self.stream(whole.value, config, **kwargs)
        return Stream(self._transform(input, config, kwargs))

    def _stream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> Generator[Output, None, None]:
        attempts, begin = RetryAttempts(self), super()._stream_inline
        return iter_attempts(attempts, lambda: begin(input, attempts.configure(config), kwargs))

    def _astream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Output, None]:
        attempts, begin = RetryAttempts(self), super()._astream_inline
        return aiter_attempts(attempts, lambda: begin(input, attempts.configure(config), kwargs))

    def _transform(
        self, items: Iterator[Any], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> Generator[Output, None, None]:
        attempts, begin, replay = RetryAttempts(self), super().transform, Replay(items)
        return iter_attempts(attempts, lambda: begin(replay.attempt(), attempts.configure(config), **kwargs), replay)

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        if (whole := as_whole_input(items)) is not None:
            return self._astream_inline(whole.value, config, kwargs)
        attempts, begin, replay = RetryAttempts(self), super()._atransform_inline, AsyncReplay(items)
        return aiter_attempts(attempts, lambda: begin(replay.attempt(), attempts.configure(config), kwargs), replay)

    # The events are those of the attempts, which the bound Runnable alone does not know.

    def astream_events(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the events of the attempts."""
        return Runnable.astream_events(self, input, config, **kwargs)

    def stream_events(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the events of the attempts."""
        return Runnable.stream_events(self, input, config, **kwargs)

    def astream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> RecordStream:
        """Stream the records of the attempts."""
        return Runnable.astream_records(self, input, config, **kwargs)

    def stream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> SyncRecordStream:
        """Stream, for sync code, the records of the attempts."""
        return Runnable.stream_records(self, input, config, **kwargs)

    def _as_origin(self) -> Origin | None:
        """Return this Runnable as the origin of a fused chain, if the bound one is one."""
        origin = self.bound._as_origin() if type(self) is RunnableRetry and not self.config_factories else None
        return None if origin is None else RetryOrigin(self, origin)

    def _event_stream(
        self,
        input: Input,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        """Return the source and the processor of the attempts' events: straight over the connection of a model."""
        full = ensure_config(self._merge_configs(config))
        full["run_id"] = full.get("run_id") or uuid7()
        attempts = self._attempts()

        def begin_next() -> tuple[Any, Any]:
            own, more = attempts.configure(full), {**self.kwargs, **kwargs}
            return self.bound._event_stream(input, own, version, wanted, more, for_async=for_async)

        if silent_origin(self, config) is None or getattr(begin_next()[1], "mixed", True):
            return super()._event_stream(input, config, version, wanted, kwargs, for_async=for_async)
        stream = AttemptedEvents(attempts, begin_next)
        return stream, stream

    # When to try again.

    def _attempts(self) -> RetryAttempts:
        return RetryAttempts(self)

    def _retries(self, error: BaseException) -> bool:
        types = self.retry_exception_types
        return isinstance(error, types or Exception) if isinstance(types, tuple) else bool(types(error))

    def _seconds_after(self, attempt: int) -> float:
        """Return how long to wait after the attempt of this number, from 1 on."""
        if not self.wait_exponential_jitter:
            return 0.0
        params = self.exponential_jitter_params or {}
        most = params.get("max", math.inf)
        extra = random.uniform(0, params.get("jitter", 1))
        try:
            seconds = params.get("initial", 1) * params.get("exp_base", 2) ** (attempt - 1) + extra
        except OverflowError:
            return most
        return max(0.0, min(seconds, most))


class RetryAttempts:
    """The attempts of one call of a :class:`RunnableRetry`."""

    def __init__(self, retry: RunnableRetry[Any, Any]) -> None:
        self._retry = retry
        self._number = 1

    @property
    def tag(self) -> str | None:
        """The tag of the attempt's run; the first attempt has none."""
        return f"retry:attempt:{self._number}" if self._number > 1 else None

    def judge(self, error: BaseException) -> tuple[BaseException | None, float]:
        """Return ``error`` if there is no other attempt, and otherwise how long to wait before that."""
        retry, number = self._retry, self._number
        if not retry._retries(error) or number >= (retry.max_attempt_number or math.inf):
            return error, 0.0
        self._number += 1
        return None, retry._seconds_after(number)

    def release(self) -> None:
        """Do nothing: no exception of an attempt is kept."""

    def configure(self, config: RunnableConfig | None) -> RunnableConfig:
        """Return the configuration of an attempt that has no parent run here: the call's, with the attempt's tag."""
        if (tag := self.tag) is None:
            return config or {}
        full = ensure_config(config)
        manager = CallbackManager.configure(full["callbacks"])
        manager.add_tags([tag], inherit=False)
        return {**full, "callbacks": manager}


class RetryBatch(RunBatch):
    """The calls of one batch: an attempt after the other, each for the inputs that have failed so far."""

    def __init__(
        self,
        retry: RunnableRetry[Any, Any],
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
    ) -> None:
        super().__init__(retry, inputs, config, kwargs, return_exceptions=return_exceptions, run_type=None)
        self._retry = retry

    def calls(self) -> Iterator[Call]:
        """Yield the call of each attempt."""
        step, attempts = super(RunnableRetry, self._retry), RetryAttempts(self._retry)
        while self._left:
            yield step, [self.inputs[i] for i in self._left], self._configs(attempts.tag), self._kwargs
            if not self._left:
                return
            # As in LangChain, the first exception decides for all inputs that have failed.
            failure, self.wait = attempts.judge(self._values[self._left[0]])
            if failure is not None:
                return

    def take(self, outputs: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Take the outputs of an attempt; the runs end with the batch."""
        ended = super().take(outputs)
        self._left = [i for i in self._left if isinstance(self._values[i], Exception)]
        return ended
