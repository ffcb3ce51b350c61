"""How the streams of a model are made: of its own decoder where nobody listens, of a run where somebody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._context import var_child_runnable_config
from ..callbacks.manager import CallbackManager
from ..events import EventFilter, ModelEvents, schema_version
from ..events.handler import StreamEventHandler
from ..outputs import LLMResult
from ..runnables.config import RunnableConfig, ensure_config
from ..runnables.origin import OriginEvents
from ..streaming.channel import Handover
from ..streaming.protocols import ChunkProcessor, Source
from .model_run import ModelRun
from .model_type import Model
from .prompt_text import LanguageModelInput
from .run_sources import CalledSource, RunChunks, StreamedSource

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
    prompt = model._kind.prompt(input)
    if not _may_be_heard(model, config):
        run_id = config.get("run_id") if config else None
        own = model._own_stream(prompt, stop, kwargs, for_async=for_async, keeps=False, run_id=run_id)
        if own is not None:
            return own
    run = ModelRun(model, prompt, stop, kwargs, ensure_config(config), keeps=False, line=None)
    if not run.manager.handlers:
        own = model._own_stream(prompt, stop, kwargs, for_async=for_async, keeps=False, run_id=run.run_id)
        if own is not None:
            return own
    own = model._own_stream(prompt, stop, kwargs, for_async=for_async, keeps=False) if for_async else None
    return _run_stream(model, run, kwargs, for_async=for_async, own=own is not None)


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
    prompt = model._kind.prompt(input)
    full = ensure_config(config)
    run = ModelRun(model, prompt, stop, kwargs, full, keeps=True, line=None)
    told = run.told()
    own = None
    if not run.manager.handlers:
        own = model._own_stream(prompt, stop, kwargs, for_async=for_async, keeps=True, run_id=run.run_id)
    if own is None:
        run.line = Handover(lockstep=run.lockstep)
        # The events of the runs below go the way of the chunks, so that they stay in order.
        callbacks = CallbackManager.configure(full["callbacks"])
        callbacks.inheritable_handlers.append(StreamEventHandler(schema, wanted, run.line, told.parent_ids))
        run = ModelRun(
            model,
            prompt,
            stop,
            kwargs,
            {**full, "callbacks": callbacks, "run_id": run.run_id},
            keeps=True,
            line=run.line,
        )
        own = _run_stream(model, run, kwargs, for_async=for_async)
    told = schema.root_run(told, full)
    includes = wanted.includes(told.name, told.run_type, told.tags)
    return own[0], ModelEvents(own[1], schema, told, input, includes=includes)


class ModelOrigin:
    """A model as the :class:`~millstream.runnables.origin.Origin` of a fused chain."""

    __slots__ = ("_model",)

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def callbacks(self) -> Any:
        """The model's own callbacks."""
        return self._model.callbacks

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        """Return the source and the processor of the model's chunks."""
        model, stop = self._model, kwargs.pop("stop", None)
        own = model._own_stream(model._kind.prompt(value), stop, kwargs, for_async=for_async, keeps=False)
        return chunk_stream(model, value, make_config(), stop, kwargs, for_async=for_async) if own is None else own

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | None:
        """Return what the events of the model's run are made of; ``None`` for a user's model."""
        model, stop = self._model, kwargs.pop("stop", None)
        prompt = model._kind.prompt(value)
        run = ModelRun(model, prompt, stop, kwargs, config, keeps=True, line=None)
        own = model._own_chunks(prompt, stop, kwargs, for_async=for_async, run_id=run.run_id)
        if own is None:
            return None
        return OriginEvents(*own, run.told(), prompt, lambda: model._kind.arrived(()))


def _may_be_heard(model: Model, config: RunnableConfig | None) -> bool:
    """Return whether anybody may listen; to be cheap, a run above counts as such."""
    return bool(
        model.callbacks
        or (config is not None and config.get("callbacks"))
        or var_child_runnable_config.get() is not None
    )


def _run_stream(
    model: Model, run: ModelRun, kwargs: dict[str, Any], *, for_async: bool, own: bool = False
) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the source and the processor of a run that runs users' code, or tells handlers."""
    kind = model._kind
    if kind.streams(model, kwargs, for_async=for_async):
        awaits = for_async and kind.awaits(model)
        return StreamedSource(run, awaits=awaits, own=own), RunChunks(run, streams=True)
    return CalledSource(run), RunChunks(run, streams=False)
