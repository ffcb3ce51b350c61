"""The base of Runnables that calls them, with one input and with many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from .._context import run_in_executor
from .config import RunnableConfig, batch_configs, counts_inputs

if TYPE_CHECKING:
    from .run_batch import RunBatch

__all__ = ("Input", "Invocable", "Output")

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class Invocable(ABC, Generic[Input, Output]):
    """The calls of a Runnable that return whole outputs, and its name."""

    name: str | None = None
    # What stream events call its runs.
    run_type: ClassVar[str] = "chain"

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return ``name``, or the Runnable's own, or that of its class; with ``suffix`` in the case that fits."""
        found = name or self.name or self._default_name()
        if not suffix:
            return found
        return f"{found}{suffix.title()}" if found[0].isupper() else f"{found}_{suffix.lower()}"

    def _default_name(self) -> str:
        """Return the name of a Runnable that has none of its own."""
        return type(self).__name__

    @abstractmethod
    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input."""

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input; by default :meth:`invoke`, in the loop's executor."""
        return await run_in_executor(None, self.invoke, input, config, **kwargs)

    @overload
    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> list[Output]: ...
    @overload
    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> list[Output | Exception]: ...
    @overload
    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> list[Output] | list[Output | Exception]: ...
    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs; by default by threads, ``max_concurrency`` at a time.

        With ``return_exceptions`` an :class:`Exception` stands in its output's place.
        """
        if (runs := self._find_batch_of_runs(inputs, config, kwargs, return_exceptions)) is not None:
            from .run_batch import batch_in_runs

            return batch_in_runs(runs)
        configs, at_once = batch_configs(inputs, config)
        if not inputs:
            return []
        if len(inputs) == 1:
            return [self._invoke_one(return_exceptions, kwargs, inputs[0], configs[0])]
        from .concurrent_calls import run_all

        return run_all(self._batch_calls(inputs, configs, return_exceptions, kwargs), at_once)

    def _find_batch_of_runs(
        self, inputs: Sequence[Input], config: Any, kwargs: dict[str, Any], return_exceptions: bool
    ) -> RunBatch | None:
        """Return the batch if each input has a run of this Runnable, and no handler counts the inputs as they end."""
        return None if counts_inputs(config) else self._batch_of_runs(inputs, config, kwargs, return_exceptions)

    def _batch_of_runs(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None,
        kwargs: dict[str, Any],
        return_exceptions: bool,
    ) -> RunBatch | None:
        """Return the batch if each input has a run of this Runnable; by default each input is invoked."""
        return None

    @overload
    def batch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Output]]: ...
    @overload
    def batch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> Iterator[tuple[int, Output | Exception]]: ...
    @overload
    def batch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Output]] | Iterator[tuple[int, Output | Exception]]: ...
    def batch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Any]]:
        """Return an iterator of each input's place and output, in the order in which they come; see :meth:`batch`.

        When the iterator is closed, calls that have not begun are dropped.
        """
        from .concurrent_calls import iter_completed

        configs, at_once = batch_configs(inputs, config)
        return iter_completed(self._batch_calls(inputs, configs, return_exceptions, kwargs), at_once)

    def _batch_calls(
        self, inputs: Sequence[Any], configs: Sequence[RunnableConfig], return_exceptions: bool, kwargs: dict[str, Any]
    ) -> list[Callable[[], Any]]:
        one = partial(self._invoke_one, return_exceptions, kwargs)
        pairs = zip(inputs, configs, strict=True)
        return [partial(one, *pair) for pair in pairs]

    def _invoke_one(self, return_exceptions: bool, kwargs: dict[str, Any], input: Any, config: RunnableConfig) -> Any:
        try:
            return self.invoke(input, config, **kwargs)
        except Exception as error:
            if return_exceptions:
                return error
            raise

    @overload
    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> list[Output]: ...
    @overload
    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> list[Output | Exception]: ...
    @overload
    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> list[Output] | list[Output | Exception]: ...
    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs; by default by tasks, ``max_concurrency`` at a time."""
        from .concurrent_calls import arun_all
        from .run_batch import abatch_in_runs

        if (runs := self._find_batch_of_runs(inputs, config, kwargs, return_exceptions)) is not None:
            return await abatch_in_runs(runs)
        configs, at_once = batch_configs(inputs, config)
        if not inputs:
            return []
        one = partial(self._ainvoke_one, return_exceptions, kwargs)
        return await arun_all([partial(one, *pair) for pair in zip(inputs, configs, strict=True)], at_once)

    @overload
    def abatch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Output]]: ...
    @overload
    def abatch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Output | Exception]]: ...
    @overload
    def abatch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Output]] | AsyncIterator[tuple[int, Output | Exception]]: ...
    def abatch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Any]]:
        """Return an iterator of each input's place and output, in the order in which they come; see :meth:`abatch`.

        When the iterator is closed, calls that have not ended are cancelled.
        """
        from .concurrent_calls import aiter_completed

        configs, at_once = batch_configs(inputs, config)
        one = partial(self._ainvoke_one, return_exceptions, kwargs)
        return aiter_completed([partial(one, *pair) for pair in zip(inputs, configs, strict=True)], at_once)

    # LangChain's inner methods, for Runnables of users' own.

    def _call_with_config(
        self,
        func: Callable[..., Any],
        input_: Any,
        config: RunnableConfig | None,
        run_type: str | None = None,
        serialized: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return ``func(input_, **kwargs)``, called in a run of this Runnable.

        Parameters of ``func`` named ``config`` and ``run_manager`` receive the run's.
        """
        from .inner_calls import call_function

        return call_function(self, func, input_, config, kwargs, run_type=run_type, serialized=serialized)

    async def _acall_with_config(
        self,
        func: Callable[..., Any],
        input_: Any,
        config: RunnableConfig | None,
        run_type: str | None = None,
        serialized: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return ``await func(input_, **kwargs)``, called in a run of this Runnable."""
        from .inner_calls import acall_function

        return await acall_function(self, func, input_, config, kwargs, run_type=run_type, serialized=serialized)

    def _batch_with_config(
        self,
        func: Callable[..., Any],
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        run_type: str | None = None,
        **kwargs: Any,
    ) -> list[Any]:
        """Return ``func(inputs, **kwargs)``, called in a run for each input; an exception may stand for an output."""
        from .inner_calls import FunctionBatch
        from .run_batch import batch_in_runs

        more: dict[str, Any] = {"run_type": run_type, "return_exceptions": return_exceptions}
        return batch_in_runs(FunctionBatch(self, func, inputs, config, kwargs, **more)) if inputs else []

    async def _abatch_with_config(
        self,
        func: Callable[..., Any],
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        run_type: str | None = None,
        **kwargs: Any,
    ) -> list[Any]:
        """Return ``await func(inputs, **kwargs)``; see :meth:`_batch_with_config`."""
        from .inner_calls import FunctionBatch
        from .run_batch import abatch_in_runs

        more: dict[str, Any] = {"run_type": run_type, "return_exceptions": return_exceptions}
        return await abatch_in_runs(FunctionBatch(self, func, inputs, config, kwargs, **more)) if inputs else []

    async def _ainvoke_one(
        self, return_exceptions: bool, kwargs: dict[str, Any], input: Any, config: RunnableConfig
    ) -> Any:
        try:
            return await self.ainvoke(input, config, **kwargs)
        except Exception as error:
            if return_exceptions:
                return error
            raise
