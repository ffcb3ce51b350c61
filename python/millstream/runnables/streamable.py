"""The base of Runnables that streams them: chunks, events and records."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Literal, overload

from ..events.event_records import EventRecords
from ..events.schema import EventFilter
from ..streaming.drive import adrive, drive
from ..streaming.protocols import Processor, Source
from ..streaming.stream import AsyncStream, EventStream, RefusedStream, Stream, SyncEventStream
from .config import RunnableConfig
from .invocable import Input, Invocable, Output

if TYPE_CHECKING:
    from ..events import StreamEvent
    from ..events.record_writer import RecordFormat, RecordWriter
    from ..events.run_log import RunLog, RunLogPatch
    from ..events.schema import EventVersion
    from ..streaming.protocols import RecordProcessor, Stage
    from ..wires.names import Wire
    from ..wires.record_stream import RecordStream, SyncRecordStream
    from .nodes import Composition
    from .origin import Origin
    from .recording import RecordedRun

__all__ = ("Streamable",)


class Streamable(Invocable[Input, Output]):
    """The streams of a Runnable."""

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

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the output for an input that comes in chunks; by default :meth:`stream` of their sum.

        An empty input stream yields nothing.
        """
        from .runs import transform_buffered

        return Stream(transform_buffered(self, input, config, kwargs))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream the output for an input that comes in chunks; by default :meth:`astream` of their sum."""
        from .runs import atransform_buffered

        return AsyncStream(atransform_buffered(lambda sum: self.astream(sum, config, **kwargs), input))

    @overload
    def astream_events(
        self, input: Input, config: RunnableConfig | None = None, *, version: EventVersion = "v2", **kwargs: Any
    ) -> AsyncStream[StreamEvent]: ...
    @overload
    def astream_events(
        self, input: Input, config: RunnableConfig | None = None, *, version: Literal["v3"], **kwargs: Any
    ) -> Awaitable[Any]: ...
    def astream_events(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        version: EventVersion | Literal["v3"] = "v2",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Stream the events of the run and of its child runs: dicts as LangChain's, of ``version`` "v1" or "v2".

        With "v3" it is to be awaited: the stream of the content-block events of the chat models in the run, an
        :class:`~millstream.runnables.run_stream.AsyncRunStream`, for a chat model that of its message. See
        ``docs/how-to/events-v3.md``.
        """
        wanted = EventFilter(include_names, include_types, include_tags, exclude_names, exclude_types, exclude_tags)
        if version == "v3":
            from ..events.protocol.message_streams import PendingStream

            return PendingStream(lambda: self._protocol_stream(input, config, wanted, kwargs, for_async=True))
        try:
            return EventStream(adrive(*self._event_stream(input, config, version, wanted, kwargs, for_async=True)))
        except NotImplementedError as error:
            return RefusedStream(error)

    @overload
    def astream_log(
        self, input: Any, config: RunnableConfig | None = None, *, diff: Literal[True] = True, **kwargs: Any
    ) -> AsyncStream[RunLogPatch]: ...
    @overload
    def astream_log(
        self, input: Any, config: RunnableConfig | None = None, *, diff: Literal[False], **kwargs: Any
    ) -> AsyncStream[RunLog]: ...
    def astream_log(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        diff: bool = True,
        with_streamed_output_list: bool = True,
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[Any]:
        """Stream the log of the run and of its child runs: patches of its state, or with ``diff=False`` whole states.

        LangChain has deprecated it: write :meth:`astream_events`.
        """
        from .run_log_stream import run_log_stream

        wanted = EventFilter(include_names, include_types, include_tags, exclude_names, exclude_types, exclude_tags)
        lists_chunks = with_streamed_output_list
        log = run_log_stream(self, input, config, wanted, kwargs, patches=diff, lists_chunks=lists_chunks)
        return AsyncStream(adrive(*log))

    @overload
    def stream_events(
        self, input: Input, config: RunnableConfig | None = None, *, version: EventVersion = "v2", **kwargs: Any
    ) -> Stream[StreamEvent]: ...
    @overload
    def stream_events(
        self, input: Input, config: RunnableConfig | None = None, *, version: Literal["v3"], **kwargs: Any
    ) -> Any: ...
    def stream_events(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        version: EventVersion | Literal["v3"] = "v2",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Stream the events of the run and of its child runs: the dicts of :meth:`astream_events`, for sync code.

        Users' code runs in a thread meanwhile, so that events come when they happen.
        """
        wanted = EventFilter(include_names, include_types, include_tags, exclude_names, exclude_types, exclude_tags)
        if version == "v3":
            return self._protocol_stream(input, config, wanted, kwargs, for_async=False)
        return SyncEventStream(drive(*self._event_stream(input, config, version, wanted, kwargs)))

    def astream_records(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        wire: Wire | None = None,
        version: EventVersion | Literal["v3"] = "v2",
        format: RecordFormat = "sse",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> RecordStream:
        """Stream the run as bytes to be sent as they come: the events of ``astream_events``, or the answer in a wire.

        Without ``wire``, and with ``"langchain.v1"``, ``"langchain.v2"`` or ``"langchain.v3"``, they are what
        :class:`~millstream.RecordWriter` of this ``format`` writes for each event, and its end. The arguments
        ``include_*`` and ``exclude_*`` are those of ``astream_events``. Any other ``wire`` carries the output's
        chunks alone: ``"openai.chat"``, ``"vercel.ui"`` and the others of :mod:`millstream.wires.names`. Models,
        and ``prompt | model | parser``, make no object per chunk, but one ``bytes`` per network read. An error is
        raised after the records before it; the end is missing then. ::

            return EventStreamResponse(llm.astream_records(prompt, wire="vercel.ui"))
        """
        wanted = EventFilter(include_names, include_types, include_tags, exclude_names, exclude_types, exclude_tags)
        from .recording import RecordedRun, record_stream

        return record_stream(RecordedRun(self, input, config, wanted, kwargs), wire, version, format)

    def stream_records(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        wire: Wire | None = None,
        version: EventVersion | Literal["v3"] = "v2",
        format: RecordFormat = "sse",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> SyncRecordStream:
        """Stream the bytes of :meth:`astream_records`, for sync code."""
        wanted = EventFilter(include_names, include_types, include_tags, exclude_names, exclude_types, exclude_tags)
        from .recording import RecordedRun, sync_record_stream

        return sync_record_stream(RecordedRun(self, input, config, wanted, kwargs), wire, version, format)

    def _event_records(
        self, run: RecordedRun, writer: RecordWriter, version: EventVersion | Literal["v3"], *, for_async: bool
    ) -> tuple[Source, RecordProcessor] | None:
        """Return the source and the processor of the records of one run's events; ``None`` for users' events.

        Raises :class:`NotImplementedError` for an unknown version.
        """
        if version == "v3":
            protocol = self._protocol_events(run.input, run.config, run.wanted, run.kwargs, for_async=for_async)
            return protocol[0], EventRecords(protocol[1], writer)
        if self._overrides_stream(Streamable, "stream_events", for_async=for_async):
            return None
        source, events = self._event_stream(run.input, run.config, version, run.wanted, run.kwargs, for_async=for_async)
        return source, EventRecords(events, writer)

    def _chunk_stream(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Processor[Any]] | None:
        """Return the source and the processor of a stream of chunks; ``None`` for a stream of users' code."""
        return None

    def _overrides_stream(self, base: type[Any], method: str, *, for_async: bool) -> bool:
        """Return whether a user's class overrides a method of ``base``: its async form, or its sync one."""
        name = f"a{method}" if for_async else method
        return getattr(type(self), name) is not getattr(base, name)

    def _answer_model(self) -> str:
        """Return the name of the model that answers, for wires that show one: by default that of the Runnable."""
        return self.get_name()

    def _event_stream(
        self,
        input: Input,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        """Return the source and the processor of a stream of events; by default, those of a callback handler.

        Raises :class:`NotImplementedError` for an unknown version.
        """
        from .event_stream import callback_event_stream

        return callback_event_stream(self, input, config, version, wanted, kwargs, for_async=for_async)

    def _protocol_events(
        self,
        input: Input,
        config: RunnableConfig | None,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> tuple[Source, Processor[StreamEvent]]:
        """Return the source and the processor of the events of version 3."""
        from .message_events import run_events

        return run_events(self, input, config, wanted, kwargs)

    def _protocol_stream(
        self,
        input: Input,
        config: RunnableConfig | None,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> Any:
        """Return the stream of the events of version 3."""
        from .run_stream import AsyncRunStream, RunStream

        cls: Any = AsyncRunStream if for_async else RunStream
        return cls(*self._protocol_events(input, config, wanted, kwargs, for_async=for_async))

    def _transform_stream_with_config(
        self,
        inputs: Iterator[Any],
        transformer: Callable[..., Iterator[Any]],
        config: RunnableConfig | None,
        run_type: str | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Return an iterator of the items of ``transformer(inputs, **kwargs)``, in a run of this Runnable.

        Parameters of ``transformer`` named ``config`` and ``run_manager`` receive the run's.
        """
        from .inner_calls import transform_by_function

        return transform_by_function(self, inputs, transformer, config, run_type, kwargs)

    def _atransform_stream_with_config(
        self,
        inputs: AsyncIterator[Any],
        transformer: Callable[..., AsyncIterator[Any]],
        config: RunnableConfig | None,
        run_type: str | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Return an async iterator of the items of ``transformer(inputs, **kwargs)``, in a run of this Runnable."""
        from .inner_calls import atransform_by_function

        return atransform_by_function(self, inputs, transformer, config, run_type, kwargs)

    def _stream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> Iterable[Output]:
        """Return an iterable of the output chunks. The caller already runs it outside the consumer's task."""
        return self.stream(input, config, **kwargs)

    def _astream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> AsyncIterable[Output]:
        """Return an iterable of the output chunks. The caller already runs it outside the consumer's task."""
        return self.astream(input, config, **kwargs)

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        """Return :meth:`atransform`. The caller already runs it outside the consumer's task."""
        if type(self).atransform is not Streamable.atransform:
            return self.atransform(items, config, **kwargs)
        from .runs import atransform_buffered

        return atransform_buffered(lambda sum: self._astream_inline(sum, config, kwargs), items)

    def _as_function(self) -> Callable[[Any], Any] | None:
        """Return this step as a synchronous function, if it runs our own code alone."""
        return None

    def _as_call(self) -> Callable[[Any], Any] | None:
        """Return what :meth:`invoke` returns as a function, if it runs our own code alone and waits for nothing."""
        return self._as_function()

    def _has_own_tasks(self) -> bool:
        """Return whether async streams of this step read their input, and run users' code, in tasks of their own."""
        return False

    def _as_composition(self) -> Composition | None:
        """Return the steps that this one is made of, as parts of a fused chain."""
        return None

    def _as_origin(self) -> Origin | None:
        """Return this step as the origin of a fused chain, if it opens connections of ours."""
        return None

    def _as_stage(self) -> Stage[Any, Any] | None:
        """Return a new stage that transforms one stream as this step does, if it runs our own code alone."""
        return None
