"""Calls and streams of users' functions in runs of their own: what LangChain's inner methods of Runnables do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Any

from .arguments import bind_arguments
from .config import RunnableConfig
from .run_batch import Call, RunBatch
from .runs import Named, acall_in_run, atransform_in_run, call_in_run, transform_in_run

__all__ = ("FunctionBatch", "acall_function", "atransform_by_function", "call_function", "transform_by_function")


def call_function(
    owner: Named,
    func: Callable[..., Any],
    input: object,
    config: RunnableConfig | None,
    kwargs: dict[str, Any],
    **start: Any,
) -> Any:
    """Return ``func(input, **kwargs)``, called in a run of ``owner``."""

    def call(input: Any, run: Any, child: RunnableConfig) -> Any:
        return bind_arguments(func, kwargs, run, child)(input)

    return call_in_run(owner, call, input, config, **start)


async def acall_function(
    owner: Named,
    func: Callable[..., Any],
    input: object,
    config: RunnableConfig | None,
    kwargs: dict[str, Any],
    **start: Any,
) -> Any:
    """Return ``await func(input, **kwargs)``, called in a run of ``owner``."""

    async def call(input: Any, run: Any, child: RunnableConfig) -> Any:
        return await bind_arguments(func, kwargs, run, child)(input)

    return await acall_in_run(owner, call, input, config, **start)


def transform_by_function(
    owner: Named,
    items: Iterator[Any],
    transformer: Callable[..., Iterator[Any]],
    config: RunnableConfig | None,
    run_type: str | None,
    kwargs: dict[str, Any],
) -> Generator[Any, None, None]:
    """Yield the items of ``transformer(items, **kwargs)``, in a run of ``owner``."""
    defers_inputs = kwargs.pop("defers_inputs", False)
    transform = partial(_transform, transformer, kwargs)
    return transform_in_run(owner, transform, items, config, run_type, defers_inputs=defers_inputs)


def atransform_by_function(
    owner: Named,
    items: AsyncIterator[Any],
    transformer: Callable[..., AsyncIterator[Any]],
    config: RunnableConfig | None,
    run_type: str | None,
    kwargs: dict[str, Any],
) -> AsyncGenerator[Any, None]:
    """Yield the items of ``transformer(items, **kwargs)``, in a run of ``owner``."""
    defers_inputs = kwargs.pop("defers_inputs", False)
    transform = partial(_transform, transformer, kwargs)
    return atransform_in_run(owner, transform, items, config, run_type, defers_inputs=defers_inputs)


def _transform(
    transformer: Callable[..., Any], kwargs: dict[str, Any], items: object, run: Any, config: RunnableConfig
) -> Any:
    return bind_arguments(transformer, kwargs, run, config)(items)


class FunctionBatch(RunBatch):
    """One call of ``func`` with all inputs of a batch, each of which has a run of its own.

    Parameters ``config`` and ``run_manager`` of ``func`` receive lists. It returns an output, or an exception, for each
    input.
    """

    def __init__(
        self,
        owner: Named,
        func: Callable[..., Any],
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        run_type: str | None,
        return_exceptions: bool,
    ) -> None:
        super().__init__(owner, inputs, config, kwargs, return_exceptions=return_exceptions, run_type=run_type)
        self._func = func

    def calls(self) -> Iterator[Call]:
        """Yield the one call."""
        yield self, list(self.inputs), self._configs(None), self._kwargs

    def batch(self, inputs: list[Any], configs: Any, *, return_exceptions: bool, **kwargs: Any) -> Any:
        """Return the outputs of the function; a coroutine where it is a coroutine function."""
        return bind_arguments(self._func, kwargs, self.runs, configs)(inputs)

    abatch = batch

    def take(self, outputs: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Take the outputs; the runs end later, all at once."""
        self._values = list(outputs)
        return ()
