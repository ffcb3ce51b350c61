"""LangChain's Runnables as steps: each is called through its own methods, and LangChain is never imported for it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from typing import Any

from ..callbacks.langchain_values import manager_to_langchain, to_langchain
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.isolation import isolated_stream
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .runnable import Runnable
from .types_of import TypesOfAnother

__all__ = ("ForeignRunnable", "as_runnable", "is_foreign", "steps_of")


def is_foreign(thing: object) -> bool:
    """Return whether ``thing`` is a Runnable of LangChain's."""
    module = sys.modules.get("langchain_core.runnables.base")
    kind = getattr(module, "Runnable", None)
    # LangChain takes ours for its own; see ``Runnable.__new__``.
    return kind is not None and isinstance(thing, kind) and not isinstance(thing, Runnable)


def steps_of(thing: object) -> Sequence[Any]:
    """Return the steps of a sequence of LangChain's; anything else is one step."""
    sequence = getattr(sys.modules.get("langchain_core.runnables.base"), "RunnableSequence", None)
    return thing.steps if sequence is not None and isinstance(thing, sequence) else (thing,)


def as_runnable(thing: object) -> Runnable[Any, Any] | None:
    """Return ``thing`` as a Runnable if it is one of ours or of LangChain's; ``None`` for anything else."""
    if isinstance(thing, Runnable):
        return thing
    return ForeignRunnable(thing) if is_foreign(thing) else None


class ForeignRunnable(TypesOfAnother[Any, Any], Runnable[Any, Any]):
    """A Runnable of LangChain's; its runs, chunks and errors are its own, and its callbacks those of the call.

    It receives messages, prompt values and documents of ours as objects of LangChain's own classes.
    """

    def __init__(self, runnable: Any) -> None:
        self.runnable = runnable

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        return self.runnable, config

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the name that LangChain gives the Runnable."""
        found: str = self.runnable.get_name(suffix, name=name)
        return found

    def __eq__(self, other: object) -> bool:
        """Compare LangChain's Runnables."""
        return isinstance(other, ForeignRunnable) and bool(self.runnable == other.runnable)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show LangChain's Runnable."""
        return repr(self.runnable)

    def __getattr__(self, name: str) -> Any:
        """Return the attribute ``name`` of LangChain's Runnable."""
        if name == "runnable" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.runnable, name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke LangChain's Runnable."""
        return self.runnable.invoke(to_langchain(input), config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke LangChain's Runnable."""
        return await self.runnable.ainvoke(to_langchain(input), config, **kwargs)

    def batch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with LangChain's Runnable."""
        values = list(map(to_langchain, inputs))
        configs = _batch_configs(config)
        outputs: list[Any] = self.runnable.batch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return outputs

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with LangChain's Runnable."""
        values = list(map(to_langchain, inputs))
        configs = _batch_configs(config)
        outputs: list[Any] = await self.runnable.abatch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return outputs

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Stream from LangChain's Runnable."""
        return Stream(_yield_and_close(self.runnable.stream(to_langchain(input), config, **kwargs)))

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Transform with LangChain's Runnable."""
        return Stream(_yield_and_close(self.runnable.transform(_convert(input), config, **kwargs)))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Any]:
        """Stream from LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Any]:
        """Transform with LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _astream_inline(self, input: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        return self.runnable.astream(to_langchain(input), config, **kwargs)

    def _atransform_inline(self, items: AsyncIterator[Any], config: Any, kwargs: dict[str, Any]) -> Any:
        return self.runnable.atransform(_aconvert(items), config, **kwargs)


def _yield_and_close(outputs: Iterator[Any]) -> Any:
    """Yield ``outputs``, and close them."""
    try:
        yield from outputs
    finally:
        close_iterator(outputs)


def _batch_configs(config: Any) -> Any:
    """Return the configurations of a batch with callback managers of LangChain's class."""
    if config is None:
        return None
    if isinstance(config, Mapping):
        return {**config, "callbacks": manager_to_langchain(config.get("callbacks"))}
    return [_batch_configs(one) for one in config]


def _convert(items: Iterator[Any]) -> Generator[Any, None, None]:
    """Yield ``items`` as objects of LangChain's classes."""
    try:
        for item in items:
            yield to_langchain(item)
    finally:
        close_iterator(items)


async def _aconvert(items: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
    """Yield ``items`` as objects of LangChain's classes."""
    async with NestedIterator(items) as nested:
        async for item in nested:
            yield to_langchain(item)
