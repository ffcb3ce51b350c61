"""``Runnable``: what can be invoked, batched and streamed, with defaults for all but ``invoke``."""

from __future__ import annotations

import contextvars
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..events.event_records import written
from ..events.filters import EventFilter
from .config import RunnableConfig, get_config_list, merge_configs
from .home import HOME
from .stream import AsyncStream, Stream

if TYPE_CHECKING:
    from ..events.record_writer import RecordFormat, RecordWriter

__all__ = ("Input", "Output", "Runnable", "RunnableBinding", "run_in_executor")

Input = TypeVar("Input")
Output = TypeVar("Output")
T = TypeVar("T")


async def run_in_executor(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run ``function`` in the loop's default executor, in a copy of the current context."""
    import asyncio

    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()

    def call() -> T:
        # What this calls may have to call async handlers: they are run where they belong.
        HOME.loop = loop
        try:
            return context.run(function, *args, **kwargs)
        except StopIteration as error:
            # A future cannot carry StopIteration.
            raise RuntimeError("StopIteration was raised") from error
        finally:
            HOME.loop = None

    return await loop.run_in_executor(None, call)


class Runnable(ABC, Generic[Input, Output]):
    """What can be invoked, batched and streamed; only :meth:`invoke` must be written."""

    name: str | None = None

    def get_name(self) -> str:
        """Return ``name``, or the class's name."""
        return self.name or type(self).__name__

    @abstractmethod
    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input."""

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input; by default :meth:`invoke`, in the loop's executor."""
        return await run_in_executor(self.invoke, input, config, **kwargs)

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the output's chunks; by default one, :meth:`invoke`'s."""

        def once() -> Generator[Output, None, None]:
            yield self.invoke(input, config, **kwargs)

        return Stream(once())

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the output's chunks; by default one, :meth:`ainvoke`'s."""

        async def once() -> AsyncGenerator[Output, None]:
            yield await self.ainvoke(input, config, **kwargs)

        return AsyncStream(once())

    def astream_records(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        format: RecordFormat = "sse",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[bytes]:
        """Stream the events of ``astream_events`` as event records: bytes to be sent as they come.

        They are what :class:`~millstream.RecordWriter` of this ``format`` writes for each event, and
        its end. The other arguments are those of ``astream_events``. Models make no object per
        chunk, but one ``bytes`` for all that a network read brings. An error is raised after the
        records of what came before it, and nothing marks the end then. ::

            return StreamingResponse(llm.astream_records(prompt), media_type="text/event-stream")
        """
        wanted = EventFilter(
            include_names=include_names,
            include_types=include_types,
            include_tags=include_tags,
            exclude_names=exclude_names,
            exclude_types=exclude_types,
            exclude_tags=exclude_tags,
        )
        from ..events.record_writer import RecordWriter

        return AsyncStream(self._records(RecordWriter(format=format), input, config, version, wanted, kwargs))

    def _records(
        self,
        writer: RecordWriter,
        input: Input,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
    ) -> AsyncGenerator[bytes, None]:
        """Return what yields the records of one run: by default, those of its events."""
        subject: Any = self
        return written(
            lambda: subject.astream_events(input, config, version=version, **wanted.given(), **kwargs), writer
        )

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
        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))

        def one(input: Input, config: RunnableConfig) -> Any:
            try:
                return self.invoke(input, config, **kwargs)
            except Exception as error:
                if return_exceptions:
                    return error
                raise

        if len(inputs) == 1:
            return [one(inputs[0], configs[0])]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=configs[0].get("max_concurrency")) as executor:
            contexts = [contextvars.copy_context() for _ in inputs]
            return list(executor.map(lambda context, *args: context.run(one, *args), contexts, inputs, configs))

    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs; by default by tasks, ``max_concurrency`` at a time."""
        import asyncio

        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))
        gate = asyncio.Semaphore(configs[0].get("max_concurrency") or len(inputs))

        async def one(input: Input, config: RunnableConfig) -> Any:
            async with gate:
                try:
                    return await self.ainvoke(input, config, **kwargs)
                except Exception as error:
                    if return_exceptions:
                        return error
                    raise

        # A group, not gather: the first failure stops the others before it goes up.
        tasks = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(*pair)) for pair in zip(inputs, configs, strict=True)]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    def bind(self, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return this Runnable with ``kwargs`` in every call; those of a call win."""
        return RunnableBinding(self, kwargs)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return this Runnable with a configuration in every call; that of a call is merged over it."""
        return RunnableBinding(self, {}, merge_configs(config, kwargs))


class RunnableBinding(Runnable[Input, Output]):
    """A Runnable with arguments or a configuration for every call; made by ``bind`` and ``with_config``.

    What it has not itself, it takes from the Runnable it is bound to.
    """

    def __init__(
        self, bound: Runnable[Input, Output], kwargs: Mapping[str, Any], config: RunnableConfig | None = None
    ) -> None:
        self.bound = bound
        self.kwargs = dict(kwargs)
        self.config = config

    def get_name(self) -> str:
        """Return the bound Runnable's name."""
        return self.bound.get_name()

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return self.bound.invoke(input, self._config(config), **{**self.kwargs, **kwargs})

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return await self.bound.ainvoke(input, self._config(config), **{**self.kwargs, **kwargs})

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.stream(input, self._config(config), **{**self.kwargs, **kwargs})

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.astream(input, self._config(config), **{**self.kwargs, **kwargs})

    def astream_events(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[dict[str, Any]]:
        """Stream the events of the bound Runnable."""
        bound: Any = self.bound
        events: AsyncStream[dict[str, Any]] = bound.astream_events(
            input, self._config(config), **{**self.kwargs, **kwargs}
        )
        return events

    def stream_events(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Stream[dict[str, Any]]:
        """Stream the events of the bound Runnable."""
        bound: Any = self.bound
        events: Stream[dict[str, Any]] = bound.stream_events(input, self._config(config), **{**self.kwargs, **kwargs})
        return events

    def astream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[bytes]:
        """Stream the records of the bound Runnable."""
        return self.bound.astream_records(input, self._config(config), **{**self.kwargs, **kwargs})

    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the bound Runnable."""
        configs = self._configs(config, len(inputs))
        return self.bound.batch(inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs})

    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the bound Runnable."""
        configs = self._configs(config, len(inputs))
        return await self.bound.abatch(
            inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs}
        )

    def bind(self, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with these arguments too."""
        return RunnableBinding(self.bound, {**self.kwargs, **kwargs}, self.config)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with this configuration too."""
        return RunnableBinding(self.bound, self.kwargs, merge_configs(self.config, config, kwargs))

    def _config(self, config: RunnableConfig | None) -> RunnableConfig | None:
        return config if self.config is None else merge_configs(self.config, config)

    def _configs(self, config: Any, length: int) -> Any:
        if self.config is None or not length:
            return config
        return [merge_configs(self.config, one) for one in get_config_list(config, length)]

    def __getattr__(self, name: str) -> Any:
        """Return what the bound Runnable has under ``name``."""
        if name == "bound" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.bound, name)

    def __repr__(self) -> str:
        """Show the bound Runnable, and the names of what is bound to it."""
        return f"RunnableBinding({self.bound!r}, kwargs={sorted(self.kwargs)})"
