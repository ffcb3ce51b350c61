"""LangChain's Runnables as steps: each is called through its own methods, and LangChain is never imported for it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from ..streaming.inputs import close_iterator
from ..streaming.isolation import isolated_stream
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .runnable import Runnable
from .types_of import TypesOfAnother

__all__ = ("ForeignRunnable", "is_foreign")


def is_foreign(thing: Any) -> bool:
    """Return whether ``thing`` is a Runnable of LangChain's."""
    module = sys.modules.get("langchain_core.runnables.base")
    kind = getattr(module, "Runnable", None)
    return kind is not None and isinstance(thing, kind)


class ForeignRunnable(TypesOfAnother[Any, Any], Runnable[Any, Any]):
    """A Runnable of LangChain's; its runs, chunks and errors are its own, and its callbacks those of the call."""

    def __init__(self, runnable: Any) -> None:
        self.runnable = runnable

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        return self.runnable, config

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the name that LangChain gives the Runnable."""
        found: str = self.runnable.get_name(suffix, name=name)
        return found

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
        return self.runnable.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke LangChain's Runnable."""
        return await self.runnable.ainvoke(input, config, **kwargs)

    def batch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with LangChain's Runnable."""
        outputs: list[Any] = self.runnable.batch(list(inputs), config, return_exceptions=return_exceptions, **kwargs)
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
        outputs: list[Any] = await self.runnable.abatch(
            list(inputs), config, return_exceptions=return_exceptions, **kwargs
        )
        return outputs

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Stream from LangChain's Runnable."""
        return Stream(_closed(self.runnable.stream(input, config, **kwargs)))

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Transform with LangChain's Runnable."""
        return Stream(_closed(self.runnable.transform(input, config, **kwargs)))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Any]:
        """Stream from LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Any]:
        """Transform with LangChain's Runnable, in a task of its own."""
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _astream_inline(self, input: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        return self.runnable.astream(input, config, **kwargs)

    def _atransform_inline(self, items: AsyncIterator[Any], config: Any, kwargs: dict[str, Any]) -> Any:
        return self.runnable.atransform(items, config, **kwargs)


def _closed(outputs: Iterator[Any]) -> Any:
    """Yield ``outputs``, and close them."""
    try:
        yield from outputs
    finally:
        close_iterator(outputs)
