"""``RunnableWithFallbacks``: a Runnable, and others that are called in its place while it fails."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial, wraps
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from .._signatures import annotation_text, own_annotations
from ..streaming.replay import AsyncReplay, Replay, as_whole_input
from ..streaming.stream import Stream
from .attempting import Attempting
from .attempts import acall_attempts, aiter_attempts, call_attempts, iter_attempts
from .binding import RunnableBindingBase
from .coercion import coerce_to_runnable
from .config import RunnableConfig, child_config, ensure_config
from .config_specs import ConfigurableFieldSpec
from .functions import RunnableLambda
from .fusion.origins import FallbackOrigin, FallbackRoot, silent_origin
from .introspection import Introspectable
from .parallel import RunnableParallel
from .run_batch import Call, RunBatch
from .runnable import Input, Output, Runnable
from .runs import ChainRun, acall_in_run, atransform_in_run, call_in_run, transform_in_run
from .sequence import RunnableSequence
from .serializable import RunnableSerializable
from .stream_runs import astream_in_run, stream_in_run
from .types_of import TypesOfAnother, specs_of

if TYPE_CHECKING:
    from ..events import EventFilter, StreamEvent
    from ..streaming.protocols import Processor, Source
    from .graph import Graph
    from .origin import Origin

__all__ = ("RunnableWithFallbacks",)


class RunnableWithFallbacks(
    Attempting[Input, Output], TypesOfAnother[Input, Output], RunnableSerializable[Input, Output]
):
    """A Runnable, and fallbacks that are called one after the other while it fails.

    It is made by :meth:`Runnable.with_fallbacks`. If all fail, a call raises the first exception. A stream falls back
    until its first chunk, with the same input; an exception after that is raised. Exceptions that are not among
    ``exceptions_to_handle`` are raised at once. With an ``exception_key`` the input must be a dict, and a fallback
    receives a copy of it with the last exception under this key. ::

        OpenAI(model="a").with_fallbacks([OpenAI(model="b")])

    Attributes it does not define are those of ``runnable``; a method that returns a Runnable (``bind_tools``) is called
    on each of them.
    """

    runnable: Runnable[Input, Output]
    fallbacks: Sequence[Runnable[Input, Output]]
    exceptions_to_handle: tuple[type[BaseException], ...] = (Exception,)
    exception_key: str | None = None

    def __post_init__(self) -> None:
        """Take functions, dicts and LangChain's Runnables as fallbacks; check the types of the exceptions."""
        super().__post_init__()
        types: Any = self.exceptions_to_handle
        if isinstance(types, list):
            types = self.exceptions_to_handle = tuple(types)
        if not all(isinstance(one, type) for one in (types if isinstance(types, tuple) else (types,))):
            raise TypeError(f"exceptions_to_handle must be a tuple of exception types, not {types!r}")
        if not isinstance(self.fallbacks, Iterable):
            raise TypeError(f"fallbacks must be a list of Runnables, not {type(self.fallbacks).__name__}")
        self.fallbacks = [coerce_to_runnable(fallback) for fallback in self.fallbacks]

    @property
    def runnables(self) -> Iterator[Runnable[Input, Output]]:
        """The Runnable, then its fallbacks."""
        yield self.runnable
        yield from self.fallbacks

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        return self.runnable, config

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the Runnable and its fallbacks."""
        return specs_of(self.runnables)

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of this Runnable, as of one."""
        return Introspectable.get_graph(self, config)

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the Runnable, then the fallbacks while they fail."""
        attempts, full = FallbackAttempts(self, input), ensure_config(config)
        call = partial(self._call, attempts, _for_attempts(full), kwargs)
        output: Output = call_in_run(self, call, input, full, reports_type=False)
        return output

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the Runnable, then the fallbacks while they fail."""
        attempts, full = FallbackAttempts(self, input), ensure_config(config)
        call = partial(self._acall, attempts, _for_attempts(full), kwargs)
        output: Output = await acall_in_run(self, call, input, full, reports_type=False)
        return output

    def _call(self, attempts: FallbackAttempts, config: RunnableConfig, kwargs: dict[str, Any], *run: ChainRun) -> Any:
        return call_attempts(attempts, lambda: attempts.runnable.invoke(attempts.input, config, **kwargs))

    async def _acall(
        self, attempts: FallbackAttempts, config: RunnableConfig, kwargs: dict[str, Any], *run: ChainRun
    ) -> Any:
        return await acall_attempts(attempts, lambda: attempts.runnable.ainvoke(attempts.input, config, **kwargs))

    def _batch_of_runs(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None,
        kwargs: dict[str, Any],
        return_exceptions: bool,
    ) -> RunBatch:
        return FallbackBatch(self, inputs, config, kwargs, return_exceptions=return_exceptions)

    # Streams.

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Transform with the Runnable; with the fallbacks, while no chunk has come.

        If none of them transforms chunk by chunk, or with an ``exception_key``, the sum of the input is streamed.
        """
        if (whole := as_whole_input(input)) is not None:
            return self.stream(whole.value, config, **kwargs)
        if self._reads_whole_input():
            return super().transform(input, config, **kwargs)
        return Stream(transform_in_run(self, partial(self._transform, kwargs), input, config, reports_chunks=False))

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        if (whole := as_whole_input(items)) is not None:
            outputs: AsyncIterable[Output] = self._astream_inline(whole.value, config, kwargs)
            return outputs
        if self._reads_whole_input():
            return Runnable.atransform(self, items, config, **kwargs)
        return atransform_in_run(self, partial(self._atransform, kwargs), items, config, reports_chunks=False)

    def _stream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any:
        attempts = FallbackAttempts(self, input)
        return stream_in_run(self, partial(self._stream, attempts, kwargs), input, config)

    def _astream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any:
        attempts = FallbackAttempts(self, input)
        return astream_in_run(self, partial(self._astream, attempts, kwargs), input, config)

    def _stream(
        self, attempts: FallbackAttempts, kwargs: dict[str, Any], _: object, run: ChainRun, config: RunnableConfig
    ) -> Any:
        # As in LangChain, a sync stream has its configuration from the context alone.
        inherited: Any = None
        return iter_attempts(attempts, lambda: attempts.runnable._stream_inline(attempts.input, inherited, kwargs))

    async def _astream(
        self, attempts: FallbackAttempts, kwargs: dict[str, Any], _: Any, run: ChainRun, config: Any
    ) -> Any:
        return aiter_attempts(
            attempts, lambda: attempts.runnable._astream_inline(attempts.input, child_config(config, run), kwargs)
        )

    def _transform(self, kwargs: dict[str, Any], items: Any, run: ChainRun, config: RunnableConfig) -> Any:
        attempts, replay = FallbackAttempts(self, None), Replay(items)
        return iter_attempts(
            attempts,
            lambda: attempts.runnable.transform(replay.attempt(), child_config(config, run), **kwargs),
            replay,
        )

    def _atransform(self, kwargs: dict[str, Any], items: Any, run: ChainRun, config: RunnableConfig) -> Any:
        attempts, replay = FallbackAttempts(self, None), AsyncReplay(items)
        return aiter_attempts(
            attempts,
            lambda: attempts.runnable._atransform_inline(replay.attempt(), child_config(config, run), kwargs),
            replay,
        )

    def _reads_whole_input(self) -> bool:
        return self.exception_key is not None or all(map(_reads_whole_input, self.runnables))

    def _as_origin(self) -> Origin | None:
        """Return this Runnable as the origin of a fused chain, if all of its Runnables are origins."""
        if type(self) is not RunnableWithFallbacks or self.exception_key is not None:
            return None
        found = [runnable._as_origin() for runnable in self.runnables]
        origins = [origin for origin in found if origin is not None]
        return FallbackOrigin(self, origins) if len(origins) == len(found) else None

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
        if silent_origin(self, config) is None:
            return super()._event_stream(input, config, version, wanted, kwargs, for_async=for_async)
        from .fusion.events import FusedEvents
        from .fusion.plan import Plan, Step

        origins = [origin for runnable in self.runnables if (origin := runnable._as_origin()) is not None]
        plan = Plan([], [], Step(self, {}, None, None), FallbackRoot(self, origins), [], binds_callbacks=False)
        fused = FusedEvents(self, plan, input, config, version, wanted, kwargs, for_async=for_async)
        return fused, fused

    def _attempts(self, input: Any) -> FallbackAttempts:
        return FallbackAttempts(self, input)

    # Attributes.

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the Runnable; a method that returns a Runnable is called on the fallbacks too."""
        if name in _FIELDS or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.runnable, name)
        return self._on_each(name, found) if _returns_runnable(name, found) else found

    def _on_each(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> RunnableWithFallbacks[Any, Any]:
            runnable = method(*args, **kwargs)
            fallbacks = [getattr(fallback, name)(*args, **kwargs) for fallback in self.fallbacks]
            fields = {field: getattr(self, field) for field in type(self).__millstream_fields__}
            return type(self)(**{**fields, "runnable": runnable, "fallbacks": fallbacks})

        return call


class FallbackAttempts:
    """The attempts of one call of a :class:`RunnableWithFallbacks`: the next Runnable, and its input."""

    def __init__(self, owner: RunnableWithFallbacks[Any, Any], input: Any) -> None:
        if owner.exception_key is not None and not isinstance(input, dict):
            raise ValueError(
                "If 'exception_key' is specified then input must be a dictionary."
                f" However found a type of {type(input)} for input"
            )
        self._owner = owner
        self._rest = owner.runnables
        self._first: BaseException | None = None
        self.runnable: Any = next(self._rest)
        self.input = input

    def judge(self, error: BaseException) -> tuple[BaseException | None, float]:
        """Return the first exception if there is no other fallback, and ``error`` if it is not handled."""
        owner = self._owner
        if not isinstance(error, owner.exceptions_to_handle):
            return error, 0.0
        self._first = self._first or error
        self.runnable = next(self._rest, None)
        if self.runnable is None:
            return self._first, 0.0
        if owner.exception_key is not None:
            self.input = {**self.input, owner.exception_key: error}
        return None, 0.0

    def release(self) -> None:
        """Drop the exceptions."""
        self._first = self.input = None


class FallbackBatch(RunBatch):
    """The calls of one batch: of each Runnable, for the inputs that have failed so far."""

    def __init__(
        self,
        owner: RunnableWithFallbacks[Any, Any],
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
    ) -> None:
        super().__init__(owner, inputs, config, kwargs, return_exceptions=return_exceptions)
        if owner.exception_key is not None and not all(isinstance(input, dict) for input in inputs):
            raise ValueError(
                "If 'exception_key' is specified then inputs must be dictionaries."
                f" However found a type of {type(inputs[0])} for input"
            )
        self._owner = owner
        self._inputs = list(inputs)
        self._failure: BaseException | None = None

    def release(self) -> None:
        """Drop the outputs, and the inputs that hold exceptions."""
        super().release()
        self._inputs = []

    def shown_inputs(self) -> Sequence[Any]:
        """Return the inputs as dicts, as LangChain's sync batch does, and its async one does not."""
        return [input if isinstance(input, dict) else {"input": input} for input in self.inputs]

    def calls(self) -> Iterator[Call]:
        """Yield the call of each Runnable; raise an unhandled exception, unless ``return_exceptions`` is set."""
        for runnable in self._owner.runnables:
            if not self._left:
                return
            yield runnable, [self._inputs[i] for i in self._left], self._configs(None), self._kwargs
            failure, self._failure = self._failure, None
            if failure is not None:
                try:
                    raise failure
                finally:
                    del failure

    def take(self, outputs: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Take the outputs of a Runnable; return the runs that it has ended."""
        owner, key, ended = self._owner, self._owner.exception_key, []
        tried, self._left = self._left, []
        for i, output in zip(tried, outputs, strict=True):
            self._values[i] = output
            if isinstance(output, owner.exceptions_to_handle):
                self._left.append(i)
                if key is not None:
                    self._inputs[i] = {**self._inputs[i], key: output}
            elif not isinstance(output, BaseException):
                self._ended.add(i)
                ended.append((self.runs[i], output))
            elif not self.return_exceptions:
                self._failure = self._failure or output
        return ended


# Those whose lookup must not ask for them again.
_FIELDS = ("runnable", "fallbacks")
# Methods of models that bind more to them; the types of their results are not known before they are called.
_BINDING = ("bind_tools", "with_structured_output")


def _for_attempts(config: RunnableConfig) -> RunnableConfig:
    """Return the configuration of the attempts of ``invoke``; as in LangChain, it is the call's own, without its id."""
    attempts = config.copy()
    attempts.pop("run_id", None)
    return attempts


def _reads_whole_input(runnable: Any) -> bool:
    """Return whether ``runnable`` waits for its whole input, whatever it streams."""
    if isinstance(runnable, RunnableBindingBase):
        return _reads_whole_input(runnable.bound)
    if isinstance(runnable, RunnableSequence):
        return _reads_whole_input(runnable.first)
    if isinstance(runnable, RunnableWithFallbacks):
        return runnable._reads_whole_input()
    if isinstance(runnable, RunnableParallel):
        return all(map(_reads_whole_input, runnable.steps__.values()))
    return type(runnable).transform in (Runnable.transform, RunnableLambda.transform)


def _returns_runnable(name: str, method: object) -> bool:
    """Return whether ``method`` is one that returns a Runnable, as far as its annotations say."""
    if not callable(method):
        return False
    if name in _BINDING:
        return True
    try:
        hint = get_type_hints(method).get("return")
    except Exception:
        hint = own_annotations(method).get("return")
    return _is_runnable_type(hint)


def _is_runnable_type(hint: object) -> bool:
    hint = annotation_text(hint)
    if isinstance(hint, str):
        return hint.partition("[")[0].rpartition(".")[2].startswith("Runnable")
    origin = get_origin(hint) or hint
    if isinstance(origin, type) and not issubclass(origin, UnionType):
        return any(cls.__name__ == "Runnable" for cls in origin.__mro__)
    return bool(get_args(hint)) and all(map(_is_runnable_type, get_args(hint)))
