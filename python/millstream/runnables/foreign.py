"""LangChain's Runnables as steps: each is called through its own methods, and LangChain is never imported for it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from ..callbacks.values_to_langchain import to_langchain
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.isolation import isolated_stream
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .runnable import Runnable
from .types_of import TypesOfAnother

__all__ = ("ForeignRunnable", "aconvert_items", "as_runnable", "convert_items", "is_foreign", "steps_of")


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

    It receives messages, prompt values and documents of ours as objects of LangChain's own classes. Its outputs are
    LangChain's, unless a subclass overrides :meth:`_to_output`. Handlers of ours receive values of our classes.
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
        return type(other) is type(self) and bool(self.runnable == other.runnable)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show LangChain's Runnable."""
        return repr(self.runnable)

    def __getattr__(self, name: str) -> Any:
        """Return the attribute ``name`` of LangChain's Runnable."""
        if name == "runnable" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.runnable, name)

    _to_output: Callable[[Any], Any] | None = None
    """The function that returns the output, or the chunk, to hand out; ``None`` where it is LangChain's own."""

    def _finish(self, output: Any) -> Any:
        return output if self._to_output is None else self._to_output(output)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke LangChain's Runnable."""
        return self._finish(self.runnable.invoke(to_langchain(input), _config_to_langchain(config), **kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke LangChain's Runnable."""
        return self._finish(await self.runnable.ainvoke(to_langchain(input), _config_to_langchain(config), **kwargs))

    def batch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with LangChain's Runnable."""
        values, configs = self._batch_arguments(inputs, config)
        outputs = self.runnable.batch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return list(map(self._finish, outputs))

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with LangChain's Runnable."""
        values, configs = self._batch_arguments(inputs, config)
        outputs = await self.runnable.abatch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return list(map(self._finish, outputs))

    def _batch_arguments(self, inputs: Sequence[Any], config: Any) -> tuple[list[Any], Any]:
        """Return the inputs and the configurations for LangChain."""
        is_one = config is None or isinstance(config, Mapping)
        configs = _config_to_langchain(config) if is_one else list(map(_config_to_langchain, config))
        return list(map(to_langchain, inputs)), configs

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Stream from LangChain's Runnable."""
        outputs = self.runnable.stream(to_langchain(input), _config_to_langchain(config), **kwargs)
        return Stream(convert_items(outputs, self._to_output))

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Transform with LangChain's Runnable."""
        items = convert_items(input, to_langchain)
        outputs = self.runnable.transform(items, _config_to_langchain(config), **kwargs)
        return Stream(convert_items(outputs, self._to_output))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Any]:
        """Stream from LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Any]:
        """Transform with LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _astream_inline(self, input: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        outputs = self.runnable.astream(to_langchain(input), _config_to_langchain(config), **kwargs)
        return outputs if self._to_output is None else aconvert_items(outputs, self._to_output)

    def _atransform_inline(self, items: AsyncIterator[Any], config: Any, kwargs: dict[str, Any]) -> Any:
        outputs = self.runnable.atransform(aconvert_items(items, to_langchain), _config_to_langchain(config), **kwargs)
        return outputs if self._to_output is None else aconvert_items(outputs, self._to_output)


def _config_to_langchain(config: Any) -> Any:
    # A program without LangChain need not load it.
    from ..callbacks.handlers_to_langchain import config_to_langchain

    return config_to_langchain(config)


def convert_items(items: Iterator[Any], convert: Callable[[Any], Any] | None) -> Generator[Any, None, None]:
    """Yield ``items``, each converted, and close them; ``None`` converts nothing."""
    try:
        if convert is None:
            yield from items
        else:
            for item in items:
                yield convert(item)
    finally:
        close_iterator(items)


async def aconvert_items(items: AsyncIterator[Any], convert: Callable[[Any], Any]) -> AsyncGenerator[Any, None]:
    """Yield ``items``, each converted, and close them."""
    async with NestedIterator(items) as nested:
        async for item in nested:
            yield convert(item)
