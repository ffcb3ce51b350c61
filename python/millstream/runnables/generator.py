"""``RunnableGenerator``: a generator function that transforms a stream of chunks, as a step of a chain."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from ..streaming.accumulate import aadd, add
from ..streaming.inputs import NestedIterator
from ..streaming.replay import WholeInput
from ..streaming.stream import Stream
from .arguments import bind_arguments, is_async_generator
from .config import RunnableConfig
from .runnable import Input, Output
from .runs import ChainRun, atransform_in_run, transform_in_run
from .transforming import Transforming
from .types_of import TypesOfGenerator

__all__ = ("RunnableGenerator",)


class RunnableGenerator(TypesOfGenerator[Input, Output], Transforming[Input, Output]):
    """A generator function that takes an iterator of chunks, as a Runnable.

    ``transform`` is a generator function for sync code, ``atransform`` (or ``transform`` alone, where it is an
    async generator function) one for async code. Parameters named ``config`` and ``run_manager`` receive the
    run's. ``invoke`` returns the sum of the outputs. ::

        def shout(chunks: Iterator[str]) -> Iterator[str]:
            for chunk in chunks:
                yield chunk.upper()

        chain = llm | shout

    Raises :class:`TypeError` where ``transform`` is not a generator function. A call for which there is no function
    raises :class:`NotImplementedError`.
    """

    def __init__(
        self,
        transform: Callable[..., Iterator[Output]] | Callable[..., AsyncIterator[Output]],
        atransform: Callable[..., AsyncIterator[Output]] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        self._transform: Callable[..., Iterator[Output]] | None = None
        self._atransform: Callable[..., AsyncIterator[Output]] | None = atransform
        if is_async_generator(transform):
            self._atransform = transform
        elif inspect.isgeneratorfunction(transform):
            self._transform = transform
        else:
            raise TypeError(
                "Expected a generator function type for `transform`."
                f" Instead got an unsupported type: {type(transform)}"
            )
        self.name = name or getattr(transform, "__name__", "RunnableGenerator")

    def __eq__(self, other: object) -> bool:
        """Compare the functions: those for sync code, if both have one."""
        if not isinstance(other, RunnableGenerator):
            return False
        if self._transform is not None and other._transform is not None:
            return self._transform == other._transform
        return self._atransform is not None and self._atransform == other._atransform

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the name."""
        return f"RunnableGenerator({self.name})"

    def _function(self) -> Callable[..., Any]:
        function = self._atransform if self._transform is None else self._transform
        assert function is not None
        return function

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream what the function yields for ``input``."""
        function = self._transform
        if function is None:
            raise NotImplementedError(f"{self!r} only supports async methods.")

        def run_function(items: object, run: ChainRun, config: RunnableConfig) -> Iterator[Output]:
            return iter(bind_arguments(function, kwargs, run, config)(items))

        return Stream(transform_in_run(self, run_function, input, config, defers_inputs=True))

    def _atransform_here(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Output, None]:
        self._afunction()
        return atransform_in_run(self, partial(self._run_function, kwargs), items, config, defers_inputs=True)

    def _run_function(
        self, kwargs: dict[str, Any], items: object, run: ChainRun, config: RunnableConfig
    ) -> AsyncIterator[Output]:
        return aiter(bind_arguments(self._afunction(), kwargs, run, config)(items))

    def _afunction(self) -> Callable[..., AsyncIterator[Output]]:
        if self._atransform is None:
            raise NotImplementedError(f"{self!r} only supports sync methods.")
        return self._atransform

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the sum of what the function yields."""
        output: Any = add(self.stream(input, config, **kwargs))
        total: Output = output
        return total

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the sum of what the function yields."""
        async with NestedIterator(self._atransform_here(WholeInput(input), config, kwargs)) as outputs:
            output: Any = await aadd(outputs)
        total: Output = output
        return total
