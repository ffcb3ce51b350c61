"""``RunnablePassthrough``, ``RunnableAssign``, ``RunnablePick``: steps that pass on, extend or pick from an input."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
)
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._fields import Fields
from ..streaming.accumulate import AddableDict, ChunkAccumulator
from ..streaming.branches import amerge, merge, share_input
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.isolation import isolated_stream
from ..streaming.protocols import Stage
from ..streaming.replay import WholeInput
from ..streaming.stream import AsyncStream, Stream
from .arguments import bind_arguments
from .assigning import Arrangement, AssignNode, adicts_of, check_dict, dicts_of
from .config import RunnableConfig, ensure_config
from .copying import state_without_caches
from .fusion.calls import build_call
from .fusion.parallel_origin import ParallelOrigin
from .in_turn import arun_in_turn, run_in_turn, runs_in_turn
from .nodes import Composition
from .parallel import RunnableParallel
from .runnable import Input, Output
from .runs import ChainRun, acall_in_run, atransform_in_run, call_in_run, transform_in_run
from .serializable import RunnableSerializable
from .stages import StageRunnable
from .transforming import Transforming
from .types_of import TypesOfAssign, TypesOfPick

if TYPE_CHECKING:
    from .origin import Origin

__all__ = ("RunnableAssign", "RunnablePassthrough", "RunnablePick", "aidentity", "identity")

Dict = dict[str, Any]
Other = TypeVar("Other")


def identity(x: Other) -> Other:
    """Return ``x``."""
    return x


async def aidentity(x: Other) -> Other:
    """Return ``x``."""
    return x


class _StageStep(StageRunnable[Input, Output], RunnableSerializable[Input, Output]):
    """A step of our own whose ``stream`` transforms its input, which is one chunk."""

    run_type = "chain"

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the outputs for the one chunk ``input``."""
        return self.transform(iter((input,)), config, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the outputs for the one chunk ``input``."""
        return self.atransform(WholeInput(input), config, **kwargs)


class RunnablePassthrough(_StageStep[Other, Other]):
    """A step that returns its input, chunk by chunk in a stream.

    ``func`` and ``afunc`` are called with the input, in a stream with the sum of its chunks, for their side
    effects. A parameter named ``config`` receives the configuration. :meth:`assign` returns a step that adds
    keys to a dict. ::

        chain = {"question": RunnablePassthrough(), "context": retriever} | prompt | llm
    """

    input_type: Any = None
    func: Callable[..., Any] | None = None
    afunc: Callable[..., Awaitable[Any]] | None = None

    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        afunc: Callable[..., Awaitable[Any]] | None = None,
        *,
        input_type: Any = None,
        **kwargs: Any,
    ) -> None:
        if inspect.iscoroutinefunction(func):
            func, afunc = None, func
        Fields.__init__(self, func=func, afunc=afunc, input_type=input_type, **kwargs)

    def __repr__(self) -> str:
        """Show the class."""
        return "RunnablePassthrough()"

    @property
    def InputType(self) -> Any:
        """The type of the input, as an annotation: ``input_type``, or any."""
        return self.input_type or Any

    OutputType = InputType

    @classmethod
    def assign(cls, **kwargs: Any) -> RunnableAssign:  # type: ignore[override]
        """Return a step that adds the outputs of ``kwargs`` (Runnables, functions or dicts) to a dict."""
        return RunnableAssign(RunnableParallel(kwargs))

    def _as_stage(self) -> Stage[Any, Any] | None:  # type: ignore[override]
        return _PassOn() if self.func is None and self.afunc is None else None

    def _as_call(self) -> Callable[[Any], Any] | None:
        return identity if self.func is None and self.afunc is None else None

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return ``input``, after a call of ``func``."""
        if self.func is not None:
            bind_arguments(self.func, kwargs, None, ensure_config(config))(input)
        return call_in_run(self, lambda value, *_: value, input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return ``input``, after a call of ``afunc``, or of ``func`` if there is no other."""
        await self._acall_functions(input, config, kwargs)
        return await acall_in_run(self, lambda value, *_: aidentity(value), input, config)

    async def _acall_functions(self, input: object, config: RunnableConfig | None, kwargs: Dict) -> None:
        if self.afunc is not None:
            await bind_arguments(self.afunc, kwargs, None, ensure_config(config))(input)
        elif self.func is not None:
            bind_arguments(self.func, kwargs, None, ensure_config(config))(input)

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Any]:
        """Stream the chunks of ``input``; then call ``func`` with their sum."""
        chunks = transform_in_run(self, lambda items, *_: iter(items), input, config)
        return Stream(chunks if self.func is None else self._then_call(chunks, config, kwargs))

    def _then_call(
        self, chunks: Iterator[Any], config: RunnableConfig | None, kwargs: Dict
    ) -> Generator[Any, None, None]:
        sum, count = ChunkAccumulator(adds_on=True), 0
        try:
            for chunk in chunks:
                yield chunk
                sum.add(chunk)
                count += 1
        finally:
            close_iterator(chunks)
        if count:
            bind_arguments(self.func, kwargs, None, ensure_config(config))(sum.total())

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Any]:
        """Stream the chunks of ``input``; then call ``afunc`` with their sum, or ``func`` if there is no other."""
        if self.func is None and self.afunc is None:
            return super().atransform(input, config)
        return isolated_stream(lambda: self._athen_call(input, config, kwargs))

    async def _athen_call(
        self, input: AsyncIterator[Any], config: RunnableConfig | None, kwargs: Dict
    ) -> AsyncGenerator[Any, None]:
        sum, count = ChunkAccumulator(adds_on=True), 0
        async with NestedIterator(atransform_in_run(self, lambda items, *_: items, input, config)) as chunks:
            async for chunk in chunks:
                yield chunk
                sum.add(chunk)
                count += 1
        if count:
            await self._acall_functions(sum.total(), config, kwargs)


class _PassOn(Stage[Any, Any]):
    """The stage that passes on what it is fed."""

    __slots__ = ()

    def feed(self, item: object) -> tuple[Any]:
        return (item,)


class RunnablePick(TypesOfPick, _StageStep[Dict, Any]):
    """A step that picks from a dict: the value under the key ``keys``, or a dict of those keys of a list that it has.

    In a stream, a chunk without the keys has no output. Raises :class:`ValueError` for an input that is not a dict.
    """

    keys: str | list[str]

    def __init__(self, keys: str | list[str], **kwargs: Any) -> None:
        Fields.__init__(self, keys=keys, **kwargs)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return ``name``, or the name of the class with the keys."""
        keys = [self.keys] if isinstance(self.keys, str) else self.keys
        return super().get_name(suffix, name=name or self.name or f"RunnablePick<{','.join(keys)}>")

    def _as_stage(self) -> Stage[Any, Any]:
        return _Picking(self._pick)

    def _as_call(self) -> Callable[[Any], Any]:
        return self._pick

    def _pick(self, value: Any) -> Any:
        check_dict(value)
        if isinstance(self.keys, str):
            return value.get(self.keys)
        return AddableDict({key: value[key] for key in self.keys if key in value}) or None

    def invoke(self, input: Dict, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what is picked from ``input``; ``None`` where it has none of the keys."""
        return call_in_run(self, lambda value, *_: self._pick(value), input, config)

    async def ainvoke(self, input: Dict, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what is picked from ``input``; ``None`` where it has none of the keys."""
        return await acall_in_run(self, lambda value, *_: self._apick(value), input, config)

    async def _apick(self, value: object) -> Any:
        return self._pick(value)


class _Picking(Stage[Any, Any]):
    """The stage of :class:`RunnablePick`."""

    __slots__ = ("_pick",)

    def __init__(self, pick: Callable[[Any], Any]) -> None:
        self._pick = pick

    def feed(self, item: object) -> tuple[Any, ...]:
        picked = self._pick(item)
        return () if picked is None else (picked,)


class RunnableAssign(TypesOfAssign, Transforming[Dict, Dict], RunnableSerializable[Dict, Dict]):
    """A step that returns its input, a dict, with the outputs of ``mapper`` added; made by ``assign``.

    A stream yields the chunks of the input first, without the keys that ``mapper`` assigns, then those of ``mapper``,
    which runs meanwhile. Once :data:`~millstream.streaming.channel.MAX_BUFFERED_ITEMS` chunks of it wait for
    the end of the input, they are yielded in between. Raises :class:`ValueError` for an input that is not a dict.
    """

    mapper: RunnableParallel[Dict]

    def __init__(self, mapper: RunnableParallel[Dict], **kwargs: Any) -> None:
        Fields.__init__(self, mapper=mapper, **kwargs)

    __getstate__ = state_without_caches

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return ``name``, or the name of the class with the keys that are assigned."""
        return super().get_name(suffix, name=name or self.name or f"RunnableAssign<{','.join(self.mapper.steps__)}>")

    def _passed_on(self) -> Any:
        return RunnablePassthrough()

    def _as_composition(self) -> Composition | None:
        return Composition([(None, self.mapper)], lambda nodes: AssignNode(self.mapper.steps__, nodes[0]))

    def _as_call(self) -> Callable[[Any], Any] | None:
        return None if (call := build_call(self.mapper)) is None else partial(_assign, call)

    def invoke(self, input: Dict, config: RunnableConfig | None = None, **kwargs: Any) -> Dict:
        """Return ``input`` with the outputs of the mapper."""
        return cast("Dict", call_in_run(self, partial(self._call, kwargs), input, config))

    def _call(self, kwargs: Dict, value: Dict, run: ChainRun, config: RunnableConfig) -> Dict:
        check_dict(value)
        return {**value, **self.mapper.invoke(value, config, **kwargs)}

    async def ainvoke(self, input: Dict, config: RunnableConfig | None = None, **kwargs: Any) -> Dict:
        """Return ``input`` with the outputs of the mapper."""
        return cast("Dict", await acall_in_run(self, partial(self._acall, kwargs), input, config))

    async def _acall(self, kwargs: Dict, value: Dict, run: ChainRun, config: RunnableConfig) -> Dict:
        check_dict(value)
        return {**value, **await self.mapper.ainvoke(value, config, **kwargs)}

    def transform(self, input: Iterator[Dict], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Dict]:
        """Stream the chunks of ``input``, then those of the mapper."""
        return Stream(transform_in_run(self, self._transform, input, config))

    def _transform(self, items: Any, run: ChainRun, config: RunnableConfig) -> Iterator[Any]:
        # The mapper alone waits for more than its input, which is there if it is one whole value.
        in_turn = self._in_turn or items.whole is not None
        return (run_in_turn if in_turn else merge)(self._branches(run, config, False), items, self._arrangement())

    def _atransform_here(
        self, items: AsyncIterator[Dict], config: RunnableConfig | None, kwargs: Dict
    ) -> AsyncGenerator[Dict, None]:
        shared = share_input(items, 1 if self._in_turn else 2)
        return atransform_in_run(self, self._atransform, items, config, input=shared)

    def _atransform(self, items: Any, run: ChainRun, config: RunnableConfig) -> AsyncIterator[Any]:
        merged = arun_in_turn if self._in_turn else amerge
        return merged(self._branches(run, config, True), items, self._arrangement())

    def _branches(self, run: ChainRun, config: RunnableConfig, for_async: bool) -> dict[str, Callable[[Any], Any]]:
        """Return the input and the mapper as functions of the input, in streams of ``run``."""
        mapper = self.mapper
        if for_async:
            return {"input": aiter, "mapper": lambda copy: mapper._atransform_inline(adicts_of(copy), config, {})}
        return {"input": iter, "mapper": lambda copy: mapper.transform(dicts_of(copy), config)}

    def _arrangement(self) -> Arrangement:
        return Arrangement(self.mapper.steps__)

    def _as_origin(self) -> Origin | None:
        """Return the step as the origin of a chain, if the mapper runs beside the input."""
        if self._in_turn or type(self) is not RunnableAssign:
            return None
        return ParallelOrigin(self, self._branches, self._arrangement, run_in_turn)

    @cached_property
    def _in_turn(self) -> bool:
        """Whether the mapper runs after its input, chunk by chunk, since it only waits for that."""
        return all(map(runs_in_turn, self.mapper.steps__.values()))

    def _has_own_tasks(self) -> bool:
        return not self._in_turn


def _assign(call: Callable[[Any], Dict], value: Any) -> Dict:
    check_dict(value)
    return {**value, **call(value)}
