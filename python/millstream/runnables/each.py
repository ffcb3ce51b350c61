"""``RunnableEach``: a Runnable called for each element of a list; made by ``map``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast

from ..streaming.stream import RefusedStream
from .config import RunnableConfig
from .runnable import Input, Output, Runnable
from .runs import ChainRun, acall_in_run, call_in_run
from .serializable import RunnableSerializable
from .types_of import TypesOfEach

__all__ = ("RunnableEach", "RunnableEachBase")


class RunnableEachBase(TypesOfEach[Sequence[Input], list[Output]], RunnableSerializable[Sequence[Input], list[Output]]):
    """Calls ``bound`` for each element of its input, as ``batch`` does; the base of classes with other constructors."""

    bound: Runnable[Input, Output]

    def invoke(self, input: Sequence[Input], config: RunnableConfig | None = None, **kwargs: Any) -> list[Output]:
        """Return the outputs for the elements of ``input``, in their order."""
        return cast("list[Output]", call_in_run(self, partial(self._call, kwargs), input, config))

    def _call(self, kwargs: dict[str, Any], inputs: Any, run: ChainRun, config: RunnableConfig) -> list[Output]:
        outputs: list[Output] = self.bound.batch(_as_list(inputs), [config for _ in inputs], **kwargs)
        return outputs

    async def ainvoke(
        self, input: Sequence[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> list[Output]:
        """Return the outputs for the elements of ``input``, in their order."""
        return cast("list[Output]", await acall_in_run(self, partial(self._acall, kwargs), input, config))

    async def _acall(self, kwargs: dict[str, Any], inputs: Any, run: ChainRun, config: RunnableConfig) -> list[Output]:
        outputs: list[Output] = await self.bound.abatch(_as_list(inputs), [config for _ in inputs], **kwargs)
        return outputs

    def astream_events(self, *args: Any, **kwargs: Any) -> Any:
        """Raise :class:`NotImplementedError`, when the stream is read."""
        return RefusedStream(NotImplementedError("RunnableEach does not support astream_events yet."))


class RunnableEach(RunnableEachBase[Input, Output]):
    """Calls ``bound`` for each element of its input, as ``batch`` does; made by ``map``.

    For example::

        texts = (prompt | llm | StrOutputParser()).map().invoke([{"topic": "ducks"}, {"topic": "geese"}])
    """

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return ``name``, or the name of the class with that of ``bound``."""
        return super().get_name(suffix, name=name or self.name or f"RunnableEach<{self.bound.get_name()}>")

    def bind(self, **kwargs: Any) -> RunnableEach[Input, Output]:
        """Return this Runnable with ``kwargs`` in every call of ``bound``."""
        return RunnableEach(bound=self.bound.bind(**kwargs))

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RunnableEach[Input, Output]:
        """Return this Runnable with a configuration in every call of ``bound``."""
        return RunnableEach(bound=self.bound.with_config(config, **kwargs))


def _as_list(inputs: Any) -> list[Any]:
    if not isinstance(inputs, Iterable):
        raise TypeError(f"a Runnable made by map() takes a list of inputs, not {type(inputs).__name__}")
    return list(inputs)
