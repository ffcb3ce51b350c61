"""The chunk and event streams of a model: straight over a connection, or of a run that notifies handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._context import has_global_handlers, no_listeners
from ..callbacks.dispatch import takes_chunks
from ..callbacks.managers import CallbackManager
from ..events import EventFilter, ModelEvents, schema_version
from ..events.handler import StreamEventHandler
from ..outputs import LLMResult
from ..runnables.config import RunnableConfig, ensure_config
from ..streaming.channel import Channel
from ..streaming.protocols import ChunkProcessor, Source
from .chunk_timer import make_timer, time_stream
from .model_run import ModelRun
from .model_type import Model, ModelCall
from .prompt_text import LanguageModelInput
from .reported_stream import report_stream
from .run_sources import CalledSource, RunChunks, StreamedSource

if TYPE_CHECKING:
    from uuid import UUID

    from ..runnables.origin import OriginEvents

__all__ = ("ModelOrigin", "chunk_stream", "event_stream")


def chunk_stream(
    model: Model,
    input: LanguageModelInput,
    config: RunnableConfig | None,
    stop: list[str] | None,
    kwargs: dict[str, Any],
    *,
    for_async: bool = False,
) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the source and the processor of one stream of chunks."""
    call = ModelCall(model._model_type.prompt(input), stop, kwargs)
    is_native = model._streams_natively(call, for_async=for_async)
    if is_native and not model.callbacks and no_listeners(config):
        run_id = config.get("run_id") if config else None
        return _silent_stream(model, call, run_id)
    run = ModelRun(model, call, ensure_config(config), collect_result=False, channel=None)
    if is_native and not any(map(takes_chunks, run.manager.handlers)):
        return _native_stream(model, run, call, collect_result=False)
    return _run_stream(model, run, call, for_async=for_async, is_native=is_native and for_async)


def event_stream(
    model: Model,
    input: LanguageModelInput,
    config: RunnableConfig | None,
    version: str,
    wanted: EventFilter,
    stop: list[str] | None,
    kwargs: dict[str, Any],
    *,
    for_async: bool = False,
) -> tuple[Source, ModelEvents]:
    """Return the source and the processor of one stream of events.

    Raises :class:`NotImplementedError` for an unknown version.
    """
    schema = schema_version(version)
    call = ModelCall(model._model_type.prompt(input), stop, kwargs)
    full = ensure_config(config)
    run = ModelRun(model, call, full, collect_result=True, channel=None)
    info = run.info()
    if not any(map(takes_chunks, run.manager.handlers)) and model._streams_natively(call, for_async=for_async):
        source, chunks = _native_stream(model, run, call, collect_result=True)
    else:
        channel = Channel(rendezvous=run.rendezvous)
        # The events of child runs go through the same channel as the chunks, so that they stay in order.
        callbacks = CallbackManager.configure(full["callbacks"])
        callbacks.inheritable_handlers.append(StreamEventHandler(schema, wanted, channel, info.parent_ids))
        config = {**full, "callbacks": callbacks, "run_id": run.run_id}
        run = ModelRun(model, call, config, collect_result=True, channel=channel)
        source, chunks = _run_stream(model, run, call, for_async=for_async)
    info = schema.root_run(info, full)
    includes = wanted.includes(info.name, info.run_type, info.tags)
    return source, ModelEvents(chunks, schema, info, input, includes=includes)


class ModelOrigin(NamedTuple):
    """A model as the :class:`~millstream.runnables.origin.Origin` of a fused chain."""

    model: Model

    @property
    def callbacks(self) -> Any:
        """The model's own callbacks."""
        return self.model.callbacks

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        """Return the source and the processor of the model's chunks."""
        model, stop = self.model, kwargs.pop("stop", None)
        call = ModelCall(model._model_type.prompt(value), stop, kwargs)
        if not has_global_handlers() and model._streams_natively(call, for_async=for_async):
            return _silent_stream(model, call, None)
        return chunk_stream(model, call.prompt, make_config(), stop, kwargs, for_async=for_async)

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | None:
        """Return the source, the chunks and the run of the model's events; ``None`` for a user's model."""
        model, stop = self.model, kwargs.pop("stop", None)
        call = ModelCall(model._model_type.prompt(value), stop, kwargs)
        if not model._streams_natively(call, for_async=for_async):
            return None
        run = ModelRun(model, call, config, collect_result=True, channel=None)
        source, chunks = time_stream(model, model._native_generations(call, run_id=run.run_id), run.timer)
        if run.manager.handlers:
            source, chunks = report_stream(run, source, chunks)
        from ..runnables.origin import OriginEvents

        return OriginEvents(source, chunks, run.info(), call.prompt, lambda: model._model_type.partial_result(()))


def _silent_stream(model: Model, call: ModelCall, run_id: UUID | None) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the native stream of a call of which no handler is notified."""
    stream = model._native_stream(call, collect_result=False, run_id=run_id)
    return time_stream(model, stream, make_timer(model)) if model.stream_timing else stream


def _native_stream(
    model: Model, run: ModelRun, call: ModelCall, *, collect_result: bool
) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the native stream of a run, whose handlers, if it has any, are notified of its start and its end."""
    is_reported = bool(run.manager.handlers)
    stream = model._native_stream(call, collect_result=collect_result or is_reported, run_id=run.run_id)
    stream = time_stream(model, stream, run.timer)
    return report_stream(run, *stream) if is_reported else stream


def _run_stream(
    model: Model, run: ModelRun, call: ModelCall, *, for_async: bool, is_native: bool = False
) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the source and the processor of a run that executes users' code or notifies handlers."""
    model_type = model._model_type
    if model_type.streams(model, call.kwargs, for_async=for_async):
        uses_astream = for_async and model_type.has_own_astream(model)
        return StreamedSource(run, uses_astream=uses_astream, is_native=is_native), RunChunks(run, streams=True)
    return CalledSource(run), RunChunks(run, streams=False)
