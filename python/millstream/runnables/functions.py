"""``RunnableLambda``: a function as a step of a chain."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import aclosing
from functools import cached_property, partial
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias, get_args, get_origin, overload

from .._context import run_in_executor
from .._signatures import signature_of
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.inputs import AsyncInputIterator, InputIterator, NestedIterator
from ..streaming.replay import WholeInput
from ..streaming.stream import AsyncStream, Stream
from ..streaming.workers import iterate_in_thread
from .arguments import bind_arguments, is_async_callable, is_async_generator
from .config import RunnableConfig, patch_config
from .config_specs import ConfigurableFieldSpec
from .foreign import as_runnable, is_foreign
from .fusion.calls import RunNeededError
from .nodes import FunctionStage
from .plain_functions import never_waits
from .runnable import Input, Output, Runnable
from .runs import ChainRun, acall_in_run, atransform_in_run, call_in_run, transform_in_run
from .types_of import specs_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..callbacks.chain_run_manager import AsyncCallbackManagerForChainRun
    from ..streaming.protocols import Stage
    from .graph import Graph

    # What a function may return or yield in place of its output.
    Outcome: TypeAlias = Runnable[Any, Output] | Awaitable[Output] | AsyncIterator[Output] | Iterator[Output]

__all__ = ("RunnableLambda", "chain")

_EMPTY = inspect.Signature.empty


class RunnableLambda(Runnable[Input, Output]):
    """A function of one argument as a Runnable.

    ``func`` is a function or a coroutine function; with both ``func`` and ``afunc`` async code calls
    the latter. Parameters named ``config`` and ``run_manager`` receive the run's. A
    generator function streams what it yields; a function that returns a Runnable has it called with
    the same input. In a stream the function gets the sum of its input's chunks. ::

        shout = RunnableLambda(lambda text: text.upper())
        chain = llm | shout

    Raises :class:`TypeError` where ``func`` is no function, or there are two for async code.
    """

    @overload
    def __init__(
        self,
        func: Callable[[Input], Outcome[Output]] | Callable[Concatenate[Input, ...], Outcome[Output]],
        afunc: None = None,
        name: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        func: Callable[[Input], Output] | Callable[Concatenate[Input, ...], Output],
        afunc: Callable[Concatenate[Input, ...], Awaitable[Output] | AsyncIterator[Output]] | None = None,
        name: str | None = None,
    ) -> None: ...
    def __init__(
        self, func: Callable[..., Any], afunc: Callable[..., Any] | None = None, name: str | None = None
    ) -> None:
        self.func: Callable[..., Any] | None = None
        self.afunc = afunc
        if is_async_callable(func) or is_async_generator(func):
            if afunc is not None:
                raise TypeError(
                    "Func was provided as a coroutine function, but afunc was also provided. If providing both,"
                    " func should be a regular function to avoid ambiguity."
                )
            self.afunc = func
        elif callable(func):
            self.func = func
        else:
            raise TypeError(f"Expected a callable type for `func`. Instead got an unsupported type: {type(func)}")
        own_name = name or getattr(func, "__name__", None)
        if own_name and own_name != "<lambda>":
            self.name = own_name

    def __eq__(self, other: object) -> bool:
        """Compare the functions."""
        if not isinstance(other, RunnableLambda):
            return False
        return (self.func, self.afunc) == (other.func, other.afunc)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the function: the source of a lambda, the name of any other."""
        return self._shown

    @cached_property
    def _shown(self) -> str:
        from .function_source import get_lambda_source

        if isinstance(self.func, itemgetter):
            return f"RunnableLambda({str(self.func).removeprefix('operator.')})"
        source = get_lambda_source(self._function) or "..."
        return f"RunnableLambda({'afunc=' if self.func is None else ''}{source})"

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Call the function; :class:`TypeError` for a coroutine function."""
        if self.func is None:
            raise TypeError("Cannot invoke a coroutine function synchronously. Use `ainvoke` instead.")
        output: Output = call_in_run(self, partial(self._call, kwargs), input, config)
        return output

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Call the function; one that is no coroutine function in the loop's executor."""
        output: Output = await acall_in_run(self, partial(self._acall, kwargs), input, config)
        return output

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream what the function yields, or what it returns."""
        return self.transform(iter((input,)), config, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream what the function yields, or what it returns."""
        from ..streaming.isolation import isolated_stream

        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream what the function makes of the sum of the input's chunks."""
        if self.func is None:
            raise TypeError("Cannot stream a coroutine function synchronously. Use `astream` instead.")
        return Stream(transform_in_run(self, partial(self._stream, kwargs), input, config))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream what the function makes of the sum of the input's chunks."""
        from ..streaming.isolation import isolated_stream

        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return atransform_in_run(self, partial(self._astream, kwargs), items, config)

    def _astream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return self._atransform_inline(WholeInput(input), config, kwargs)

    # What it takes and returns.

    @property
    def InputType(self) -> Any:
        """The annotation of the function's first parameter; any type if there is none."""
        parameter = next(iter(self._signature().parameters.values()), None)
        return Any if parameter is None or parameter.annotation is _EMPTY else parameter.annotation

    @property
    def OutputType(self) -> Any:
        """The annotation of the function's result, or of what it yields; any type if there is none."""
        returned = self._signature().return_annotation
        if get_origin(returned) in (Iterator, AsyncIterator):
            return next(iter(get_args(returned)), Any)
        return Any if returned is _EMPTY else returned

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input; without an annotation, of the keys that the function reads."""
        from .function_source import get_function_first_arg_dict_keys
        from .schemas import model_of_fields, model_of_type

        if isinstance(self._function, itemgetter):
            keys = self._function.__reduce__()[1]
            if all(isinstance(key, str) and key for key in keys):
                return model_of_fields(self.get_name("Input"), dict.fromkeys(keys, (Any, ...)))
            return model_of_type(self.get_name("Input"), list[Any], self._schema_module())
        if self.InputType == Any and (names := get_function_first_arg_dict_keys(self._function)):
            return model_of_fields(self.get_name("Input"), dict.fromkeys(names, (Any, ...)))
        return super().get_input_schema(config)

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the Runnables that the function uses."""
        return specs_of(self.deps)

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of the Runnables that the function uses; without any, that of the function alone."""
        from .runnable_graphs import graph_of_branches

        return graph_of_branches(self, self.deps, config) if self.deps else super().get_graph(config)

    @cached_property
    def deps(self) -> list[Runnable[Any, Any]]:
        """The Runnables among the variables that the function uses, each once."""
        from .function_source import get_function_nonlocals

        found = [getattr(one, "__self__", one) for one in get_function_nonlocals(self._function)]
        runnables = [one for one in found if isinstance(one, Runnable) or is_foreign(one)]
        return list({id(one): one for one in runnables}.values())

    @property
    def _function(self) -> Callable[..., Any]:
        function = self.afunc if self.func is None else self.func
        assert function is not None
        return function

    def _signature(self) -> inspect.Signature:
        try:
            return signature_of(self._function)
        except ValueError:
            return inspect.Signature()

    def _schema_module(self) -> str | None:
        return getattr(self._function, "__module__", None)

    def _as_stage(self) -> Stage[Any, Any] | None:
        if type(self.func) not in (attrgetter, itemgetter) or self.afunc is not None:
            return None
        return FunctionStage(self._function)

    def _as_call(self) -> Callable[[Any], Any] | None:
        return self._call_plain if self._is_plain else None

    @cached_property
    def _is_plain(self) -> bool:
        """Whether the function only computes, so that it needs no thread in async code."""
        return self.afunc is None and never_waits(self.func)

    def _call_plain(self, input: object) -> Any:
        output = self._function(input)
        if as_runnable(output) is not None:
            raise RunNeededError
        return output

    # What a run does.

    def _call(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        assert self.func is not None
        output = bind_arguments(self.func, kwargs, run, config)(input)
        if inspect.isgeneratorfunction(self.func):
            output = _sum_up(output)
        if (runnable := as_runnable(output)) is not None:
            return runnable.invoke(input, self._nested_config(config, input))
        return output

    async def _acall(
        self, kwargs: dict[str, Any], input: Any, run: AsyncCallbackManagerForChainRun, config: RunnableConfig
    ) -> Any:
        if self._is_plain:
            output = self._call_sync(kwargs, input, run, config)
        elif self.afunc is None:
            output = await run_in_executor(None, self._call_sync, kwargs, input, run.get_sync(), config)
        else:
            output = bind_arguments(self.afunc, kwargs, run, config)(input)
            output = await (_asum_up(output) if inspect.isasyncgenfunction(self.afunc) else output)
        if (runnable := as_runnable(output)) is not None:
            return await runnable.ainvoke(input, self._nested_config(config, input))
        return output

    def _call_sync(self, kwargs: dict[str, Any], input: object, run: ChainRun, config: RunnableConfig) -> Any:
        assert self.func is not None
        output = bind_arguments(self.func, kwargs, run, config)(input)
        return _sum_up(output) if inspect.isgeneratorfunction(self.func) else output

    def _stream(
        self, kwargs: dict[str, Any], chunks: InputIterator, run: ChainRun, config: RunnableConfig
    ) -> Generator[Any, None, None]:
        found, input = _sum_of(list(chunks))
        if not found:
            return
        assert self.func is not None
        output = bind_arguments(self.func, kwargs, run, config)(input)
        if inspect.isgeneratorfunction(self.func):
            yield from output
        elif (runnable := as_runnable(output)) is not None:
            yield from runnable.stream(input, self._nested_config(config, input))
        else:
            yield output

    async def _astream(
        self,
        kwargs: dict[str, Any],
        chunks: AsyncInputIterator,
        run: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
    ) -> AsyncGenerator[Any, None]:
        import asyncio

        found, input = _sum_of([item async for item in chunks])
        if not found:
            return
        if self.afunc is not None and inspect.isasyncgenfunction(self.afunc):
            outputs = bind_arguments(self.afunc, kwargs, run, config)(input)
        elif self.afunc is None and inspect.isgeneratorfunction(self.func):
            outputs = iterate_in_thread(lambda: bind_arguments(self.func, kwargs, run.get_sync(), config)(input))
        else:
            if self._is_plain:
                output = self._call_sync(kwargs, input, run, config)
            elif self.afunc is None:
                output = await run_in_executor(None, self._call_sync, kwargs, input, run.get_sync(), config)
            else:
                output = await bind_arguments(self.afunc, kwargs, run, config)(input)
            if (runnable := as_runnable(output)) is None:
                yield output
                return
            outputs = runnable._astream_inline(input, self._nested_config(config, input), {})
        async with aclosing(AsyncInputIterator(outputs)) as taken:
            async for output in taken:
                try:
                    yield output
                except asyncio.CancelledError as error:
                    taken.thrown = error

    def _nested_config(self, config: RunnableConfig, input: object) -> RunnableConfig:
        """Return the configuration of a Runnable that the function returned."""
        limit = config["recursion_limit"]
        if limit <= 0:
            raise RecursionError(f"Recursion limit reached when invoking {self} with input {input}.")
        return patch_config(config, recursion_limit=limit - 1)


@overload
def chain(
    func: Callable[[Input], Outcome[Output]] | Callable[Concatenate[Input, ...], Outcome[Output]],
) -> RunnableLambda[Input, Output]: ...
@overload
def chain(
    func: Callable[[Input], Output] | Callable[Concatenate[Input, ...], Output],
) -> RunnableLambda[Input, Output]: ...
def chain(func: Callable[..., Any]) -> RunnableLambda[Any, Any]:
    """Return ``func`` as a Runnable of its name; to be used as a decorator."""
    return RunnableLambda(func)


def _sum_of(chunks: list[Any]) -> tuple[bool, Any]:
    """Return whether there is any chunk, and their sum."""
    sum = ChunkAccumulator(adds_on=True)
    for chunk in chunks:
        sum.add(chunk)
    return bool(chunks), sum.total()


def _sum_up(chunks: Iterable[Any]) -> Any:
    return _sum_of(list(chunks))[1]


async def _asum_up(chunks: AsyncGenerator[Any, None]) -> Any:
    async with NestedIterator(chunks) as taken:
        return _sum_of([chunk async for chunk in taken])[1]
